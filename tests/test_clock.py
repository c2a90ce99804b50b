"""Times and ids: how they are made, written and read back."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.clock import ALPHABET, Ids, SystemClock, parse_rfc3339, parse_seq_id, rfc3339, seq_id
from tests.support import FakeClock

SEQ = st.integers(min_value=0, max_value=2**63 - 1)


def test_the_alphabet_is_crockfords_in_its_order() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    assert list(ALPHABET) == sorted(set("0123456789" + letters) - set("ilou"))


@given(SEQ)
def test_a_seq_id_leads_back_to_its_number(seq: int) -> None:
    assert parse_seq_id("req_", seq_id("req_", seq)) == seq


@given(st.integers(min_value=-62_135_596_800_000_000, max_value=253_402_300_799_999_999))
def test_a_written_time_is_read_back(microseconds: int) -> None:
    assert parse_rfc3339(rfc3339(microseconds).rjust(27, "0")) == microseconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01t00:00:01z", 1),
        ("1970-01-01 00:00:01.5+00:00", 1.5),
        ("1970-01-01T01:00:01.0000009+01:00", 1),
        ("1969-12-31T18:30:00-05:30", 0),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140),
        ("2016-12-31T23:59:60Z", 1_483_228_800),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, seconds: float) -> None:
    assert parse_rfc3339(text) == round(seconds * 1_000_000)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-24", "2026-11-24T06:34:35", "2026-13-24T06:34:35Z", "2026-11-24T06:34:35Z\n", "1790000000",
     "2026-11-24T06:34:35.Z", "2026-11-24T25:34:35Z", "2026-11-24T06:34:35+0100", "\u0662026-11-24T06:34:35Z"],
)  # fmt: skip
def test_anything_else_is_no_time(text: str) -> None:
    assert parse_rfc3339(text) is None


@given(SEQ, SEQ)
def test_seq_ids_sort_as_their_numbers(one: int, other: int) -> None:
    assert (seq_id("req_", one) < seq_id("req_", other)) == (one < other)


def test_a_seq_id_has_thirteen_digits() -> None:
    assert seq_id("req_", 0) == "req_0000000000000"
    assert seq_id("req_", 31) == "req_000000000000z"
    assert seq_id("req_", 32) == "req_0000000000010"
    assert seq_id("req_", 2**63 - 1) == "req_7zzzzzzzzzzzz"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "req_000000000000",
        "req_00000000000000",
        "req_000000000000u",
        "req_000000000000A",
        "req_-000000000001",
        "req_000000000000\u0661",
        "req_8000000000000",
        "evt_0000000000001",
        "req_0000000000001\n",
    ],
)
def test_what_is_no_seq_id_is_refused(text: str) -> None:
    assert parse_seq_id("req_", text) is None


@given(st.text())
def test_any_text_is_refused_or_is_the_only_spelling(text: str) -> None:
    seq = parse_seq_id("req_", text)
    assert seq is None or seq_id("req_", seq) == text


def test_ids_carry_their_prefix() -> None:
    ids = Ids(FakeClock())
    assert re.fullmatch(r"bin_[a-z0-9]{16}", ids.bin())
    for prefix, id in (("wh_", ids.webhook()), ("evt_", ids.event()), ("dlv_", ids.delivery())):
        assert re.fullmatch(prefix + r"[0-7][0-9a-hjkmnp-tv-z]{25}", id)


def test_an_event_id_is_a_uuid_version_7_of_this_millisecond() -> None:
    clock = FakeClock()
    value = _number(Ids(clock).event().removeprefix("evt_"))
    assert value >> 80 == clock.now() // 1000
    assert value >> 76 & 0xF == 7
    assert value >> 62 & 0b11 == 0b10


def test_ids_rise_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    clock = FakeClock()
    ids = Ids(clock)
    made = [ids.event() for _ in range(2_000)]
    clock.set(-60)
    made += [ids.event() for _ in range(10)]
    clock.advance(120)
    made.append(ids.event())
    assert made == sorted(set(made))


def test_the_system_clock_counts_microseconds() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time() * 1_000_000) < 5_000_000
    assert clock.ticks() <= clock.monotonic() * 1_000_000 <= clock.ticks() + 1


@pytest.mark.anyio
async def test_a_wait_ends_when_the_time_has_come() -> None:
    clock = SystemClock()
    until = clock.ticks() + 20_000
    event = asyncio.Event()
    async with asyncio.timeout(5):
        while clock.ticks() < until:  # it may return early
            await clock.wait(event, until=until)
            event.clear()


@pytest.mark.anyio
async def test_a_wait_ends_when_the_event_is_set() -> None:
    clock = SystemClock()
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)
    async with asyncio.timeout(5):
        await clock.wait(event, until=clock.ticks() + 3_600_000_000)


def _number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 32 + ALPHABET.index(digit)
    return value
