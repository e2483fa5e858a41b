"""What a process that watches says of its work, in logs and in metrics."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import structlog

from straykey.metrics import Delivery, Metrics
from straykey.stores.outbox import State
from straykey.watch.batch import Batch
from straykey.watch.commit import Committed

_log = structlog.get_logger("straykey.watch")


class Report:
    """Without `metrics` it only logs."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics

    def committed(
        self, batch: Batch, done: Committed, *, seconds: float, lags: Iterable[float], messages: int, sessions: int
    ) -> None:
        """`seconds` are those of the commit; `lags` how long each message had been on its way, in seconds."""
        if batch.records or batch.objects:
            _log.debug("committed", records=batch.records, objects=len(batch.objects), seconds=round(seconds, 3))
        for name, trouble in batch.troubles.items():
            _log.warning(trouble.state.value, name=name, problem=trouble.reason, tries=trouble.tries)
        for name, lost in batch.losses.items():
            told = {reason.name.lower(): count for reason, count in lost.items()}
            _log.warning("damaged", name=name, lost=told)
        verdicts = done.verdicts
        for finding in verdicts.opened if verdicts else ():
            _log.warning("opened", finding=finding.id, severity=finding.severity.value, title=finding.title)
        for finding in verdicts.over if verdicts else ():
            _log.info("resolved", finding=finding.id, title=finding.title)
        if self._metrics is not None:
            self._count(self._metrics, batch, done, messages)
            self._metrics.committed(seconds, lags)
            if verdicts is not None:
                self._metrics.judged(done.judged_seconds, sessions)

    def _count(self, metrics: Metrics, batch: Batch, done: Committed, messages: int) -> None:
        metrics.folded(
            records=batch.records,
            objects=len(batch.objects),
            messages=messages,
            skipped=batch.skipped,
            newest=datetime.fromisoformat(batch.newest) if batch.newest else None,
        )
        for finding in done.verdicts.opened if done.verdicts else ():
            metrics.opened(finding.type, finding.severity)
        for finding in done.verdicts.over if done.verdicts else ():
            metrics.resolved(finding.type, finding.severity)

    def stands(self, waiting: Mapping[tuple[str, State], int], sinks: Iterable[str], quarantine: int) -> None:
        """How many notifications wait or are parked, and how much is in quarantine."""
        if self._metrics is None:
            return
        for sink in sinks:
            pending, parked = (waiting.get((sink, state), 0) for state in (State.WAITING, State.PARKED))
            self._metrics.waiting(sink, pending=pending, parked=parked)
        self._metrics.put_aside(quarantine)

    def behind(self, backlog: int | None) -> None:
        if self._metrics is not None and backlog is not None:
            self._metrics.behind(backlog)

    def attempted(self, sink: str, outcome: Delivery, count: int) -> None:
        if self._metrics is not None:
            for _ in range(count):
                self._metrics.attempted(sink, outcome)
