"""What is wrong with bytes that are no HTTP, in words that a person who writes a sender can act on.

Only called when a message was refused already: the parser says that, this says where and why. Nothing here decides
what is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from hookbin.http_fields import TCHAR

_NOT_TOKEN = re.compile(rb"(?!" + TCHAR.encode("ascii") + rb")[\x00-\xff]")
_NOT_VISIBLE = re.compile(rb"[^\x21-\x7e]")
_NOT_IN_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_VERSION = re.compile(rb"HTTP/\d\.\d")
_LINE = re.compile(rb"[^\n]*\n?")
_TLS_HANDSHAKE = b"\x16\x03"


class Fault(Struct, frozen=True):
    """Why a message was refused, and at which of its bytes."""

    reason: str
    offset: int


def find_fault(message: bytes, *, otherwise: str) -> Fault:
    """The first fault in a head, whole or not; `otherwise` is what the parser said, for what is not found here."""
    if message.startswith(_TLS_HANDSHAKE):
        return Fault("line 1: this is a TLS handshake; the server speaks plain HTTP here, so use http:// in the URL", 0)
    pairs: list[tuple[int, int, bytes, bytes]] = []
    for number, offset, line in _lines(message):
        if number > 1 and line in (b"\r\n", b"\r", b""):
            break
        fault = _in_line_end(line) or (_in_request_line if number == 1 else _in_field)(line.rstrip(b"\r\n"))
        if fault is not None:
            return Fault(f"line {number}: {fault.reason}", offset + fault.offset)
        name, _, value = line.partition(b":")
        pairs.append((number, offset, name.lower(), value.strip()))
    return _in_framing(pairs[1:]) or Fault(otherwise, len(message))


def _lines(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each line with its number, where it begins, and its end."""
    for number, match in enumerate(_LINE.finditer(message), start=1):
        yield number, match.start(), match.group()


def _in_line_end(line: bytes) -> Fault | None:
    if line.endswith(b"\n") and not line.endswith(b"\r\n"):
        return Fault("the line ends in LF alone; a line of HTTP ends in CR LF", len(line) - 1)
    return None


def _in_request_line(line: bytes) -> Fault | None:
    method, blank, rest = line.partition(b" ")
    if (wrong := _NOT_TOKEN.search(method)) is not None:
        return Fault(f"the method has {_named(wrong.group())}, which no method can have", wrong.start())
    if not method:
        return Fault("the request line begins with a blank instead of a method", 0)
    target, _, version = rest.rpartition(b" ")
    if not blank or not target:
        return Fault("the request line is not METHOD TARGET HTTP/1.1", len(line))
    if (wrong := _NOT_VISIBLE.search(target)) is not None:
        escaped = f"%{wrong.group()[0]:02X}"
        place = len(method) + 1 + wrong.start()
        return Fault(f"the target has {_named(wrong.group())}; in a URL it is written {escaped}", place)
    place = len(method) + 2 + len(target)
    if _VERSION.fullmatch(version) is None:
        return Fault("the request line does not end in HTTP/1.1", place)
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        return Fault(f"the version {version.decode('ascii')} is not spoken here; use HTTP/1.1", place)
    if target[:1] not in (b"/", b"*") and b"://" not in target and method != b"CONNECT":
        return Fault("the target is neither a path that begins with / nor a whole URL", len(method) + 1)
    return None


def _in_field(line: bytes) -> Fault | None:
    if line[:1] in (b" ", b"\t"):
        return Fault("the header field before goes on here; one that is folded over two lines is not taken", 0)
    name, colon, value = line.partition(b":")
    if not colon:
        return Fault("the line is no header field: it has no colon", len(line))
    if not name:
        return Fault("the header field has no name", 0)
    if (wrong := _NOT_TOKEN.search(name)) is not None:
        return Fault(f"the header field's name has {_named(wrong.group())}", wrong.start())
    if (wrong := _NOT_IN_VALUE.search(value)) is not None:
        return Fault(f"the header field's value has {_named(wrong.group())}", len(name) + 1 + wrong.start())
    return None


def _in_framing(pairs: list[tuple[int, int, bytes, bytes]]) -> Fault | None:
    """Fields that say in two ways, or in none that is known, where the body ends (RFC 9112, 6.3)."""
    lengths = [pair for pair in pairs if pair[2] == b"content-length"]
    codings = [pair for pair in pairs if pair[2] == b"transfer-encoding"]
    if lengths and codings:
        number, offset, *_ = max(lengths[0], codings[0])
        return Fault(f"line {number}: Content-Length and Transfer-Encoding contradict each other; send one", offset)
    if len(lengths) > 1:
        number, offset, *_ = lengths[1]
        return Fault(f"line {number}: Content-Length is there twice; send it once", offset)
    if lengths and not (lengths[0][3].isdigit() and len(lengths[0][3]) < 20):
        number, offset, *_ = lengths[0]
        return Fault(f"line {number}: Content-Length is no number of bytes", offset)
    if codings:
        number, offset, *_ = codings[-1]
        return Fault(f"line {number}: Transfer-Encoding must end in chunked, once; nothing else tells the end", offset)
    return None


def _named(byte: bytes) -> str:
    """A byte in words: `a blank`, `'@'`, `the byte 0xC3`."""
    match byte:
        case b" ":
            return "a blank"
        case b"\t":
            return "a tab"
        case b"\r":
            return "a CR that ends no line"
        case b"\x00":
            return "a NUL"
        case _ if 0x21 <= byte[0] <= 0x7E:
            return f"'{byte.decode('ascii')}'"
        case _:
            return f"the byte 0x{byte[0]:02X}"
