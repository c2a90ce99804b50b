"""One answer, read from bytes in whatever pieces they come (RFC 9112): it does no I/O.

The status line decides. Once it is there the answer counts, whatever follows; what is wrong with the rest ends
the answer, costs the connection, and is noted. So the reader is lenient where common receivers are careless and
curl reads them alike (bare LF, folded lines, white space before a colon, 204 with a body), and refuses only what
has no status line, or a NUL in its head.

    the request was HEAD, or 204, 304     no body                          RFC 9112, 6.3, 1
    the request was CONNECT, and 2xx      no body, but a tunnel            6.3, 2
    Transfer-Encoding ends in chunked     chunks, whatever the length says 6.3, 4
    another Transfer-Encoding             until the connection ends        6.3, 4
    Content-Length, not one number        none is known                    6.3, 5
    Content-Length                        so many bytes                    6.3, 6
    neither                               until the connection ends        6.3, 8
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hookbin.logs import printable
from hookbin.models.common import Headers, Pair
from hookbin.models.deliveries import MAX_RAW, ErrorClass

MAX_HEAD = 256 * 1024
"""Bytes of status line and headers that are read, and of trailers."""
MAX_INTERIM = 20
"""Interim answers (1xx) before the answer itself."""
MAX_CHUNK_LINE = 16 * 1024
"""Bytes of the line before a chunk: its size and its extensions."""

WENT_ON = "the answer went on after its end"
CUT_OFF = "the connection ended before the answer did"
CUT_OFF_HEAD = "the connection ended within the answer's head"
LONG_HEAD = f"the answer's head is longer than {MAX_HEAD // 1024} KiB, and was read no further"
LONG_TRAILERS = f"the answer's trailers are longer than {MAX_HEAD // 1024} KiB, and were read no further"
NO_LENGTH = "the answer's Content-Length is not one number, so its end is not known"
NO_CHUNK = "the answer's body is cut into chunks wrongly"
NO_HEADER = "a line of the answer's head is no header, and was left out"

_STATUS_LINE = re.compile(rb"HTTP/1\.(\d) +([1-9]\d\d)(?:[ \t][^\n]*)?\r?\n", re.IGNORECASE)
_STATUS_BEGUN = re.compile(rb"HTTP/1\.(\d) +([1-9]\d\d)[ \t]", re.IGNORECASE)
_HEAD_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_KEEP_ALIVE = re.compile(r"timeout *= *\"?(\d{1,6})", re.IGNORECASE | re.ASCII)
_FIELD = re.compile(r"^([^\s:\0][^:\n\0]*):[ \t]*([^\n\0]*)$", re.MULTILINE)
_ODD = re.compile(r"\r|[ \t][\n:]")
"""A bare CR, and white space that is no part of a name or a value (RFC 9112, 5.1)."""
_BODILESS = (204, 304)
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})


class AnswerReader:
    """Takes in bytes by `feed`, and by `end` that no more will come.

    `status` and `headers` are there once the head is, `body` grows behind them; with `is_done` the answer has
    ended. `error` says why there will be none, and `raw` then holds what came.
    """

    status: int | None = None
    headers: Headers = ()
    body: bytes | bytearray = b""
    is_done = False
    keeps = False
    """Whether the connection can be used again."""
    idle_limit: int | None = None
    """Seconds that the receiver keeps an idle connection, as it says (Keep-Alive: timeout)."""
    notes: tuple[str, ...] = ()
    error: ErrorClass | None = None
    detail = ""
    raw = b""
    _buffer: bytearray | None = None
    _ended_well = False
    _interim = 0
    _left = 0

    def __init__(self, method: str) -> None:
        self._method = method
        self._read: Callable[[AnswerReader, bytes], bytes] = AnswerReader._read_head
        """What takes the next bytes, and gives back those that it did not; unbound, so that no circle is left."""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes. Those behind the answer's end are no part of it."""
        while data:
            if self.is_done:
                if self._ended_well:
                    self._finish(WENT_ON, keeps=False)
                return
            data = self._read(self, data)

    def end(self) -> None:
        """The connection has ended, in whatever way."""
        if self.is_done or self.error is not None:
            return
        if self.status is None:
            self._end_within_head()
        elif self._read is AnswerReader._read_until_end:
            self._finish(keeps=False)
        else:
            self._finish(CUT_OFF, keeps=False)

    # The head

    def _read_head(self, data: bytes) -> bytes:
        buffer: bytes | bytearray = data
        looked_at = 0
        if self._buffer:
            looked_at = max(0, len(self._buffer) - 2)
            self._buffer += data
            buffer = self._buffer
        elif data[0] in b"\r\n":
            return data.lstrip(b"\r\n")  # empty lines before an answer, as RFC 9112, 2.2 takes them before a request
        found = _HEAD_END.search(buffer, looked_at)
        if found is not None and found.end() <= MAX_HEAD:
            end = found.end()
            self._buffer = None
            self._take_head(bytes(buffer[:end]))
            return bytes(buffer[end:])
        if not self._buffer:
            self._buffer = bytearray(data)
        self._look_at_half_a_head(self._buffer)
        return b""

    def _look_at_half_a_head(self, head: bytearray) -> None:
        if len(head) > MAX_HEAD:
            if (match := _STATUS_BEGUN.match(head)) is not None:
                self._take_part_of_head(head, match, LONG_HEAD)
            else:
                self._refuse(ErrorClass.PROTOCOL_ERROR, _no_http(head), raw=head)
        elif head.find(b"\n", 0, 64) >= 0:
            if _STATUS_LINE.match(head) is None:
                self._refuse(ErrorClass.PROTOCOL_ERROR, _no_http(head), raw=head)
        elif not b"HTTP/1.".startswith(head[:7].upper()):
            self._refuse(ErrorClass.PROTOCOL_ERROR, _no_http(head), raw=head)

    def _end_within_head(self) -> None:
        head = self._buffer or bytearray()
        match = _STATUS_LINE.match(head)
        if match is not None:
            self._take_part_of_head(head, match, CUT_OFF_HEAD)
        else:
            self._refuse(ErrorClass.CONNECTION_RESET, "the connection ended before an answer came", raw=head)

    def _take_head(self, head: bytes) -> None:
        match = _STATUS_LINE.match(head)
        if match is None or b"\0" in head:
            detail = _no_http(head) if match is None else "there is a NUL in the answer's head"
            self._refuse(ErrorClass.PROTOCOL_ERROR, detail, raw=head)
            return
        status = int(match[2])
        if status < 200 and status != 101:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                detail = f"more than {MAX_INTERIM} interim answers (1xx) came, and were read no further"
                self._refuse(ErrorClass.ANSWER_LIMIT, detail, raw=head)
            return
        self._take_fields(head[match.end() :].decode("latin-1"))
        self.status = status
        self._frame(status, is_old=match[1] == b"0")

    def _take_part_of_head(self, head: bytearray, match: re.Match[bytes], note: str) -> None:
        """What was read of the head counts: its whole lines."""
        text = head[match.end() :].decode("latin-1")
        self._buffer = None
        self._take_fields(text[: text.rfind("\n") + 1].replace("\0", " "))
        self.status = int(match[2])
        self._finish(note, keeps=False)

    def _take_fields(self, text: str) -> None:
        """RFC 9112, 5: a line that begins with white space goes on with the one before (5.2)."""
        text = text.replace("\r\n", "\n")
        fields = _FIELD.findall(text)
        if len(fields) + 1 < text.count("\n") or _ODD.search(text) is not None:
            fields = self._odd_fields(text.replace("\r", " "))  # RFC 9112, 2.2
        self.headers = tuple(fields)

    def _odd_fields(self, text: str) -> list[Pair]:
        fields: list[Pair] = []
        for line in text.split("\n"):
            name, colon, value = line.partition(":")
            if colon and name and name[0] not in " \t":
                fields.append((name.rstrip(" \t"), value.strip(" \t")))
            elif line and line[0] in " \t" and fields:
                before, more = fields[-1], line.strip(" \t")
                fields[-1] = (before[0], f"{before[1]} {more}".strip(" "))
            elif line and NO_HEADER not in self.notes:
                self.notes = (*self.notes, NO_HEADER)
        return fields

    # How the body ends

    def _frame(self, status: int, *, is_old: bool) -> None:
        lengths: list[str] = []
        codings: list[str] = []
        options = ""
        for name, value in self.headers:
            lower = name.lower()
            if lower not in _FRAMING:
                continue
            if lower == "content-length":
                lengths.append(value)
            elif lower == "transfer-encoding":
                codings.append(value)
            elif lower == "connection":
                options = f"{options},{value}"
            elif (match := _KEEP_ALIVE.search(value)) is not None:
                self.idle_limit = int(match[1])
        keeps = _is_kept(options, is_old=is_old) if options else not is_old
        if self._method == "HEAD" or status in _BODILESS:
            claims = status == 204 and (codings or any(length != "0" for length in lengths))
            self._finish(keeps=keeps and not claims)
        elif status == 101 or (self._method == "CONNECT" and status < 300):
            self._finish(keeps=False)
        elif codings:
            self.keeps = keeps and not lengths and not is_old
            chunked = codings[-1].rpartition(",")[2].strip(" \t").lower() == "chunked"
            self._read = AnswerReader._read_chunk_line if chunked else AnswerReader._read_until_end
        elif lengths:
            self.keeps = keeps
            self._frame_by_length(lengths)
        else:
            self._read = AnswerReader._read_until_end

    def _frame_by_length(self, lengths: Sequence[str]) -> None:
        values = {value.strip(" \t") for length in lengths for value in length.split(",")}
        value = values.pop()
        if values or _LENGTH.fullmatch(value) is None:
            self._finish(NO_LENGTH, keeps=False)
            return
        self._left = int(value)
        self._read = AnswerReader._read_length
        if self._left == 0:
            self._finish(keeps=self.keeps)

    def _finish(self, note: str | None = None, *, keeps: bool) -> None:
        if note is not None:
            self.notes = (*self.notes, note)
        self.keeps = keeps
        self.is_done = True
        self._ended_well = note is None

    def _refuse(self, error: ErrorClass, detail: str, *, raw: bytes | bytearray) -> None:
        self.error = error
        self.detail = detail
        self.raw = bytes(raw[:MAX_RAW])
        self._buffer = None
        self._read = AnswerReader._read_raw

    # The body

    def _grow(self, data: bytes) -> None:
        if not self.body:
            self.body = data  # as most answers are: in one piece, which is not copied
            return
        if isinstance(self.body, bytes):
            self.body = bytearray(self.body)
        self.body += data

    def _read_length(self, data: bytes) -> bytes:
        taken = data[: self._left]
        self._grow(taken)
        self._left -= len(taken)
        if self._left == 0:
            self._finish(keeps=self.keeps)
        return data[len(taken) :]

    def _read_until_end(self, data: bytes) -> bytes:
        self._grow(data)
        return b""

    def _read_chunk_line(self, data: bytes) -> bytes:
        line, rest = self._line(data, limit=MAX_CHUNK_LINE)
        if line is None:
            return rest
        size = line.partition(b";")[0].strip(b" \t")
        if _CHUNK_SIZE.fullmatch(size) is None:
            self._finish(NO_CHUNK, keeps=False)
            return b""
        self._left = int(size, 16)
        self._read = AnswerReader._read_chunk if self._left else AnswerReader._read_trailers
        return rest

    def _read_chunk(self, data: bytes) -> bytes:
        taken = data[: self._left]
        self._grow(taken)
        self._left -= len(taken)
        if self._left == 0:
            self._read = AnswerReader._read_chunk_end
        return data[len(taken) :]

    def _read_chunk_end(self, data: bytes) -> bytes:
        line, rest = self._line(data, limit=1)
        if line is None:
            return rest
        self._read = AnswerReader._read_chunk_line
        if line:
            self._finish(NO_CHUNK, keeps=False)
            return b""
        return rest

    def _read_trailers(self, data: bytes) -> bytes:
        """They are read for the answer's end alone. `_left` counts their bytes."""
        line, rest = self._line(data, limit=MAX_HEAD)
        self._left += len(data) - len(rest)
        if line == b"":
            self._finish(keeps=self.keeps)
        elif self._left > MAX_HEAD:
            self._finish(LONG_TRAILERS, keeps=False)
            return b""
        return rest

    def _line(self, data: bytes, *, limit: int) -> tuple[bytes | None, bytes]:
        """The next line without its end, and what follows; None while its end is not there.

        A line of more than `limit` bytes ends the answer.
        """
        piece, end, rest = data.partition(b"\n")
        if self._buffer is None:
            self._buffer = bytearray()
        self._buffer += piece
        if len(self._buffer) > limit + 1:
            self._finish(NO_CHUNK, keeps=False)
            return None, b""
        if not end:
            return None, b""
        line = bytes(self._buffer).removesuffix(b"\r")
        self._buffer = None
        return line, rest

    # What is no HTTP

    def _read_raw(self, data: bytes) -> bytes:
        self.raw += data[: MAX_RAW - len(self.raw)]
        return b""


def _is_kept(values: str, *, is_old: bool) -> bool:
    """RFC 9112, 9.3, with a Connection header."""
    options = {option.strip(" \t").lower() for option in values.split(",")}
    return "close" not in options and ("keep-alive" in options or not is_old)


def _no_http(head: bytes | bytearray) -> str:
    if head[:1] in (b"\x15", b"\x16"):
        return "it speaks TLS there; the destination may have to begin with https://"
    begins = printable(bytes(head[:60]).partition(b"\n")[0].decode("latin-1").strip())
    return f"what came back does not begin like an answer of HTTP/1: {begins}"
