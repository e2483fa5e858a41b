"""Bounded sets that do not depend on the order things came in.

What is kept is always the lowest by one fixed order that nobody chooses: a checksum of the text, then the text.
Never "the first seen": two readers would keep different things.  Whatever falls out has as many lower ones before it
as the bound allows, and those never leave, so nothing that belongs to the end result was ever dropped on the way.

The checksums spread evenly, so the lowest of them also tell how many there were (k minimum values; Bar-Yossef et al.,
"Counting distinct elements in a data stream", 2002).
"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from straykey.core.calls import rank
from straykey.core.observation import Event

V = TypeVar("V")

_SPACE = 1 << 32
NO_CEILING = _SPACE


def lowest(texts: Iterable[str], keep: int) -> list[str]:
    """The `keep` texts that a bounded set of these holds."""
    return sorted(texts, key=lambda text: (rank(text), text))[:keep]


def lowest_beyond(texts: Iterable[str], keep: int) -> list[str]:
    """The texts that a bounded set of these lets fall."""
    return sorted(texts, key=lambda text: (rank(text), text))[keep:]


def trim(bounded: dict[str, V], keep: int) -> None:
    """Let fall all but the `keep` lowest keys."""
    if len(bounded) > keep:
        for text in lowest_beyond(bounded, keep):
            del bounded[text]


def distinct(kept: Iterable[str], keep: int, *, overflowed: bool) -> int:
    """How many distinct texts there were: exact until the bound was passed, estimated from the lowest beyond it."""
    texts = list(kept)
    if not overflowed:
        return len(texts)
    highest = max(rank(text) for text in texts)
    return max(keep + 1, round((keep - 1) * _SPACE / max(highest, 1)))


class Firsts(msgspec.Struct, gc=False, array_like=True):
    """Names, each with the earliest time it was seen."""

    times: dict[str, str] = {}
    overflowed: bool = False

    def note(self, name: str, time: str, keep: int) -> None:
        times = self.times
        known = times.get(name)
        if known is None:
            times[name] = time
            if len(times) > 2 * keep:
                self.settle(keep)
        elif time < known:
            times[name] = time

    def absorb(self, other: "Firsts", keep: int) -> None:
        self.overflowed |= other.overflowed
        for name, time in other.times.items():
            self.note(name, time, keep)

    def settle(self, keep: int) -> None:
        """Bring to the one form that any order of reading leads to."""
        self.overflowed |= len(self.times) > keep
        trim(self.times, keep)


class Witnesses(msgspec.Struct, gc=False, array_like=True):
    """Names, each with the earliest event that bore it: a single one is told among any number of others."""

    events: dict[str, Event] = {}
    overflowed: bool = False

    def note(self, name: str, event: Event, keep: int) -> None:
        known = self.events.get(name)
        if known is None:
            self.events[name] = event
            if len(self.events) > 2 * keep:
                self.settle(keep)
        elif event < known:
            self.events[name] = event

    def absorb(self, other: "Witnesses", keep: int) -> None:
        self.overflowed |= other.overflowed
        for name, event in other.events.items():
            self.note(name, event, keep)

    def settle(self, keep: int) -> None:
        """Bring to the one form that any order of reading leads to."""
        self.overflowed |= len(self.events) > keep
        trim(self.events, keep)


class Events(msgspec.Struct, gc=False, array_like=True):
    """A bounded sample of distinct events, from which they can be counted."""

    kept: dict[str, Event] = {}
    ceiling: int = NO_CEILING  # a rank above this cannot be among the lowest any more

    def wants(self, identity: str) -> bool:
        """False for an event that cannot be among the lowest any more."""
        return self.ceiling == NO_CEILING or rank(identity) <= self.ceiling

    def add(self, identity: str, event: Event, keep: int) -> None:
        if self.wants(identity):
            self.put(identity, event, keep)

    def put(self, identity: str, event: Event, keep: int) -> None:
        """Add what is wanted."""
        known = self.kept.get(identity)
        if known is None:
            self.kept[identity] = event
            if len(self.kept) > 2 * keep:
                self.settle(keep)
        elif event < known:
            self.kept[identity] = event

    def absorb(self, other: "Events", keep: int) -> None:
        self.ceiling = min(self.ceiling, other.ceiling)
        for identity, event in other.kept.items():
            self.add(identity, event, keep)

    def settle(self, keep: int) -> None:
        """Bring to the one form that any order of reading leads to."""
        if len(self.kept) > keep:
            trim(self.kept, keep)
            self.ceiling = min(self.ceiling, max(rank(identity) for identity in self.kept))

    @property
    def overflowed(self) -> bool:
        return self.ceiling < NO_CEILING

    def count(self, keep: int) -> int:
        """How many distinct events there were: exact up to `keep`."""
        return distinct(self.kept, keep, overflowed=self.overflowed)
