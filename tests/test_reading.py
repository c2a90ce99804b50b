"""The one reading of a body: unpacked, in its charset, as fields and as JSON, and what is said of a guess."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbin.bodies import limits
from hookbin.bodies.json_values import NOTHING, read_json
from tests.views_helpers import read, seen, view

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data; boundary=xYzZY"


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """`name` may go on with other parameters, and with lines."""
    pieces = [
        b'--xYzZY\r\nContent-Disposition: form-data; name="%b\r\n\r\n%b\r\n'
        % (name.encode("latin-1") + (b'"' if '"' not in name else b""), value)
        for name, value in parts
    ]
    return b"".join(pieces) + b"--xYzZY--\r\n"


@pytest.mark.parametrize(
    ("body", "content_type", "text", "notice"),
    [
        ('{"a": "ж"}'.encode("utf-16-le"), JSON, '{"a": "ж"}', "Read as utf-16-le: a guess."),
        ('{"a": "ж"}'.encode("utf-16-be"), "", '{"a": "ж"}', "Read as utf-16-be: a guess."),
        ('{"a": 1}'.encode("utf-32-be"), JSON, '{"a": 1}', "Read as utf-32-be: a guess."),
        ('{"a": 1}'.encode("utf-32"), JSON, '{"a": 1}', "Read as utf-32-le."),
        ('{"a": 1}'.encode("utf-16-be"), f"{JSON}; charset=utf-16", '{"a": 1}', "Read as utf-16-be: a guess."),
        ("<?xml version='1.0' encoding='koi8-r'?><a>Иван</a>".encode("koi8-r"), "text/xml",
         "<?xml version='1.0' encoding='koi8-r'?><a>Иван</a>", "Read as koi8-r."),
        ('<p><META charset="windows-1251">Иван'.encode("cp1251"), "text/html",
         '<p><META charset="windows-1251">Иван', "Read as windows-1251."),
        ("日本".encode("shift_jis"), 'text/plain; charset="Shift_JIS"', "日本", "Read as shift_jis."),
        (b"na\xefve", "text/plain", "naïve",
         "It is not UTF-8 and names no other character set. Read as windows-1252: a guess."),
        (b"\xe9", "text/plain; charset=utf-8", "é",
         "The charset 'utf-8' could not be used. Read as windows-1252: a guess."),
        (b"plain", "text/plain; charset=zip", "plain", "The charset 'zip' could not be used. Read as UTF-8."),
        (b"<meta charset=utf-16>\xc3\xa9", "text/html", "<meta charset=utf-16>é", None),
        ("é".encode(), 'text/plain; charset="utf-8 "', "é", None),
        ("é".encode(), "text/plain; charset='utf-8'", "é", None),
        (b"\x80 5\x81", "text/plain; charset=windows-1252", "€ 5\x81", "Read as windows-1252."),
        (b"\x80 5", "text/plain; charset=latin1", "€ 5", "Read as iso8859-1."),
        (b"+AOk-", "text/plain; charset=utf-7", "+AOk-", "The charset 'utf-7' could not be used. Read as UTF-8."),
        (b"\xc8\x89", "text/plain; charset=IBM037", "ȉ", "The charset 'IBM037' could not be used. Read as UTF-8."),
    ],
)  # fmt: skip
def test_text_is_in_the_charset_that_something_names(
    body: bytes, content_type: str, text: str, notice: str | None
) -> None:
    found = view("text", body, content_type)
    assert (found.text, found.notice) == (text, notice)


@pytest.mark.parametrize(
    ("body", "content_type", "value", "notice"),
    [
        (b"n=J%F6rg&charset=windows-1252", FORM, "Jörg", "Read as windows-1252."),
        (b"n=J%F6rg&_charset_=iso-8859-1", FORM, "Jörg", "Read as iso8859-1."),
        (b"charset=KOI8_R&n=%E9%D7%C1%CE", FORM, "Иван", "Read as koi8-r."),
        (b"n=%C3%A9&charset=basic", FORM, "é", None),
        (b"n=J%F6rg", FORM, "Jörg", "nothing usable names its charset. Read as windows-1252: a guess."),
        (b"n=J\xf6rg", FORM, "Jörg", "Read as windows-1252: a guess."),
        (b"n=%F6", f"{FORM}; charset=utf-8", "ö", "Not all of it is utf-8. Read as windows-1252: a guess."),
        (b"n=%C3%B6", f"{FORM}; charset=cp037", "ö", "The charset 'cp037' could not be used."),
        (multipart(("_charset_", b"windows-1251"), ("n", "Иван".encode("cp1251"))), MULTIPART, "Иван", "windows-1251"),
        (multipart(("n", b"Gr\xfc\xdfe"), ("charsets", b'{"n":"iso-8859-1"}')), MULTIPART, "Grüße", "iso8859-1"),
        (multipart(('n"\r\nContent-Type: text/plain; charset=koi8-r', b"\xc9")), MULTIPART, "и", "Read as koi8-r."),
        (multipart(("n", b"Gr\xfc\xdfe")), MULTIPART, "Grüße", "Part 1: It is not UTF-8"),
        (multipart(("n", "Grüße".encode()), ("_charset_", b"no such")), MULTIPART, "Grüße", None),
    ],
)  # fmt: skip
def test_fields_are_in_the_charset_that_something_names(
    body: bytes, content_type: str, value: str, notice: str | None
) -> None:
    reading = read(body, content_type)
    assert dict(reading.fields)["n"] == value
    shown = view("multipart" if reading.multipart else "form", body, content_type)
    assert [field.value for field in shown.fields if field.name == "n"] in ([], [value])
    assert [part.text for part in shown.parts if part.name == "n"] in ([], [value])
    assert (shown.notice is None) if notice is None else (notice in (shown.notice or ""))


def test_the_name_of_a_file_is_read_in_its_charset() -> None:
    body = multipart(("f\"; filename*=iso-8859-5''%b8%d2%d0%dd.txt", b"x"), ('f"; filename="J\xc3\xb6rg.txt"', b"x"))
    assert [part.filename for part in view("multipart", body, MULTIPART).parts] == ["Иван.txt", "Jörg.txt"]


# Compression


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


LONG = json.dumps(list(range(60_000))).encode()
SKIPPED = b"\x50\x2a\x4d\x18\x02\0\0\0hi"
PACKERS: dict[str, Any] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate, bare": raw_deflate,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "zstd, checked": zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress,
    "zstd, two frames": lambda body: zstandard.compress(body) + SKIPPED + zstandard.compress(b" "),
    "gzip, two members": lambda body: gzip.compress(body) + gzip.compress(b""),
}


@pytest.mark.parametrize("name", PACKERS)
def test_a_frame_without_its_end_is_said_to_lack_it(name: str) -> None:
    packed = PACKERS[name](LONG)
    encoding = name.partition(",")[0]
    whole = read(packed, seconds=20, content_encoding=encoding).unpacked
    assert (whole.body.strip(), whole.cut, whole.notice) == (LONG, False, None)
    for end in (len(packed) - 1, len(packed) - 5, len(packed) // 2):
        found = read(packed[:end], seconds=20, content_encoding=encoding).unpacked
        assert LONG.startswith(found.body.strip())
        assert (found.cut, found.notice) == (True, f"{encoding}: its end is missing."), end


@pytest.mark.parametrize("name", PACKERS)
def test_nothing_can_be_compressed_too(name: str) -> None:
    encoding = name.partition(",")[0]
    found = seen(PACKERS[name](b""), content_encoding=encoding)
    assert (found.encodings, found.decoded_size - found.decoded_size % 2) == ([encoding], 0)
    if not found.decoded_size:
        assert [one.name for one in found.data] == ["sent"]
        assert "bytes became 0." in (found.data[0].notice or "")


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_any_bytes_said_to_be_compressed_are_read(body: bytes, encoding: str) -> None:
    for content in (body, PACKERS[encoding](body), PACKERS[encoding](body)[:-1], b"\x28\xb5\x2f\xfd" + body):
        assert seen(content, content_encoding=encoding).data or not content


def test_a_bomb_comes_to_no_more_than_its_bound() -> None:
    bomb = gzip.compress(gzip.compress(bytes(100 * 1024 * 1024)))
    reading = read(bomb, JSON, seconds=20)
    assert (len(reading.body), reading.cut, reading.json) == (limits.PACKED, True, NOTHING)


# JSON


@pytest.mark.parametrize(
    ("body", "content_type", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', JSON, {"a": 1}),
        ('{"a": 1}'.encode("utf-16"), JSON, {"a": 1}),
        (b'{"a": "J\xf6rg"}', f"{JSON}; charset=iso-8859-1", {"a": "Jörg"}),
        (gzip.compress(gzip.compress(b'{"a": 1}', mtime=0), mtime=0), JSON, {"a": 1}),
        (rb'{"a": "cut \ud83d"}', JSON, {"a": "cut \ud83d"}),
        (b'{"a": 1e400, "b": -1.5e999999999}', JSON, {"a": 10**400, "b": float("-inf")}),
        (b'{"a": %b}' % (b"1" * 5_000), JSON, {"a": float("inf")}),
        (b'{"a": 1, "a": 2, "": 3}', JSON, {"a": 2, "": 3}),
        (b'{"a": 1}\n\n{"a": 2}\r\n', "application/x-ndjson", [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}\n{"a": 2}\nbroken\n', "", [{"a": 1}, {"a": 2}]),
        (b"payload=%7B%22a%22%3A1%7D&b=2&payload=[]", FORM, {"payload": {"a": 1}}),
        (multipart(("payload", b'{"a": 1}'), ("thumb", b"\xff\xd8")), MULTIPART, {"payload": {"a": 1}}),
        (b"NaN", JSON, NOTHING),
        (b'{"a": 1,}', JSON, NOTHING),
        (b"", JSON, NOTHING),
        (b"\xff\xff", JSON, NOTHING),
        (b'{"a": 1}' + b" " * limits.LOOKED_AT, JSON, NOTHING),
    ],
)
def test_json_is_read_as_the_page_shows_it(body: bytes, content_type: str, value: Any) -> None:
    assert read(body, content_type).json == value


def test_json_of_which_the_end_is_missing_is_none() -> None:
    assert read(b"7", JSON, cut=True).json is NOTHING


@pytest.mark.parametrize("deep", [1_100, 4_000])
def test_of_json_nested_deeply_the_outer_levels_are_read(deep: int) -> None:
    value = read_json('{"a": ' + '[{"b": ' * deep + '"x"' + "}]" * deep + ', "type": "paid"}')
    assert value["type"] == "paid"
    inner, levels = value["a"], 1
    while inner:
        inner, levels = inner[0] if isinstance(inner, list) else inner["b"], levels + 1
    assert levels == limits.LEVELS


@pytest.mark.parametrize("text", ["[" * 2_000, "[" * 30_000 + "]" * 30_000, "[" * 2_000 + "]" * 1_999 + "}"])
def test_deep_json_that_is_broken_or_too_long_is_none(text: str) -> None:
    assert read_json(text) is NOTHING


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_what_every_parser_reads(value: Any) -> None:
    assert read_json(json.dumps(value)) == value
