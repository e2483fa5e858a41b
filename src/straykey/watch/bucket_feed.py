"""A trail's bucket, listed again and again: for where nobody has set up a queue."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from straykey.errors import UsageError
from straykey.sources import s3
from straykey.sources.layout import Days
from straykey.sources.notice import ObjectRef
from straykey.watch.feed import Parcel

_AT_ONCE = 50  # objects in a parcel
_EVERY_SECONDS = 60.0
_LATE = timedelta(days=2)  # a log may come into the folder of a day that is over


class BucketFeed:
    """Gives each object once; the store knows which of them were folded before this process began.

    The first listing goes back to `since`, or to the beginning; later ones look into the folders of the last days only.
    """

    gives_up_after: int | None = None
    hold_seconds = 3600

    def __init__(
        self,
        url: str,
        since: date | None,
        *,
        today: Callable[[], date],
        seconds: Callable[[], float],
        wait: Callable[[float], object],
    ) -> None:
        self.name = url
        self._since = since
        self._today, self._seconds, self._wait = today, seconds, wait
        self._next = seconds()
        self._left: deque[ObjectRef] = deque()
        self._tries: dict[ObjectRef, int] = {}  # of all that was ever listed: how often it was given
        self._number = 0

    def receive(self, wait_seconds: float) -> list[Parcel]:
        if not self._left:
            early = self._next - self._seconds()
            if early > 0:
                self._wait(min(early, wait_seconds))
                return []
            self._list()
        some = tuple(self._left.popleft() for _ in range(min(_AT_ONCE, len(self._left))))
        if not some:
            return []
        for ref in some:
            self._tries[ref] += 1
        self._number += 1
        return [Parcel(f"{self.name} {self._number}", max(self._tries[ref] for ref in some), some)]

    def _list(self) -> None:
        self._next = self._seconds() + _EVERY_SECONDS
        today = self._today()
        try:
            buckets = s3.find([self.name], Days(self._since, None))
        except UsageError:
            return  # nothing there yet
        for bucket in buckets:
            for one in bucket.objects:
                ref = ObjectRef(bucket.name, one.key, one.size)
                if one.is_log and ref not in self._tries:
                    self._tries[ref] = 0
                    self._left.append(ref)
        self._since = max(self._since or today - _LATE, today - _LATE)

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        """Nothing: the store knows what was folded."""

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        self._left.extend(ref for parcel in parcels for ref in parcel.objects)

    def extend(self, parcels: Sequence[Parcel]) -> None:
        """Nothing: nobody else is given them."""

    def backlog(self) -> int | None:
        return len(self._left)
