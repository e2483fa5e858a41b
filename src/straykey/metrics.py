"""What `watch` counts and measures, for Prometheus; the one module that imports prometheus_client, once it is needed.

A label is a member of an enumeration or the name of a sink, never text from a log: a thief who could make up values
could make up as many time series as it takes to bring the monitoring down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING

from straykey import __version__
from straykey.core.finding import FindingType, Severity
from straykey.core.record import Skipped
from straykey.errors import UsageError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# In seconds.  CloudTrail itself is minutes late; straykey means to add less than one.
_LAG = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_WORK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_UNKNOWN = float("nan")


class Delivery(StrEnum):
    """What became of one attempt to tell a sink of a finding."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    PARKED = "parked"


class Metrics:
    """All metrics of one process; may be used by any thread.

    Each series is there from the beginning, at 0, so that an alert sees the first change.
    """

    def __init__(self, sinks: Iterable[str], clock: Callable[[], datetime]) -> None:
        """`sinks` are the names of all there are; another is a KeyError.  Raises `UsageError` without the library."""
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UsageError("metrics need prometheus-client", hint="pip install 'straykey[watch]'") from error
        self._clock = clock
        self._newest: datetime | None = None
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._count(sorted(sinks))
        self._measure()

    def _count(self, sinks: list[str]) -> None:
        from prometheus_client import Counter, Gauge  # noqa: PLC0415 - an extra

        def counter(name: str, told: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"straykey_{name}", told, labels, registry=self._registry)

        def by_sink(name: str, told: str) -> dict[str, Gauge]:
            gauge = Gauge(f"straykey_{name}", told, ("sink",), registry=self._registry)
            return {sink: gauge.labels(sink) for sink in sinks}

        kinds = list(product(FindingType, Severity))
        opened = counter("findings_opened", "Findings opened, or opened again.", ("type", "severity"))
        resolved = counter("findings_resolved", "Findings resolved by what came later.", ("type", "severity"))
        skipped = counter("skipped", "Records and files that gave nothing, by reason.", ("reason",))
        deliveries = counter("deliveries", "Attempts to tell a sink of a finding, by outcome.", ("sink", "outcome"))
        self._records = counter("records", "Records folded.")
        self._objects = counter("objects", "Objects folded.")
        self._messages = counter("messages", "Messages of the queue that were done with.")
        self._skipped = {reason: skipped.labels(reason.name.lower()) for reason in Skipped}
        self._opened = {(kind, severity): opened.labels(kind.value, severity.value) for kind, severity in kinds}
        self._resolved = {(kind, severity): resolved.labels(kind.value, severity.value) for kind, severity in kinds}
        self._deliveries = {
            (sink, outcome): deliveries.labels(sink, outcome.value) for sink, outcome in product(sinks, Delivery)
        }
        self._pending = by_sink("outbox_pending", "Findings that a sink is still to be told of.")
        self._parked = by_sink("outbox_parked", "Findings that a sink would not take, put aside to be looked at.")

    def _measure(self) -> None:
        from prometheus_client import Gauge, Histogram  # noqa: PLC0415 - an extra

        def gauge(name: str, told: str, labels: tuple[str, ...] = ()) -> Gauge:
            return Gauge(f"straykey_{name}", told, labels, registry=self._registry)

        def histogram(name: str, told: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"straykey_{name}", told, registry=self._registry, buckets=buckets)

        gauge("build_info", "Always 1; the version that runs.", ("version",)).labels(__version__).set(1)
        self._quarantine = gauge("quarantine", "Objects and messages put aside because they could not be read.")
        self._backlog = gauge("backlog", "Messages that wait in the queue, more or less; NaN until the queue told.")
        self._sessions = gauge("sessions", "Sessions that are kept.")
        age = gauge("newest_record_age_seconds", "How old the newest record is; NaN until one was read.")
        age.set_function(self._age)
        self._backlog.set(_UNKNOWN)
        lag = "From the notification of an object, or the arrival of a record, to its commit."
        self._lag = histogram("notification_to_commit_seconds", lag, _LAG)
        self._commit = histogram("commit_seconds", "How long a commit takes.", _WORK)
        self._judge = histogram("judge_seconds", "How long judging takes after a commit.", _WORK)

    def folded(
        self, *, records: int, objects: int, messages: int, skipped: Mapping[Skipped, int], newest: datetime | None
    ) -> None:
        """What one commit took in; `newest` is the time of its newest record."""
        self._records.inc(records)
        self._objects.inc(objects)
        self._messages.inc(messages)
        for reason, count in skipped.items():
            self._skipped[reason].inc(count)
        if newest is not None and (self._newest is None or newest > self._newest):
            self._newest = newest

    def committed(self, seconds: float, lags_seconds: Iterable[float]) -> None:
        """How long a commit took, and how long each message of it had been on its way."""
        self._commit.observe(seconds)
        for lag in lags_seconds:
            self._lag.observe(max(0.0, lag))  # clocks of two machines differ

    def judged(self, seconds: float, sessions: int) -> None:
        """How long it took; how many sessions there are."""
        self._judge.observe(seconds)
        self._sessions.set(sessions)

    def opened(self, kind: FindingType, severity: Severity) -> None:
        self._opened[kind, severity].inc()

    def resolved(self, kind: FindingType, severity: Severity) -> None:
        self._resolved[kind, severity].inc()

    def attempted(self, sink: str, outcome: Delivery) -> None:
        self._deliveries[sink, outcome].inc()

    def waiting(self, sink: str, *, pending: int, parked: int) -> None:
        """What the outbox holds for the sink."""
        self._pending[sink].set(pending)
        self._parked[sink].set(parked)

    def put_aside(self, quarantine: int) -> None:
        """How much there is in quarantine."""
        self._quarantine.set(quarantine)

    def behind(self, backlog: int) -> None:
        """How many messages the queue says are waiting."""
        self._backlog.set(backlog)

    def _age(self) -> float:
        return _UNKNOWN if self._newest is None else max(0.0, (self._clock() - self._newest).total_seconds())

    def text(self) -> bytes:
        """All of it, in Prometheus's text format (`CONTENT_TYPE`)."""
        from prometheus_client import generate_latest  # noqa: PLC0415 - an extra

        return generate_latest(_Plain(self._registry))


class _Plain:
    """A registry without the time each series was made at, which doubles what is sent and tells nothing here."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
