"""What `/metrics` counts. Captures, events and attempts are counted as they are committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from hookbin.models.announcements import Announcement
from hookbin.models.common import SECOND
from hookbin.models.deliveries import AttemptSummary, DeliveryState
from hookbin.models.events import EventSummary
from hookbin.models.requests import RequestSummary

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ENDED = (DeliveryState.SUCCEEDED, DeliveryState.FAILED)
"""By an attempt; what is cancelled is not counted."""
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """One registry of our own, so that two servers in one process don't share their numbers."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._captures = Counter("hookbin_captures", "Requests captured in bins", registry=registry)
        self._events = Counter("hookbin_events", "Events published", registry=registry)
        self._attempts = Counter(
            "hookbin_attempts", "Attempts at deliveries, by what they led to", ["outcome"], registry=registry
        )
        self._deliveries = Counter("hookbin_deliveries", "Deliveries that ended, by how", ["state"], registry=registry)
        self._duration = Histogram(
            "hookbin_attempt_duration_seconds", "Time an attempt took", buckets=_SECONDS, registry=registry
        )
        self._batch_rows = Histogram(
            "hookbin_commit_batch_size", "Pieces of work that one commit wrote", buckets=_ROWS, registry=registry
        )
        self._batch_seconds = Histogram(
            "hookbin_commit_seconds", "Time from taking a batch to its commit", buckets=_SECONDS, registry=registry
        )
        for state in _ENDED:
            self._deliveries.labels(state)

    def observe_batch(self, rows: int, seconds: float) -> None:
        self._batch_rows.observe(rows)
        self._batch_seconds.observe(seconds)

    def committed(self, rows: Sequence[Announcement]) -> None:
        """Count what a commit wrote, each number in one step: a step takes a lock."""
        captures = events = 0
        outcomes: dict[str, int] = {}
        ended: dict[DeliveryState, int] = {}
        for row in rows:
            if isinstance(row, RequestSummary):
                captures += 1
            elif isinstance(row, EventSummary):
                events += 1
            elif isinstance(row, AttemptSummary):
                outcome = row.error if row.error is not None else f"{(row.status or 0) // 100}xx"
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
                ended[row.delivery_state] = ended.get(row.delivery_state, 0) + 1
                self._duration.observe(row.duration / SECOND)
        if captures:
            self._captures.inc(captures)
        if events:
            self._events.inc(events)
        for outcome, count in outcomes.items():
            self._attempts.labels(outcome).inc(count)
        for state in _ENDED:
            if state in ended:
                self._deliveries.labels(state).inc(ended[state])

    def watch(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Show what `read` returns, as a gauge of that name."""
        Gauge(name, help, registry=self._registry).set_function(read)

    def watch_count(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Show what `read` returns, which never falls, as a counter."""
        self._registry.register(_ReadCounter(name, help, read))

    def numbers(self) -> list[tuple[str, float]]:
        """What each gauge and plain counter means, and how much it is now."""
        families = [each for each in self._registry.collect() if each.type in ("gauge", "counter")]
        return [
            (each.documentation, sample.value)
            for each in families
            for sample in each.samples
            if not sample.labels and not sample.name.endswith("_created")
        ]

    def render(self) -> bytes:
        return generate_latest(self._registry)


class _ReadCounter(Collector):
    """A count that somebody else keeps."""

    def __init__(self, name: str, help: str, read: Callable[[], float]) -> None:
        self._name = name
        self._help = help
        self._read = read

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(self._name, self._help, value=self._read())
