"""What an answer is, whatever bytes it comes in: the status line decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.models.deliveries import MAX_RAW, ErrorClass
from hookbin.wire.answer import (
    CUT_OFF,
    CUT_OFF_HEAD,
    LONG_HEAD,
    LONG_TRAILERS,
    MAX_HEAD,
    MAX_INTERIM,
    NO_CHUNK,
    NO_HEADER,
    NO_LENGTH,
    WENT_ON,
    AnswerReader,
)

LINE = b"HTTP/1.1 200 OK\r\n"
TWO = b"Content-Length: 2\r\n\r\nok"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
KEPT, CLOSED = True, False

ANSWERS = {
    # name: (bytes, status, body, is the connection kept, notes)
    "plain": (LINE + TWO, 200, b"ok", KEPT, ()),
    "a header of 20,000 bytes": (LINE + b"X: " + b"y" * 20_000 + b"\r\n" + TWO, 200, b"ok", KEPT, ()),
    "150 headers": (LINE + b"".join(b"X-%d: v\r\n" % n for n in range(150)) + TWO, 200, b"ok", KEPT, ()),
    "no reason": (b"HTTP/1.1 200 \r\n" + TWO, 200, b"ok", KEPT, ()),
    "no space either": (b"HTTP/1.1 200\r\n" + TWO, 200, b"ok", KEPT, ()),
    "a reason in UTF-8": ("HTTP/1.1 200 été\r\n".encode() + TWO, 200, b"ok", KEPT, ()),
    "another minor version": (b"HTTP/1.2 200 OK\r\n" + TWO, 200, b"ok", KEPT, ()),
    "bare LF": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, b"ok", KEPT, ()),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n" + TWO, 200, b"ok", CLOSED, ()),
    "HTTP/1.0, kept": (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + TWO, 200, b"ok", KEPT, ()),
    "to be closed": (LINE + b"Connection: x, Close\r\n" + TWO, 200, b"ok", CLOSED, ()),
    "204 with a body": (b"HTTP/1.1 204 No Content\r\n" + TWO, 204, b"", CLOSED, (WENT_ON,)),
    "204 with chunks": (b"HTTP/1.1 204 No Content\r\n" + CHUNKED + b"0\r\n\r\n", 204, b"", CLOSED, (WENT_ON,)),
    "204 with a length alone": (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", 204, b"", CLOSED, ()),
    "304 with a length": (b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", 304, b"", KEPT, ()),
    "205": (b"HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", 205, b"", KEPT, ()),
    "longer than it says": (LINE + TWO + b"ay then", 200, b"ok", CLOSED, (WENT_ON,)),
    "longer by a line end": (LINE + TWO + b"\n", 200, b"ok", CLOSED, (WENT_ON,)),
    "a second answer": (LINE + TWO + b"HTTP/1.1 500 No\r\n\r\n", 200, b"ok", CLOSED, (WENT_ON,)),
    "chunks and trailers": (LINE + CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\nX-T: v\r\n\r\n", 200, b"ok", KEPT, ()),
    "a chunk with an extension": (LINE + CHUNKED + b"2 ;a=b\r\nok\r\n0\r\n\r\n", 200, b"ok", KEPT, ()),
    "chunks that end in LF": (LINE + CHUNKED + b"2\nok\n0\n\n", 200, b"ok", KEPT, ()),
    "chunks and a length": (LINE + b"Content-Length: 9\r\n" + CHUNKED + b"0\r\n\r\n", 200, b"", CLOSED, ()),
    "chunked twice": (LINE + b"Transfer-Encoding: chunked\r\n" + CHUNKED + b"0\r\n\r\n", 200, b"", KEPT, ()),
    "chunks of something": (LINE + b"Transfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n", 200, b"", KEPT, ()),
    "no chunk": (LINE + CHUNKED + b"2\r\nokzz\r\n", 200, b"ok", CLOSED, (NO_CHUNK,)),
    "no size": (LINE + CHUNKED + b"zz\r\nok", 200, b"", CLOSED, (NO_CHUNK,)),
    "a size without end": (LINE + CHUNKED + b"1" * 20_000, 200, b"", CLOSED, (NO_CHUNK,)),
    "trailers without end": (LINE + CHUNKED + b"0\r\n" + b"X: y\r\n" * 50_000, 200, b"", CLOSED, (LONG_TRAILERS,)),
    "the same length twice": (LINE + b"Content-Length: 2\r\n" + TWO, 200, b"ok", KEPT, ()),
    "the same length in a list": (LINE + b"Content-Length: 2, 2\r\n\r\nok", 200, b"ok", KEPT, ()),
    "two lengths": (LINE + b"Content-Length: 1\r\n" + TWO, 200, b"", CLOSED, (NO_LENGTH,)),
    "no length": (LINE + b"Content-Length:\r\n\r\n", 200, b"", CLOSED, (NO_LENGTH,)),
    "a length in letters": (LINE + b"Content-Length: ten\r\n\r\nok", 200, b"", CLOSED, (NO_LENGTH,)),
    "a space before a colon": (LINE + b"Content-Length : 2\r\n\r\nok", 200, b"ok", KEPT, ()),
    "a space within a name": (LINE + b"X A: v\r\n" + TWO, 200, b"ok", KEPT, ()),
    "no name": (LINE + b": v\r\n" + TWO, 200, b"ok", KEPT, (NO_HEADER,)),
    "no colon": (LINE + b"X-A\r\n" + TWO, 200, b"ok", KEPT, (NO_HEADER,)),
    "a control character": (LINE + b"X: a\x01b\x7f\r\n" + TWO, 200, b"ok", KEPT, ()),
    "empty lines before": (b"\r\n\r\n" + LINE + TWO, 200, b"ok", KEPT, ()),
    "an interim answer": (INTERIM + LINE + TWO, 200, b"ok", KEPT, ()),
    "as many as may be": (INTERIM * MAX_INTERIM + LINE + TWO, 200, b"ok", KEPT, ()),
    "an upgrade offered": (LINE + b"Upgrade: h2c\r\nConnection: Upgrade\r\n" + TWO, 200, b"ok", KEPT, ()),
    "an upgrade": (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", 101, b"", CLOSED, ()),
    "a head too long": (LINE + b"X: y\r\n" * 50_000, 200, b"", CLOSED, (LONG_HEAD,)),
}
CUT = {
    "until the end": (LINE + b"\r\nok", 200, b"ok", ()),
    "no whole body": (LINE + b"Content-Length: 9\r\n\r\nok", 200, b"ok", (CUT_OFF,)),
    "no whole chunk": (LINE + CHUNKED + b"9\r\nok", 200, b"ok", (CUT_OFF,)),
    "no last chunk": (LINE + CHUNKED + b"2\r\nok\r\n", 200, b"ok", (CUT_OFF,)),
    "no whole head": (LINE + b"X-A: 1\r\nX-B", 200, b"", (CUT_OFF_HEAD,)),
}
SAID = [*[row[0] for row in ANSWERS.values()], *[row[0] for row in CUT.values()]]
NO_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "another version": b"HTTP/2 200\r\n" + TWO,
    "no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "a number too small": b"HTTP/1.1 099 OK\r\n\r\n",
    "two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "a NUL in the head": LINE + b"X: a\0b\r\n" + TWO,
}


def read(data: bytes, *, method: str = "POST", cuts: tuple[int, ...] = (), ends: bool = False) -> AnswerReader:
    reader = AnswerReader(method)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for begin, end in zip(places, places[1:], strict=False):
        reader.feed(data[begin:end])
    if ends:
        reader.end()
    return reader


@pytest.mark.parametrize("name", ANSWERS)
def test_the_status_line_decides(name: str) -> None:
    data, status, body, kept, notes = ANSWERS[name]
    found = read(data)
    assert (found.status, found.body, found.keeps, found.notes) == (status, body, kept, notes)
    assert (found.is_done, found.error) == (True, None)


@pytest.mark.parametrize("name", CUT)
def test_what_was_read_before_the_connection_ended_counts(name: str) -> None:
    data, status, body, notes = CUT[name]
    found = read(data, ends=True)
    assert (found.status, found.body, found.keeps, found.notes, found.is_done) == (status, body, False, notes, True)
    assert not read(data).is_done


@pytest.mark.parametrize("name", NO_HTTP)
def test_what_has_no_status_line_is_kept_as_it_came(name: str) -> None:
    found = read(NO_HTTP[name])
    assert (found.status, found.error, found.is_done) == (None, ErrorClass.PROTOCOL_ERROR, False)
    assert found.raw == NO_HTTP[name]
    assert ("may have to begin with https://" in found.detail) == (name == "TLS")
    found.feed(b"x" * MAX_RAW)
    assert found.raw == (NO_HTTP[name] + b"x" * MAX_RAW)[:MAX_RAW]


def test_a_first_line_that_never_ends_is_no_status_line() -> None:
    assert read(b"HTTP/1.1 " + b"x" * MAX_HEAD).error is ErrorClass.PROTOCOL_ERROR


@pytest.mark.parametrize("data", [b"", b"HTT", b"HTTP/1.1 200", b"HTTP/1.1 200 O", INTERIM, INTERIM + b"HTTP"])
def test_a_connection_that_ends_before_the_status_line_leaves_no_answer(data: bytes) -> None:
    found = read(data, ends=True)
    assert (found.status, found.error) == (None, ErrorClass.CONNECTION_RESET)
    assert data.endswith(found.raw)


def test_interim_answers_have_a_limit() -> None:
    found = read(INTERIM * (MAX_INTERIM + 1))
    assert (found.status, found.error) == (None, ErrorClass.ANSWER_LIMIT)
    assert "20 interim answers" in found.detail


@pytest.mark.parametrize(("method", "notes"), [("HEAD", (WENT_ON,)), ("CONNECT", (WENT_ON,)), ("FOO", ())])
def test_to_some_methods_there_is_no_body(method: str, notes: tuple[str, ...]) -> None:
    found = read(LINE + TWO, method=method)
    assert (found.status, found.body, found.notes) == (200, b"" if notes else b"ok", notes)


def test_headers_keep_their_order_case_number_and_bytes() -> None:
    head = b"X-b: 1\r\nx-B:  2 \r\nX-b:\t1\r\nX-A: \xe9\xff\r\nX-C:\r\nFolded: a\r\n  b\r\n\tc\r\nX:a\rb\r\n"
    assert read(LINE + head + TWO).headers == (
        ("X-b", "1"),
        ("x-B", "2"),
        ("X-b", "1"),
        ("X-A", "\xe9\xff"),
        ("X-C", ""),
        ("Folded", "a b c"),
        ("X", "a b"),
        ("Content-Length", "2"),
    )


@pytest.mark.parametrize(("said", "seconds"), [("timeout=5, max=9", 5), ("max=9,Timeout = 1", 1), ("5", None)])
def test_how_long_the_receiver_keeps_an_idle_connection_is_read(said: str, seconds: int | None) -> None:
    assert read(LINE + b"Keep-Alive: " + said.encode() + b"\r\n" + TWO).idle_limit == seconds


@given(
    data=st.sampled_from([data for data in SAID if len(data) < 1_000]),
    cuts=st.lists(st.integers(0, 1_000), max_size=8).map(tuple),
    ends=st.booleans(),
)
def test_pieces_make_no_difference(data: bytes, cuts: tuple[int, ...], ends: bool) -> None:
    one, other = read(data, ends=ends), read(data, cuts=cuts, ends=ends)
    for name in ("status", "headers", "body", "is_done", "keeps", "notes", "error", "idle_limit"):
        assert getattr(one, name) == getattr(other, name), name


@given(
    data=st.binary() | st.binary().map(lambda rest: LINE + rest) | st.binary().map(lambda rest: LINE + CHUNKED + rest)
)
def test_any_bytes_lead_to_a_status_or_to_an_error(data: bytes) -> None:
    found = read(data, ends=True)
    assert (found.status is None) == (found.error is not None)
    assert found.status is None or found.is_done
