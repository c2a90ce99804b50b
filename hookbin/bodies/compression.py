"""Compressed bodies undone: gzip, deflate, Brotli and Zstandard, up to a size, a depth and a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator

import brotli
import zstandard
from msgspec import Struct

from hookbin.bodies import limits
from hookbin.text import size_text

_STEP = 64 * 1024
"""Bytes asked of a decompressor at a time."""
_RUN = 1
"""The type of a block of Zstandard that repeats one byte."""
_WINDOW = 8 * 1024 * 1024
"""Memory that Zstandard may take: what RFC 9659 lets a content coding ask for."""


class Unpacked(Struct, frozen=True, kw_only=True):
    """What came out. `encodings` were undone, in that order; `cut` when there is more, or the end is missing."""

    body: bytes
    encodings: tuple[str, ...] = ()
    cut: bool = False
    notice: str | None = None


class _Layer(Struct, frozen=True):
    """What came out of one compression, and why that is not all."""

    body: bytes
    notice: str | None = None
    lacks_its_end: bool = False


def unpack(
    body: bytes, content_encoding: str, *, out_of_time: Callable[[], bool], most: int = limits.PACKED
) -> Unpacked:
    """Undo what `Content-Encoding` lists, then what the first bytes show, at most `limits.LAYERS` in all.

    No layer comes to more than `most` bytes.
    """
    listed = [name.strip().lower() for name in content_encoding.split(",") if name.strip()]
    done: list[str] = []
    notices: list[str] = []
    cut = False
    while len(done) < limits.LAYERS:
        said = listed.pop() if listed else None
        name = said or _shown(body)
        if name is None:
            break
        if name == "identity":
            continue
        if name not in _CODINGS:
            notices.append(f"The content encoding {name[:40]!r} is not known here.")
            break
        begins = _shown(body) == name.removeprefix("x-")
        layer = _one(body, _CODINGS[name], out_of_time, most)
        if body and not layer.body and layer.notice and not (begins and layer.lacks_its_end):
            if said:
                notices.append(f"It is said to be {name}, but is not: {layer.notice}.")
            break
        done.append(name)
        body, cut = layer.body, cut or layer.notice is not None
        if layer.notice:
            notices.append(f"{name}: {layer.notice}.")
    else:
        if listed or _shown(body):
            notices.append(f"Compressed more than {limits.LAYERS} times; the rest was left as it is.")
    return Unpacked(body=body, encodings=tuple(done), cut=cut, notice=" ".join(notices) or None)


def _one(body: bytes, pieces: Callable[[bytes], Iterator[bytes]], out_of_time: Callable[[], bool], most: int) -> _Layer:
    """One layer, or as much of it as the limits and its errors allow."""
    whole = bytearray()
    try:
        for piece in pieces(body):
            whole += piece
            if len(whole) > most:
                return _Layer(bytes(whole[:most]), f"only the first {size_text(most)} were unpacked")
            if out_of_time():
                return _Layer(bytes(whole), "unpacking took too long and was stopped")
    except EOFError:
        return _Layer(bytes(whole), "its end is missing", lacks_its_end=True)
    except (zlib.error, brotli.error, zstandard.ZstdError) as error:
        return _Layer(bytes(whole), f"broken after {len(whole):,} bytes ({str(error)[:100]})")
    return _Layer(bytes(whole))


def _shown(body: bytes) -> str | None:
    """The compression that the first bytes give away. Brotli and deflate have no mark."""
    if body.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    return "zstd" if body.startswith(b"\x28\xb5\x2f\xfd") else None


def _gzip(body: bytes) -> Iterator[bytes]:
    """All members of it (RFC 1952, 2.2); what follows the last one is no concern of ours."""
    start = 0
    while start == 0 or body.startswith(b"\x1f\x8b", start):
        start = yield from _inflated(zlib.decompressobj(zlib.MAX_WBITS | 16), body, start)


def _deflate(body: bytes) -> Iterator[bytes]:
    """With the zlib wrapper (RFC 9110, 8.4.1.2), or bare, as some senders do."""
    wrapped = len(body) >= 2 and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    yield from _inflated(zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS), body, 0)


def _inflated(decompressor: zlib._Decompress, body: bytes, start: int) -> Generator[bytes, None, int]:
    """What comes out of `body` from `start`; returns where it ended."""
    for place in range(start, len(body), _STEP):
        waiting = body[place : place + _STEP]
        end = place + len(waiting)
        while (piece := decompressor.decompress(waiting, _STEP)) or waiting:
            yield piece
            waiting = b"" if decompressor.eof else decompressor.unconsumed_tail
        if decompressor.eof:
            return end - len(decompressor.unused_data)
    raise EOFError


def _brotli(body: bytes) -> Iterator[bytes]:
    decompressor = brotli.Decompressor()
    for start in range(0, len(body), _STEP):
        waiting = body[start : start + _STEP]
        while piece := decompressor.process(waiting, output_buffer_limit=_STEP):
            yield piece
            waiting = b""
        if decompressor.is_finished():
            return
    raise EOFError


def _zstd(body: bytes) -> Iterator[bytes]:
    """All frames of it. The library ends without a word where the last one lacks its end."""
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(body, read_across_frames=True)
    while piece := reader.read(_STEP):
        yield piece
    place = 0
    while place < len(body):
        place = _end_of_frame(body, place)


def _end_of_frame(body: bytes, start: int) -> int:
    """Where a frame of Zstandard ends (RFC 8878, 3.1). Raises `EOFError` when that is behind the body."""
    if start + 8 <= len(body) and 0x184D2A50 <= _little(body, start, 4) <= 0x184D2A5F:  # a frame to be skipped
        return _within(body, start + 8 + _little(body, start + 4, 4))
    descriptor = body[_within(body, start + 5) - 1]
    is_single = descriptor >> 5 & 1
    place = start + 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3] + (is_single, 2, 4, 8)[descriptor >> 6]
    is_last = 0
    while not is_last:
        block = _little(body, _within(body, place + 3) - 3, 3)
        is_last, kind = block & 1, block >> 1 & 3
        place = _within(body, place + 3 + (1 if kind == _RUN else block >> 3))
    return _within(body, place + 4 * (descriptor >> 2 & 1))


def _within(body: bytes, place: int) -> int:
    if place > len(body):
        raise EOFError
    return place


def _little(body: bytes, start: int, size: int) -> int:
    return int.from_bytes(body[start : start + size], "little")


_CODINGS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
