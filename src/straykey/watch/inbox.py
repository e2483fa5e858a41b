"""Parcels in our hands: received, not yet acknowledged; held on to for as long as that takes."""

from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Lock

import structlog

from straykey.errors import SourceError
from straykey.watch.feed import Feed, Parcel

_MOST_WAITING = 2_000  # parcels that wait to be folded; beyond that nothing is received
_MOST_BYTES = 32 << 20  # before unpacking: so much is folded in seconds
_WAIT_SECONDS = 5.0  # a process that is told to stop waits for so long: some supervisors give it ten
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0

_log = structlog.get_logger("straykey.watch")

Held = tuple[Feed, Parcel]


class Inbox:
    """Filled by one thread for each feed, emptied by one; a thread of its own keeps what is in hand from others."""

    def __init__(self) -> None:
        self._waiting: Queue[Held] = Queue(_MOST_WAITING)
        self._held: dict[tuple[str, str], Held] = {}
        self._lock = Lock()
        self.failing: dict[str, str] = {}  # by feed: why nothing comes

    def receive(self, feed: Feed, stop: Event) -> None:
        """Take in what a feed has, until stopped; a feed that fails is asked again, later and later."""
        pause = _FIRST_PAUSE_SECONDS
        while not stop.is_set():
            try:
                parcels = feed.receive(_WAIT_SECONDS)
            except SourceError as error:
                _log.warning("source", name=feed.name, problem=str(error), hint=error.hint)
                self.failing[feed.name] = str(error)
                stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            pause = _FIRST_PAUSE_SECONDS
            self.failing.pop(feed.name, None)
            for parcel in parcels:
                with self._lock:
                    self._held[feed.name, parcel.name] = (feed, parcel)
                self._put((feed, parcel), stop)

    def _put(self, held: Held, stop: Event) -> None:
        while not stop.is_set():
            with suppress(Full):
                self._waiting.put(held, timeout=1)
                return

    def take(self, wait_seconds: float, most: int) -> list[Held]:
        """What waits, up to so many objects, and so many bytes of them; waits for the first."""
        taken: list[Held] = []
        objects = size = 0
        with suppress(Empty):
            taken.append(self._waiting.get(timeout=wait_seconds))
            while True:
                refs = taken[-1][1].objects
                objects, size = objects + max(1, len(refs)), size + sum(ref.size or 0 for ref in refs)
                if objects >= most or size >= _MOST_BYTES:
                    break
                taken.append(self._waiting.get_nowait())
        return taken

    def let_go(self, done: list[Held]) -> None:
        """These are in our hands no more."""
        with self._lock:
            for feed, parcel in done:
                known = self._held.get((feed.name, parcel.name))
                if known is not None and known[1] is parcel:  # else it was given to us once more meanwhile
                    del self._held[feed.name, parcel.name]

    def in_hand(self) -> dict[str, tuple[Feed, list[Parcel]]]:
        """By feed."""
        found: dict[str, tuple[Feed, list[Parcel]]] = {}
        with self._lock:
            for feed, parcel in self._held.values():
                found.setdefault(feed.name, (feed, []))[1].append(parcel)
        return found
