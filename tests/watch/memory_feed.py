"""A queue in memory: what is not acknowledged comes again, and whoever asks is told when nothing is left."""

from collections import deque
from collections.abc import Iterable, Sequence
from threading import Condition

import msgspec

from straykey.errors import SourceError
from straykey.watch.feed import Parcel


class MemoryFeed:
    """`fails` is how often it refuses to give anything."""

    hold_seconds = 30

    def __init__(self, parcels: Iterable[Parcel], *, fails: int = 0, gives_up_after: int | None = None) -> None:
        self.name = "memory"
        self.gives_up_after = gives_up_after
        self.acknowledged: list[str] = []
        self.released: list[tuple[str, int]] = []
        self.extended = 0
        self._fails = fails
        self._waiting = deque(parcels)
        self._out: dict[str, Parcel] = {}
        self._changed = Condition()

    def receive(self, wait_seconds: float) -> list[Parcel]:
        with self._changed:
            if self._fails:
                self._fails -= 1
                raise SourceError("queue memory: not now")
            if not self._waiting:
                self._changed.wait(min(wait_seconds, 0.05))
            some = [self._waiting.popleft() for _ in range(min(10, len(self._waiting)))]
            self._out.update({one.name: one for one in some})
            return some

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        with self._changed:
            for one in parcels:
                self._out.pop(one.name, None)
                self.acknowledged.append(one.name)
            self._changed.notify_all()

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        with self._changed:
            for one in parcels:
                if self._out.pop(one.name, None) is not None:
                    self.released.append((one.name, seconds))
                    self._waiting.append(msgspec.structs.replace(one, tries=one.tries + 1))
            self._changed.notify_all()

    def extend(self, parcels: Sequence[Parcel]) -> None:
        self.extended += len(parcels)

    def backlog(self) -> int | None:
        return len(self._waiting)

    def is_behind(self) -> bool:
        return False

    def is_done(self, wait_seconds: float) -> bool:
        """True once all is acknowledged."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._out, wait_seconds)

    def came_back(self, times: int, wait_seconds: float) -> bool:
        """True once so many parcels were released."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.released) >= times, wait_seconds)
