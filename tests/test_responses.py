"""What a bin answers: prepared once, and never able to break the protocol or the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.errors import FieldsInvalid
from hookbin.models import BinResponse
from hookbin.response_checks import check_headers
from hookbin.responses import SANDBOX, prepare


def test_an_answer_has_its_owner_s_headers_its_length_and_the_sandbox() -> None:
    response = BinResponse(status=418, headers=(("X-A", "1"), ("x-a", "é")), body="é", delay_ms=250)

    prepared = prepare(response)

    assert prepared.status == 418
    assert prepared.headers == [(b"X-A", b"1"), (b"x-a", "é".encode("latin-1")), (b"content-length", b"2"), SANDBOX]
    assert prepared.body == "é".encode()
    assert prepared.delay_ms == 250


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, None), (205, b"0")])
def test_an_answer_that_has_no_body_by_its_status_has_none(status: int, length: bytes | None) -> None:
    prepared = prepare(BinResponse(status=status, body="not sent"))

    assert prepared.body == b""
    assert dict(prepared.headers).get(b"content-length") == length


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r", "a\n", "é", "(a)", "a" * 257])
def test_a_header_name_is_a_token(name: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check_headers((("ok", "1"), (name, "1")), loc="response.headers")
    assert [loc for loc, _ in caught.value.errors] == ["response.headers[1]"]


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\0", "\x7f", "☃", " a", "a ", "a" * 8193])
def test_a_header_value_is_one_line_of_latin_1(value: str) -> None:
    with pytest.raises(FieldsInvalid):
        check_headers((("x", value),), loc="headers")


@pytest.mark.parametrize(
    "name",
    ["Content-Length", "TRANSFER-ENCODING", "connection", "Keep-Alive", "upgrade", "te", "trailer", "proxy-connection"],
)
def test_what_belongs_to_the_connection_is_not_the_owner_s_to_set(name: str) -> None:
    with pytest.raises(FieldsInvalid):
        check_headers(((name, "1"),), loc="headers")


def test_the_sandbox_can_not_be_taken_off() -> None:
    with pytest.raises(FieldsInvalid):
        check_headers((("Content-Security-Policy", "script-src *"),), loc="headers")


def test_each_header_that_is_wrong_is_named() -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check_headers((("a b", "1"), ("ok", "1"), ("x", "\n")), loc="headers")
    assert [loc for loc, _ in caught.value.errors] == ["headers[0]", "headers[2]"]


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_taken_can_be_sent(name: str, value: str) -> None:
    try:
        headers = check_headers(((name, value),), loc="headers")
    except FieldsInvalid:
        return
    line = b"%b: %b\r\n" % prepare(BinResponse(headers=headers)).headers[0]
    assert line.count(b"\n") == line.count(b"\r") == 1
    assert b"\0" not in line
