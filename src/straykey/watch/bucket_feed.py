"""A trail's bucket, listed again and again: for where nobody has set up a queue."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from threading import Lock

from straykey.errors import SourceError, UsageError
from straykey.sources import s3
from straykey.sources.layout import Days, parse
from straykey.sources.notice import ObjectRef
from straykey.watch.feed import Parcel

_AT_ONCE = 50  # objects in a parcel
_EVERY_SECONDS = 60.0
_LATE = timedelta(days=2)  # a log may come into the folder of a day that is over


class BucketFeed:
    """Gives each object once; the store knows which of them were folded before this process began.

    The first listing goes back to `since`, or to the beginning; later ones look into the folders of the last days only.
    `position` is what was stored of an earlier process: the day up to which it had given out all, and all was stored.
    """

    gives_up_after: int | None = None
    hold_seconds = 3600

    def __init__(
        self,
        url: str,
        since: date | None,
        position: str = "",
        *,
        today: Callable[[], date],
        seconds: Callable[[], float],
        wait: Callable[[float], object],
    ) -> None:
        self.name = url
        self._today, self._seconds, self._wait = today, seconds, wait
        # A clock may have been ahead when that was written.
        self._since = min(date.fromisoformat(position), today()) - _LATE if position else since
        self._bound = since or date.min
        self._next = seconds()
        self._listed: date | None = None  # when that was, until it is told
        self._told = position
        self._left: deque[ObjectRef] = deque()
        self._known: dict[ObjectRef, date | None] = {}  # what was given, or is to be, and its day
        # Given, and not acknowledged; how often; and what of it is to be given again, and when.
        self._lock = Lock()
        self._out: dict[ObjectRef, int] = {}
        self._again: list[tuple[float, ObjectRef]] = []
        self._number = 0

    def receive(self, wait_seconds: float) -> list[Parcel]:
        found = self._ready()
        if found:
            return found
        early = self._next - self._seconds()
        if early > 0:
            self._wait(min(early, wait_seconds))
            return []
        self._list()
        return self._ready()

    def _ready(self) -> list[Parcel]:
        again = self._due()
        if again:
            return again
        if self._left:
            some = tuple(self._left.popleft() for _ in range(min(_AT_ONCE, len(self._left))))
            with self._lock:
                self._out.update(dict.fromkeys(some, 1))
            return [self._parcel(some)]
        return self._position() if self._listed and not self._out else []

    def _due(self) -> list[Parcel]:
        """What is to be tried again; each by itself, for others in a parcel would count as tried as often."""
        now = self._seconds()
        with self._lock:
            due = [ref for at, ref in self._again if at <= now][:_AT_ONCE]
            self._again = [one for one in self._again if one[1] not in due]
            for ref in due:
                self._out[ref] += 1
        return [self._parcel((ref,), self._out[ref]) for ref in due]

    def _parcel(self, some: tuple[ObjectRef, ...], tries: int = 1) -> Parcel:
        self._number += 1
        return Parcel(f"{self.name} {self._number}", tries, some)

    def _position(self) -> list[Parcel]:
        """All that was listed is stored: who begins anew need not look back further."""
        day, self._listed = f"{self._listed}", None
        if day == self._told:
            return []
        self._number += 1
        self._told = day
        return [Parcel(f"{self.name} {self._number}", position=day)]

    def _list(self) -> None:
        today = self._today()
        for ref in _logs_in(self.name, Days(self._since, None)):
            if ref not in self._known:
                log = parse(ref.key)
                self._known[ref] = log.day if log else None
                self._left.append(ref)
        # Only now: if that failed, who asks for it waits before he asks again.
        self._next = self._seconds() + _EVERY_SECONDS
        self._listed = today
        self._since = since = max(self._bound, today - _LATE)
        # What will not be listed any more need not be known.
        self._known = {ref: day for ref, day in self._known.items() if day is None or day >= since}

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        """The store knows what was folded."""
        with self._lock:
            for ref in _objects_of(parcels):
                self._out.pop(ref, None)

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        at = self._seconds() + seconds
        with self._lock:
            self._again += [(at, ref) for ref in _objects_of(parcels) if ref in self._out]

    def extend(self, parcels: Sequence[Parcel]) -> None:
        """Nothing: nobody else is given them."""

    def backlog(self) -> int | None:
        return len(self._left) + len(self._again)

    def is_behind(self) -> bool:
        """Until all of the first listing is stored."""
        return not self._told or bool(self._left)


def _logs_in(url: str, days: Days) -> Iterator[ObjectRef]:
    try:
        buckets = s3.find([url], days)
    except UsageError as error:
        raise SourceError(f"{error}: no log is there yet, or the prefix is wrong", hint=error.hint) from error
    for bucket in buckets:
        yield from (ObjectRef(bucket.name, one.key, one.size) for one in bucket.objects if one.is_log)


def _objects_of(parcels: Sequence[Parcel]) -> Iterator[ObjectRef]:
    return (ref for parcel in parcels for ref in parcel.objects)
