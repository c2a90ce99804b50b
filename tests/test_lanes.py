"""A lane: a bounded window of what is pending, which loses nothing between memory and disk."""

from __future__ import annotations

from collections.abc import Iterable

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hookbin.dispatch.lanes import WINDOW, Lane

FAR = 10**9


def put(lane: Lane, delivery: str, due: int) -> None:
    lane.put(delivery, due=due, turn=0)


def end_refill(lane: Lane, rows: Iterable[tuple[str, int]], *, complete: bool) -> None:
    lane.end_refill([(delivery, due, 0) for delivery, due in rows], complete=complete)


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
                assert self.pending[delivery] <= self.now
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
        complete = len(self.snapshot) < self.limit
        end_refill(self.lane, rows, complete=complete)
        assert not (complete and self.lane.needs_refill), "it holds all"
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
            assert due <= min(waiting), "the earliest comes first"

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
