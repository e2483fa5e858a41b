"""How a process that watches gets on: what it counts of itself, for those who look after it."""

from collections import deque
from collections.abc import Callable

import msgspec

from straykey.stores.progress import Worker
from straykey.watch.batch import Batch

_MINUTE_SECONDS = 60.0


class Clock(msgspec.Struct, frozen=True):
    """`now` is in the form of `core.moment`; `seconds` never goes back; `since_1970` is now in seconds."""

    now: Callable[[], str]
    seconds: Callable[[], float]
    since_1970: Callable[[], float] = lambda: 0.0


class Pace:
    """Counts since the process began."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._worker = Worker(name, clock.now(), clock.now())
        self._last: deque[tuple[float, int]] = deque()  # when, and how many records

    def worker(self, batch: Batch, backlog: int | None) -> Worker:
        """What is told of this process once `batch` is committed; nothing is counted yet."""
        known, now = self._worker, self._clock.now()
        return msgspec.structs.replace(
            known,
            at=now,
            records=known.records + batch.records,
            objects=known.objects + len(batch.objects),
            newest=max(known.newest, min(batch.newest, now)),  # a record may say anything
            object_name=batch.last or known.object_name,
            rate=self._rate(batch.records),
            backlog=known.backlog if backlog is None else backlog,
        )

    def note(self, batch: Batch) -> None:
        """It is committed."""
        self._worker = self.worker(batch, None)
        self._last.append((self._clock.seconds(), batch.records))

    def newest(self) -> str:
        """The time of the newest record; never ahead of the clock.  Empty while nothing was read."""
        return min(self._clock.now(), self._worker.newest)

    def _rate(self, more: int) -> float:
        since = self._clock.seconds() - _MINUTE_SECONDS
        while self._last and self._last[0][0] < since:
            self._last.popleft()
        return round((sum(records for _, records in self._last) + more) / _MINUTE_SECONDS, 1)
