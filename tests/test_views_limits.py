"""Whatever a body is, no view of it raises, and each keeps within its limits of size and time."""

from __future__ import annotations

import gzip
import os
import time
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbin.bodies import limits
from hookbin.bodies.budget import Budget
from hookbin.bodies.views import registry
from hookbin.web.html.coloring import colored
from tests.views_helpers import read

MIB = 1024 * 1024
TYPES = (
    None,
    "application/json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/xml",
    "text/html",
    "application/x-protobuf",
    "text/plain; charset=shift_jis",
    "text/plain; charset=zip",
    "image/png",
)
ENCODINGS = ("", "gzip", "br", "deflate", "zstd", "gzip, br", "nonsense", "gzip,gzip,gzip,gzip")
PIECES = (
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\u00", b"1e", b"<", b">", b"</a>", b"<a b='", b"<!--", b"<![CDATA["),
    *(
        b"<!DOCTYPE a [",
        b"&",
        b"=",
        b"%",
        b"%41",
        b"--x",
        b"--x--",
        b"\r\n",
        b"\n\n",
        b"Content-Disposition: form-data;",
    ),
    *(b' name="', b"eyJhbGciOiJub25lIn0", b".", b"\x0a\x02", b"\x08\xff", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"),
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"WEBP", b"GIF89a", b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b"\xe9"),
)
BODIES = st.binary(max_size=300) | st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


@settings(deadline=None, max_examples=400)
@given(body=BODIES, content_type=st.sampled_from(TYPES), encoding=st.sampled_from(ENCODINGS), cut=st.booleans())
def test_any_bytes_in_any_view_never_raise(body: bytes, content_type: str | None, encoding: str, cut: bool) -> None:
    one = read(body, content_type, cut=cut, content_encoding=encoding)
    views = registry.every(one)
    assert bool(views.data) >= bool(body)
    for view in views.data:
        assert len(view.text or "") <= limits.SHOWN
        colored(view.text or "", view.language, one.budget)
    for kind in registry.KINDS:
        kind.make(one)  # even where it does not apply


def bomb(size: int) -> bytes:
    """Gzip of so many zeros, which lacks its end: made of one mebibyte that is repeated, compressed."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    first, again = (pack.compress(bytes(MIB)) + pack.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * (size // MIB - 1)


def multipart(count: int) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nvalue\r\n'
    return part * count + b"--x--\r\n"


GZIP_BOMB = bomb(400 * MIB)
HUGE = {
    "gzip bomb": (GZIP_BOMB, "application/json", "gzip"),
    "gzip bomb inside gzip": (gzip.compress(GZIP_BOMB), None, ""),
    "a million empty gzip members": (gzip.compress(b"") * 400_000, None, ""),
    "brotli bomb": (brotli.compress(bytes(64 * MIB), quality=3), None, "br"),
    "zstandard bomb": (zstandard.compress(bytes(64 * MIB)), None, "zstd"),
    "100,000 levels": (b"[" * 100_000 + b"]" * 100_000, "application/json", ""),
    "five million levels": (b'{"a":' * 2 * MIB, "application/json", ""),
    "one line of JSON": (b"[" + b'{"id":12345,"name":"abc"},' * 400_000 + b"1]", "application/json", ""),
    "one string": (b'"' + b"a" * 10 * MIB + b'"', "application/json", ""),
    "JSON lines": (b'{"a":1}\n' * MIB, "application/x-ndjson", ""),
    "blank lines": (b"\n" * 10 * MIB, "application/x-ndjson", ""),
    "10,000 parts": (multipart(10_000), "multipart/form-data; boundary=x", ""),
    "boundaries that are none": (b"--xy" * 2 * MIB, "multipart/form-data; boundary=x", ""),
    "form fields": (b"a=b&" * (5 * MIB // 2), "application/x-www-form-urlencoded", ""),
    "ampersands": (b"&" * 10 * MIB, "application/x-www-form-urlencoded", ""),
    "one form field": (b"a=" + b"%41" * 3 * MIB, "application/x-www-form-urlencoded", ""),
    "JSON in a form field": (b"payload=" + b"[1," * MIB, "application/x-www-form-urlencoded", ""),
    "XML tags": (b"<a>" * 3 * MIB, "text/xml", ""),
    "XML quotes": (b"<\"'<'\"<" * MIB, "text/xml", ""),
    "XML declarations": (b"<!A[>" * MIB, "text/xml", ""),
    "comments that do not end": (b"<!--\n" * MIB, "text/html", ""),
    "scripts that do not end": (b"<script>\n" * MIB, "text/html", ""),
    "CDATA that does not end": (b"<![CDATA[\n" * MIB, "text/xml", ""),
    "protobuf garbage": (os.urandom(10 * MIB), "application/x-protobuf", ""),
    "protobuf fields": (b"\x08\x01" * 5 * MIB, "application/x-protobuf", ""),
    "nested protobuf": (b"\x0a\x80\x80\x40" * 2 * MIB, "application/x-protobuf", ""),
    "beginnings of tokens": (b"eyJ" * 3 * MIB, "text/plain", ""),
    "tokens": (b"eyJhIjoxfQ.eyJhIjoxfQ.a " * 400_000, "text/plain", ""),
    "control characters": (b"\x01" * 10 * MIB, "text/plain", ""),
    "a slow codec": (b"a-" * 5 * MIB, "text/plain; charset=punycode", ""),
}


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_body_is_seen_in_bounded_time_with_a_notice(name: str) -> None:
    body, content_type, encoding = HUGE[name]
    one = read(body, content_type, content_encoding=encoding)
    began = time.process_time()
    views = registry.every(one)
    best = views.data[0]
    markup = colored(best.text or "", best.language, Budget(time.monotonic))
    took = time.process_time() - began
    assert took < 1.0
    assert views.decoded_size <= max(limits.PACKED, len(body))
    assert best.notice or best.broken
    assert len(markup) < 3 * MIB
    for view in views.data:
        told = sum(len(field.value) + len(field.json or "") for field in view.fields)
        told += sum(len(part.text or "") for part in view.parts)
        assert len(view.text or "") + told <= limits.SHOWN + limits.PART_TEXT
        assert len(view.fields) <= limits.FIELDS
        assert len(view.parts) <= limits.PARTS


def test_nesting_is_counted_and_said() -> None:
    (view, *_) = registry.every(read(b"[" * 100_000 + b"]" * 100_000, "application/json", seconds=20)).data
    assert view.notice is not None
    assert "Nested 100,000 levels deep." in view.notice
    assert view.broken is None


def test_views_end_with_what_they_have_when_time_is_up() -> None:
    for body, content_type, encoding in (*HUGE.values(), (b'{"a":1}', "application/json", "")):
        views = registry.every(read(body, content_type, content_encoding=encoding, seconds=0))
        assert views.data
