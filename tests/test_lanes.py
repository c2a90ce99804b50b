"""A lane: a bounded window of what is pending, which loses nothing between memory and disk."""

from __future__ import annotations

from collections.abc import Iterable

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hookbin.dispatch.lanes import WINDOW, Lane

FAR = 10**9


def full_lane(*rows: tuple[str, int]) -> Lane:
    """A lane that holds all that is pending."""
    lane = Lane("wh_1")
    lane.begin_refill()
    end_refill(lane, rows, complete=True)
    return lane


def put(lane: Lane, delivery: str, due: int) -> None:
    lane.put(delivery, due=due, turn=0)


def end_refill(lane: Lane, rows: Iterable[tuple[str, int]], *, complete: bool) -> None:
    lane.end_refill([(delivery, due, 0) for delivery, due in rows], complete=complete)


def test_a_new_lane_needs_to_read() -> None:
    lane = Lane("wh_1")
    assert lane.needs_refill
    put(lane, "a", 5)
    assert lane.next_due() is None, "it is in the database, and is read from there"


def test_the_earliest_comes_first() -> None:
    lane = full_lane(("b", 20), ("a", 10), ("c", 30))
    assert lane.next_due() == 10
    assert [lane.pop_due(25, busy=()) for _ in range(3)] == ["a", "b", None]
    assert len(lane) == 1


def test_what_is_scheduled_anew_is_there_once() -> None:
    lane = full_lane(("a", 10), ("b", 20))
    put(lane, "a", 30)
    assert [lane.pop_due(FAR, busy=()) for _ in range(3)] == ["b", "a", None]
    put(lane, "a", 30)
    put(lane, "a", 5)
    assert [lane.pop_due(FAR, busy=()) for _ in range(2)] == ["a", None]


def test_a_lane_that_holds_all_needs_no_reading() -> None:
    lane = full_lane(("a", 1))
    lane.pop_due(FAR, busy=())
    assert not lane.needs_refill


def test_a_window_that_runs_low_needs_reading() -> None:
    lane = Lane("wh_1")
    lane.begin_refill()
    end_refill(lane, [(f"{number}", number) for number in range(WINDOW)], complete=False)
    assert not lane.needs_refill
    while not lane.needs_refill:
        assert lane.pop_due(FAR, busy=())
    assert len(lane) > 0


def test_a_cleared_lane_is_empty() -> None:
    lane = full_lane(("a", 1))
    lane.clear()
    assert lane.next_due() is None
    assert not lane.needs_refill
    put(lane, "b", 2)
    assert lane.pop_due(2, busy=()) == "b"


class LaneMachine(RuleBasedStateMachine):
    """A lane beside a model of the database: all that is pending, with its due time.

    The rules do what the dispatcher does: a row is committed first and then told to the lane, and
    the read of a refill falls anywhere between its begin and its end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lane = Lane("wh_1")
        self.pending: dict[str, int] = {}
        self.in_flight: set[str] = set()
        self.now = 1_000
        self.made = 0
        self.refilling = False
        self.snapshot: list[tuple[str, int]] | None = None
        self.limit = 0

    @rule(count=st.sampled_from([1, 1, 20, 150, 400]), wait=st.integers(0, 50), step=st.sampled_from([0, 0, 1, 3]))
    def publish(self, count: int, wait: int, step: int) -> None:
        for number in range(count):
            self.made += 1
            self._commit(f"{self.made}", self.now + wait + number * step)

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def retry_by_hand(self, data: st.DataObject) -> None:
        self._commit(data.draw(st.sampled_from(sorted(self.pending))), self.now)

    @rule(count=st.sampled_from([1, 8, 64]))
    def start(self, count: int) -> None:
        for _ in range(count):
            delivery = self.lane.pop_due(self.now, busy=self.in_flight)
            if delivery is None:
                return
            assert delivery not in self.in_flight
            if delivery in self.pending:
                self.in_flight.add(delivery)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), wait=st.sampled_from([None, 0, 1, 30, 10_000]), count=st.sampled_from([1, 8, 40]))
    def finish(self, data: st.DataObject, wait: int | None, count: int) -> None:
        for _ in range(min(count, len(self.in_flight))):
            delivery = data.draw(st.sampled_from(sorted(self.in_flight)))
            self.in_flight.remove(delivery)
            if wait is None:
                self.pending.pop(delivery, None)
            elif delivery in self.pending:
                self._commit(delivery, self.now + wait)

    @rule(seconds=st.sampled_from([1, 10, 100]))
    def turn_the_clock(self, seconds: int) -> None:
        self.now += seconds

    @precondition(lambda self: self.lane.needs_refill and not self.refilling)
    @rule()
    def begin_refill(self) -> None:
        self.lane.begin_refill()
        self.refilling = True
        self.limit = WINDOW + len(self.in_flight)

    @precondition(lambda self: self.refilling and self.snapshot is None)
    @rule()
    def read(self) -> None:
        self.snapshot = sorted(self.pending.items(), key=lambda row: (row[1], row[0]))[: self.limit]

    @precondition(lambda self: self.snapshot is not None)
    @rule()
    def end_refill(self) -> None:
        assert self.snapshot is not None
        rows = [row for row in self.snapshot if row[0] not in self.in_flight]
        end_refill(self.lane, rows, complete=len(self.snapshot) < self.limit)
        self.refilling, self.snapshot = False, None

    @precondition(lambda self: self.refilling)
    @rule()
    def fail_to_read(self) -> None:
        end_refill(self.lane, (), complete=False)
        self.refilling, self.snapshot = False, None

    @rule()
    def disable(self) -> None:
        self.pending.clear()
        self.lane.clear()

    @invariant()
    def the_window_is_bounded(self) -> None:
        assert len(self.lane) <= 2 * WINDOW

    @invariant()
    def whatever_is_due_gets_its_turn(self) -> None:
        waiting = [due for delivery, due in self.pending.items() if delivery not in self.in_flight]
        if waiting and min(waiting) <= self.now and not self.lane.needs_refill and not self.refilling:
            due = self.lane.next_due()
            assert due is not None
            assert due <= self.now

    def teardown(self) -> None:
        """In the end everything is given out, once."""
        if self.refilling:
            if self.snapshot is None:
                self.read()
            self.end_refill()
        self.now = FAR
        self.pending = {delivery: due for delivery, due in self.pending.items() if delivery not in self.in_flight}
        self.in_flight.clear()
        while self.pending:
            if self.lane.needs_refill:
                self.begin_refill()
                self.read()
                self.end_refill()
            delivery = self.lane.pop_due(self.now, busy=())
            assert delivery is not None, f"{len(self.pending)} were lost"
            self.pending.pop(delivery, None)

    def _commit(self, delivery: str, due: int) -> None:
        self.pending[delivery] = due
        put(self.lane, delivery, due)


TestLaneMachine = LaneMachine.TestCase
TestLaneMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
