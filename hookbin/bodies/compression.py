"""Compressed bodies undone: gzip, deflate, Brotli and Zstandard, up to a size, a depth and a time."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator

import brotli
import zstandard
from msgspec import Struct

from hookbin.bodies import limits

_STEP = 64 * 1024
"""Bytes asked of a decompressor at a time."""
_WINDOW = 8 * 1024 * 1024
"""Memory that Zstandard may take: what RFC 9659 lets a content coding ask for."""


class Unpacked(Struct, frozen=True, kw_only=True):
    """What came out. `encodings` were undone, in that order; `cut` when there is more, or the end is missing."""

    body: bytes
    encodings: tuple[str, ...] = ()
    cut: bool = False
    notice: str | None = None


def unpack(body: bytes, content_encoding: str, *, out_of_time: Callable[[], bool]) -> Unpacked:
    """Undo what `Content-Encoding` lists, then what the first bytes show, at most `limits.LAYERS` in all."""
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
        layer = _one(body, _CODINGS[name], out_of_time)
        if not layer.body and body:
            if said:
                notices.append(f"It is said to be {name}, but is not: {layer.notice or 'nothing came out'}.")
            break
        done.append(name)
        body, cut = layer.body, cut or layer.cut
        if layer.notice:
            notices.append(f"{name}: {layer.notice}.")
    else:
        if listed or _shown(body):
            notices.append(f"Compressed more than {limits.LAYERS} times; the rest was left as it is.")
    return Unpacked(body=body, encodings=tuple(done), cut=cut, notice=" ".join(notices) or None)


def _one(body: bytes, pieces: Callable[[bytes], Iterator[bytes]], out_of_time: Callable[[], bool]) -> Unpacked:
    """One layer, or as much of it as the limits and its errors allow."""
    whole = bytearray()
    try:
        for piece in pieces(body):
            whole += piece
            if len(whole) >= limits.PACKED:
                return Unpacked(
                    body=bytes(whole[: limits.PACKED]),
                    cut=True,
                    notice=f"only the first {_mib(limits.PACKED)} were unpacked",
                )
            if out_of_time():
                return Unpacked(body=bytes(whole), cut=True, notice="unpacking took too long and was stopped")
    except (zlib.error, brotli.error, zstandard.ZstdError, EOFError) as error:
        return Unpacked(body=bytes(whole), cut=True, notice=f"broken after {len(whole):,} bytes ({str(error)[:100]})")
    return Unpacked(body=bytes(whole))


def _mib(size: int) -> str:
    return f"{size // 1024 // 1024} MiB"


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
        while waiting:
            yield decompressor.decompress(waiting, _STEP)
            waiting = decompressor.unconsumed_tail
        if decompressor.eof:
            return end - len(decompressor.unused_data)
    raise EOFError("its end is missing")


def _brotli(body: bytes) -> Iterator[bytes]:
    decompressor = brotli.Decompressor()
    for start in range(0, len(body), _STEP):
        yield decompressor.process(body[start : start + _STEP], output_buffer_limit=_STEP)
        while not decompressor.can_accept_more_data():
            yield decompressor.process(b"", output_buffer_limit=_STEP)
        if decompressor.is_finished():
            return
    raise EOFError("its end is missing")


def _zstd(body: bytes) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(body, read_across_frames=True)
    while piece := reader.read(_STEP):
        yield piece


_CODINGS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
