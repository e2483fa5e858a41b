"""CloudTrail's event history of one region, asked for again and again: a first look with nothing set up.

AWS gives it from the newest event back, two calls a second.  How far it was read is stored with what was read, so that
a process that begins anew goes on where the last one was.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from straykey.core.envelope import Decoded
from straykey.core.moment import moment
from straykey.core.record import Skipped
from straykey.core.salvage import joined
from straykey.errors import SourceError
from straykey.ports import Source
from straykey.sources.history import Window
from straykey.watch.feed import Parcel

_EVERY_SECONDS = 120.0
# Events come into the history minutes after they were made, and not in order.
_LATE = timedelta(minutes=30)
_LONG = timedelta(hours=1)


class Reached(msgspec.Struct, frozen=True):
    """All was read up to `done`.  A reading that began at `began` goes back from there, and has come to `back`."""

    done: datetime | None = None
    began: datetime | None = None
    back: datetime | None = None

    def window(self, now: datetime) -> Window:
        """What is to be read next."""
        return Window(self.done - _LATE if self.done else None, self.back or now)


class HistoryFeed:
    """`read` gives the history of a window, a page at a time; `position` is what was stored of an earlier process.

    Where there is none, the first look goes back to `since`; to the beginning, if that is None.
    """

    gives_up_after: int | None = None
    hold_seconds = 3600

    def __init__(
        self,
        name: str,
        read: Callable[[Window], Source],
        position: str,
        *,
        since: datetime | None = None,
        now: Callable[[], datetime],
        seconds: Callable[[], float],
        wait: Callable[[float], object],
    ) -> None:
        self.name = name
        self._read = read
        self._reached = msgspec.json.decode(position, type=Reached) if position else Reached(done=since)
        self._has_looked = False
        self._now, self._seconds, self._wait = now, seconds, wait
        self._next = seconds()
        self._pages: Iterator[Parcel] = iter(())
        self._number = 0

    def receive(self, wait_seconds: float) -> list[Parcel]:
        parcel = next(self._pages, None)
        if parcel is None:
            early = self._next - self._seconds()
            if early > 0:
                self._wait(min(early, wait_seconds))
                return []
            self._pages = self._parcels()
            parcel = next(self._pages)  # one at least, or it fails: who asks for it waits before he asks again
        return [parcel]

    def _parcels(self) -> Iterator[Parcel]:
        began = self._reached.began or self._now()
        for batch in self._read(self._reached.window(began)).batches():
            page = joined(batch.portions)
            if page.skipped.get(Skipped.REFUSED):
                raise SourceError(f"{self.name}: AWS gave no more of it", hint="it is asked again")
            self._reached = msgspec.structs.replace(self._reached, began=began, back=_oldest(page, self._reached.back))
            yield self._parcel(page)
        self._reached, self._has_looked = Reached(done=began), True
        self._next = self._seconds() + _EVERY_SECONDS
        yield self._parcel(Decoded())

    def _parcel(self, page: Decoded) -> Parcel:
        self._number += 1
        position = msgspec.json.encode(self._reached).decode()
        return Parcel(f"{self.name} {self._number}", records=page, position=position)

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        """Nothing: how far it was read is stored."""

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        """Nothing: it was folded, or this process ends."""

    def extend(self, parcels: Sequence[Parcel]) -> None:
        """Nothing: nobody else is given them."""

    def backlog(self) -> int | None:
        return None

    def is_behind(self) -> bool:
        """Until the first look of this process is done, and while one is that began long after the last."""
        done, began = self._reached.done, self._reached.began
        return not self._has_looked or done is None or (began is not None and began - done > _LONG)


def _oldest(page: Decoded, known: datetime | None) -> datetime | None:
    times = [at for record in page.records if (at := moment(record.time)) is not None]
    oldest = datetime.fromisoformat(min(times)).astimezone(UTC) if times else None
    return min(filter(None, (oldest, known)), default=None)
