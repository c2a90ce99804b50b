"""What each view makes of a body that suits it."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from typing import Any

import brotli
import pytest
import zstandard

from hookbin.bodies import limits
from hookbin.bodies.media import parameters
from hookbin.bodies.shapes import View
from hookbin.bodies.views.image import describe
from hookbin.web.rest.downloads import disposition, safe_name
from tests.views_helpers import names, seen, view

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def pairs(found: View) -> list[tuple[str, str]]:
    return [(field.name, field.value) for field in found.fields]


# Forms


def test_a_form_keeps_order_and_repeated_and_empty_fields() -> None:
    found = view("form", b"b=1&a=&b=x+y%20z&&c&%C3%A9=%26%3D%2B", FORM)
    assert pairs(found) == [("b", "1"), ("a", ""), ("b", "x y z"), ("c", ""), ("é", "&=+")]
    assert not found.truncated


def test_json_inside_a_field_is_laid_out_with_its_tokens_kept() -> None:
    found = view("form", b"payload=%7B%22n%22%3A1.0%7D&other={broken&list=[1]", FORM)
    assert [field.json for field in found.fields] == ['{\n  "n": 1.0\n}', None, "[\n  1\n]"]


def test_a_form_that_names_no_type_is_a_guess_behind_the_text() -> None:
    assert names(b"a=1&b=2") == ["text", "hex", "form"]
    assert "form" not in names(b"a = 1")


# Multipart


def test_parts_are_found_with_bare_line_ends_preamble_and_epilogue() -> None:
    body = b'preamble\n--x\nContent-Disposition: form-data; name="a"\n\none\n--x  \r\n\r\ntwo\r\n--x--\r\nepilogue'
    found = view("multipart", body, MULTIPART)
    assert [(part.name, part.text, part.size) for part in found.parts] == [("a", "one", 3), (None, "two", 3)]
    assert found.notice is None


def test_a_missing_last_boundary_is_said() -> None:
    found = view("multipart", b"--x\r\n\r\nhalf", MULTIPART)
    assert found.parts[0].text == "half"
    assert found.notice is not None
    assert "closing boundary is missing" in found.notice


def test_a_boundary_inside_a_line_or_with_more_behind_it_is_content() -> None:
    content = b"a --x\r\n--xy\r\n --x--"
    (part,) = view("multipart", b"--x\r\n\r\n" + content + b"\r\n--x--", MULTIPART).parts
    assert part.text == content.decode()


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('form-data; name="a"; filename="x.txt"', "x.txt"),
        ("form-data; name=a; filename=x.txt", "x.txt"),
        ('form-data; name="a"; filename="a;b=\\"c\\".txt"', 'a;b="c".txt'),
        ('form-data; name="a"; filename="C:\\dir\\x.txt"', "C:\\dir\\x.txt"),
        ("form-data; name=\"a\"; filename*=UTF-8''%e2%82%ac.txt", "€.txt"),
        ("form-data; name=\"a\"; filename*=zip''%e2.txt", None),
        ('form-data; name="a"', None),
    ],
)
def test_the_file_name_of_a_part_is_read_as_it_was_meant(disposition: str, filename: str | None) -> None:
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\n1\r\n--x--".encode()
    (part,) = view("multipart", body, MULTIPART).parts
    assert (part.name, part.filename) == ("a", filename)


def test_multipart_without_a_boundary_is_text() -> None:
    assert names(b"--x\r\n\r\n1\r\n--x--", "multipart/form-data") == ["text", "hex"]
    assert names(b"no parts at all", MULTIPART) == ["text", "hex"]


def test_parameters_of_a_header_are_read_once() -> None:
    assert parameters('a/b; Charset="x"; charset=y; q = 1; z=') == {"charset": "x", "z": ""}


# XML


def test_xml_is_indented_and_an_element_with_text_alone_stays_on_a_line() -> None:
    found = view(
        "xml", b"<?xml version='1.0'?><a x='>'><b>one</b>  <c/><d><e/></d><!-- <f> --><![CDATA[<g>]]></a>", "a/b+xml"
    )
    assert found.text == (
        "<?xml version='1.0'?>\n<a x='>'>\n  <b>one</b>\n  <c/>\n  <d>\n    <e/>\n  </d>\n"
        "  <!-- <f> -->\n  <![CDATA[<g>]]>\n</a>"
    )
    assert found.notice is None


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b SYSTEM "file:///etc/passwd">]><l>&a;&b;</l>'


def test_entities_are_shown_and_never_resolved() -> None:
    found = view("xml", LAUGHS, "text/xml")
    assert found.text is not None
    assert found.text.endswith("<l>&a;&b;</l>")
    assert found.notice is not None
    assert "not resolved" in found.notice


@pytest.mark.parametrize(
    ("body", "what"),
    [(b"<a><b></a>", "</a> closes <b>"), (b"<a></a></b>", "</b> closes nothing"), (b"<a><b></b>", "<a> is not closed")],
)
def test_xml_that_is_not_well_formed_is_said_to_be_so(body: bytes, what: str) -> None:
    notice = view("xml", body, "text/xml").notice
    assert notice is not None
    assert f"Not well-formed: {what}." in notice


# Images


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


IMAGES = {
    "image/png": png(3, 2),
    "image/gif": b"GIF89a" + struct.pack("<HH", 3, 2) + b"\0",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x11\x08" + struct.pack(">HH", 2, 3) + b"\x03",
    "image/webp": b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x02\0\0\x01\0\0",
}
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\x0a\0\0\0\x2f" + struct.pack("<I", 2 | 1 << 14) + b"\0" * 5
LOSSY = b"RIFF\0\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 3, 2)


@pytest.mark.parametrize(("kind", "body"), [*IMAGES.items(), ("image/webp", LOSSLESS), ("image/webp", LOSSY)])
def test_an_image_is_known_by_its_first_bytes(kind: str, body: bytes) -> None:
    image = describe(body)
    assert image is not None
    assert (image.media_type, image.width, image.height, image.drawable) == (kind, 3, 2, True)
    assert names(body, "text/html")[0] == "image"


def test_an_image_that_claims_too_many_pixels_or_no_size_is_not_drawn() -> None:
    for body in (png(100_000, 100_000), png(0, 5), b"\xff\xd8\xff\xe0\0", b"RIFF\0\0\0\0WEBP"):
        found = view("image", body)
        assert found.image is not None
        assert not found.image.drawable
        assert found.notice is not None


def test_svg_and_html_are_source() -> None:
    assert names(b"<svg onload='x'/>", "image/svg+xml") == ["xml", "text", "hex"]
    assert names(b"<!DOCTYPE html><p>") == ["html", "text", "hex"]
    assert view("html", b"<p>x", "text/html").text == "<p>x"


# Tokens


def token(header: Any, payload: Any, signature: str = "c2ln") -> str:
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (header, payload))
    return ".".join((*encoded, signature))


def test_a_token_is_decoded_wherever_it_stands_and_marked_as_not_verified() -> None:
    one = token({"alg": "RS256"}, {"sub": "1", "exp": 1_764_003_600})
    bodies = ((one, "application/jwt"), (f'{{"id_token":"{one}"}}', "application/json"), (f"id_token={one}&a=1", FORM))
    for body, content_type in bodies:
        found = view("jwt", body.encode(), content_type)
        assert found.notice is not None
        assert "not verified" in found.notice
        (decoded,) = found.tokens
        assert decoded.header == '{\n  "alg": "RS256"\n}'
        assert decoded.payload == '{\n  "sub": "1",\n  "exp": 1764003600\n}'
        assert decoded.notes == ["expires 2025-11-24T17:00:00Z"]
    assert names(one.encode())[0] == "jwt"


def test_a_bearer_token_is_decoded_even_without_a_body() -> None:
    one = token({"alg": "none"}, {"a": 1}, "")
    (found,) = seen(b"", authorization=f"Bearer {one}").data
    assert found.tokens[0].where == "header authorization"
    assert found.tokens[0].notes == ["it carries no signature"]


def test_what_only_looks_like_a_token_is_none() -> None:
    assert "jwt" not in names(b"eyJub3Qg.anNvbg.sig")
    assert "jwt" not in names(b"eyJhIjoxfQ.eyJhIjoxfQ")


# Protobuf


def test_protobuf_shows_numbers_types_lengths_and_what_nests() -> None:
    body = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\xff\x01\x22\x02\xff\xfe\x25\x00\x00\x80\x3f\x29" + struct.pack(
        "<d", 1.5
    )
    found = view("protobuf", body, "application/x-protobuf")
    assert found.text is not None
    assert found.text.split("\n") == [
        "1: varint 150",
        '2: length-delimited, 7 B: "testing"',
        "3: length-delimited, 3 B: message {",
        "  1: varint 255",
        "}",
        "4: length-delimited, 2 B: ff fe",
        "4: 32-bit 1065353216 (1.0 as float)",
        "5: 64-bit 4609434218613702656 (1.5 as double)",
    ]


def test_broken_protobuf_is_shown_up_to_where_it_breaks() -> None:
    found = view("protobuf", b"\x08\x01\x12\x7fab", "application/protobuf")
    assert found.text == "1: varint 1"
    assert found.notice is not None
    assert "Broken: the field at byte 2 goes 125 bytes past the end." in found.notice


def test_undeclared_bytes_that_fit_may_be_protobuf() -> None:
    assert names(b"\x08\x96\x01\x12\x02\xff\xfe") == ["hex", "protobuf"]
    assert names(b"\x00\xff\xff") == ["hex"]


# Text


def test_bytes_that_are_no_text_are_hex_alone() -> None:
    assert names(b"\x80\x81\xfe\xff") == ["hex"]
    assert names(b"a\0b", "text/plain") == ["hex"]
    assert view("hex", b"0123456789abcdef\xff").text == (
        f"00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  0123456789abcdef\n00000010  ff{' ' * 48}."
    )


# Compression


BODY = b'{"a": 1}' * 3
PACKED = {
    "x-gzip": ("X-GZIP", gzip.compress(BODY)),
    "gzip and garbage": ("gzip", gzip.compress(BODY) + b"garbage"),
    "two": ("gzip, br", brotli.compress(gzip.compress(BODY))),
    "identity": ("identity, gzip", gzip.compress(BODY)),
    "undeclared gzip": ("", gzip.compress(BODY)),
    "undeclared zstd": ("", zstandard.compress(BODY)),
}


@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_body_is_unpacked(name: str) -> None:
    encoding, packed = PACKED[name]
    assert view("text", packed, content_encoding=encoding).text == BODY.decode()
    views = seen(packed, content_encoding=encoding)
    assert views.data[-1].name == "sent"
    assert views.encodings


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_is_not_compressed_as_it_says_is_shown_as_it_came(encoding: str) -> None:
    found = view("text", b"\x0bplain text", content_encoding=encoding)
    assert found.text == "\x0bplain text"
    assert found.notice is not None
    assert f"It is said to be {encoding}, but is not" in found.notice


def test_compression_is_undone_three_times_and_no_more() -> None:
    packed = BODY
    for _ in range(limits.LAYERS + 1):
        packed = gzip.compress(packed)
    views = seen(packed)
    assert views.encodings == ["gzip"] * limits.LAYERS
    assert views.data[0].notice is not None
    assert "more than 3 times" in views.data[0].notice


def test_an_unknown_encoding_is_said() -> None:
    assert view("text", b"x", content_encoding="lzma").notice == "The content encoding 'lzma' is not known here."


# File names


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\x.exe", "x.exe"),
        ('a"; x="b.txt', "a_; x=_b.txt"),
        ("a\r\nSet-Cookie: x=1", "a__Set-Cookie_ x=1"),
        ("<script>.html", "_script_.html"),
        ("gpj.\u202eexe", "gpj._exe"),
        ("...", "file"),
        ("", "file"),
        ("é" * 200 + ".txt", "é" * 96 + ".txt"),
    ],
)
def test_a_file_name_is_made_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_a_name_in_a_header_is_ascii_and_quoted_or_encoded() -> None:
    assert disposition("a.txt") == 'attachment; filename="a.txt"'
    assert disposition("é 1.txt") == "attachment; filename=\"__1.txt\"; filename*=UTF-8''%C3%A9%201.txt"
