"""Attempts recorded together: what is written and told is what each by itself would lead to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from hookbin.models.deliveries import Action, Attempt, Delivery, DeliveryState, Trigger
from hookbin.models.webhooks import Webhook
from hookbin.store import webhooks
from hookbin.store.connections import migrate, migrations
from hookbin.store.publishing import MetaEvents, Publication, insert, insert_all
from hookbin.store.record_attempts import Ending, finish_all, finish_one
from hookbin.store.transaction import Transaction
from tests.builders import NOW, a_delivery, a_webhook, an_attempt, an_event

Ended: TypeAlias = tuple[int, Action, str | None, Trigger, bool]
"""Which delivery, what the outcome means, why the webhook is disabled, the trigger, whether an event tells of it."""
PLACES = 6
DUE = 2_000_000_000_000_000

_states = st.sampled_from(list(DeliveryState))
_standing = st.tuples(_states, st.sampled_from(list(Trigger)))


def _ending(most: int) -> st.SearchStrategy[Ended]:
    return st.tuples(
        st.integers(0, most),
        st.sampled_from([Action.SUCCEED, Action.SUCCEED, Action.RESCHEDULE, Action.FAIL]),
        st.sampled_from([None, None, None, "410"]),
        st.sampled_from(list(Trigger)),
        st.booleans(),
    )


_each_once = st.lists(_ending(PLACES - 1), min_size=1, max_size=PLACES, unique_by=lambda ended: ended[0])
_some_twice_or_gone = st.lists(_ending(PLACES), min_size=1, max_size=8)
_disable_after = st.sampled_from([None, None, 1, 2])


@contextmanager
def database(hooks: Sequence[Webhook]) -> Iterator[tuple[Transaction, sqlite3.Connection]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, migrations())
        transaction = Transaction(connection, last_seq=0)
        for webhook in hooks:
            webhooks.add(transaction, webhook)
        yield transaction, connection


def led_to(transaction: Transaction) -> tuple[object, object]:
    """What is announced, and what the tables hold."""
    tables = ("webhooks", "events", "deliveries", "attempts")
    held = {table: sorted(transaction.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}
    return list(transaction.announcements), held


def one_by_one(transaction: Transaction, endings: Sequence[Ending]) -> list[Attempt]:
    return [finish_one(transaction, ending) for ending in endings]


@settings(max_examples=75, deadline=None)
@given(
    standing=st.lists(_standing, min_size=PLACES, max_size=PLACES),
    streaks=st.lists(st.tuples(_disable_after, st.integers(0, 2)), min_size=2, max_size=2),
    ended=_each_once | _some_twice_or_gone,
)
def test_together_they_lead_to_what_each_by_itself_leads_to(
    standing: list[tuple[DeliveryState, Trigger]],
    streaks: list[tuple[int | None, int]],
    ended: list[Ended],
) -> None:
    hooks = [
        a_webhook(f"wh_{number}", disable_after=after, exhausted_in_a_row=row)
        for number, (after, row) in enumerate(streaks)
    ]
    deliveries = [
        a_delivery(an_event(f"evt_{place}"), hooks[place % 2], state=state, next_trigger=trigger)
        for place, (state, trigger) in enumerate(standing)
    ]
    endings = [_make(deliveries, place, each) for place, each in enumerate(ended)]

    def run(finish: Callable[[Transaction, Sequence[Ending]], list[Attempt]]) -> tuple[object, object]:
        with database(hooks) as (transaction, _):
            for place, delivery in enumerate(deliveries):
                insert(transaction, Publication(event=an_event(f"evt_{place}"), deliveries=(delivery,)))
            return finish(transaction, endings), led_to(transaction)

    assert run(finish_all) == run(one_by_one)


def _make(deliveries: Sequence[Delivery], place: int, ended: Ended) -> Ending:
    which, action, disable, trigger, tells = ended
    gone = a_delivery(an_event("evt_gone"), a_webhook("wh_0"))
    delivery = deliveries[which] if which < len(deliveries) else gone
    due = DUE if action is Action.RESCHEDULE else None
    attempt = an_attempt(delivery, number=place + 1, trigger=trigger, next_attempt_at=due)
    told = Publication(event=an_event(f"evt_told_{place}"), deliveries=()) if tells else None
    return Ending(
        attempt=attempt,
        began=delivery,
        generation=place % 2,
        action=action,
        disable=disable,
        meta_events=MetaEvents(exhausted=told),
    )


def test_successes_of_a_batch_take_three_statements() -> None:
    hook = a_webhook()
    events = [an_event(f"evt_{number}") for number in range(64)]
    deliveries = [a_delivery(event, hook) for event in events]
    endings = [
        Ending(
            attempt=an_attempt(each),
            began=each,
            generation=0,
            action=Action.SUCCEED,
            disable=None,
            meta_events=MetaEvents(),
        )
        for each in deliveries
    ]
    with database([hook]) as (transaction, connection):
        insert_all(
            transaction,
            [Publication(event=event, deliveries=(each,)) for event, each in zip(events, deliveries, strict=True)],
        )
        said: list[str] = []
        connection.set_trace_callback(said.append)
        finish_all(transaction, endings)
        connection.set_trace_callback(None)
        assert [line.partition(" ")[0] for line in said if not line.startswith("--")] == ["SELECT", "INSERT", "WITH"]
        states = connection.execute("SELECT DISTINCT state, attempt_count, finished_at FROM deliveries").fetchall()
    assert states == [("succeeded", 1, NOW + 1_000)]


@given(wanted=st.lists(st.sets(st.integers(0, 3)), max_size=6))
@settings(max_examples=25, deadline=None)
def test_events_published_together_are_written_as_each_by_itself_would_be(wanted: list[set[int]]) -> None:
    hooks = [a_webhook(f"wh_{number}", disabled=number == 3) for number in range(4)]
    publications = []
    for place, numbers in enumerate(wanted):
        event = an_event(f"evt_{place}")
        made = tuple(a_delivery(event, hooks[number]) for number in sorted(numbers))
        publications.append(Publication(event=event, deliveries=made))
    with database(hooks) as (transaction, _):
        together = insert_all(transaction, publications), led_to(transaction)
    with database(hooks) as (transaction, _):
        apart = [insert(transaction, each) for each in publications], led_to(transaction)
    assert together == apart
