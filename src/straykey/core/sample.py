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

from straykey.core.calls import ID_OF, Calls, rank, ranks
from straykey.core.observation import Event

V = TypeVar("V")

_SPACE = 1 << 32
NO_CEILING = _SPACE


def lowest(texts: Iterable[str], keep: int) -> list[str]:
    """The `keep` texts that a bounded set of these holds."""
    return [text for _, text in ranked(texts)[:keep]]


def ranked(texts: Iterable[str]) -> list[tuple[int, str]]:
    """The texts, each behind its rank, in the order in which bounded sets keep them."""
    them = list(texts)
    return sorted(zip(ranks(them), them, strict=True))


def trim(bounded: dict[str, V], keep: int) -> None:
    """Let fall all but the `keep` lowest keys."""
    if len(bounded) > keep:
        for _, text in ranked(bounded)[keep:]:
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
    """A bounded sample of distinct events, from which they can be counted.

    From `undrawn` calls the sample is drawn when somebody asks: of most sessions nobody does.
    """

    drawn: dict[str, Event] = {}
    limit: int = NO_CEILING  # a rank above this cannot be among the lowest any more
    undrawn: list[Calls] = []
    most: int = 0  # how many of the undrawn are kept

    @property
    def kept(self) -> dict[str, Event]:
        self.draw()
        return self.drawn

    def add(self, identity: str, event: Event, keep: int) -> None:
        if self.limit == NO_CEILING or rank(identity) <= self.limit:
            self._put(identity, event, keep)

    def _put(self, identity: str, event: Event, keep: int) -> None:
        known = self.drawn.get(identity)
        if known is None:
            self.drawn[identity] = event
            if len(self.drawn) > 2 * keep:
                self._trim(keep)
        elif event < known:
            self.drawn[identity] = event

    def absorb(self, other: "Events", keep: int) -> None:
        self.draw()
        self.limit = min(self.limit, other.limit)
        for identity, event in other.drawn.items():
            self.add(identity, event, keep)
        self._draw_from(other.undrawn, keep)

    def settle(self, keep: int) -> None:
        """Bring to the one form that any order of reading leads to, once it is drawn."""
        if not self.undrawn:
            self._trim(keep)

    def draw(self) -> None:
        """Draw the sample now."""
        calls, most = self.undrawn, self.most
        self.undrawn, self.most = [], 0
        if calls:
            self._draw_from(calls, most)
            self._trim(most)

    def _draw_from(self, calls: list[Calls], keep: int) -> None:
        for one in calls:
            for kind in one.kinds:
                identities = list(map(ID_OF, kind.stamps))
                for stamp, identity, number in zip(kind.stamps, identities, ranks(identities), strict=True):
                    if number <= self.limit:
                        self._put(identity, one.event(kind, stamp), keep)

    def _trim(self, keep: int) -> None:
        if len(self.drawn) > keep:
            in_order = ranked(self.drawn)
            for _, identity in in_order[keep:]:
                del self.drawn[identity]
            self.limit = min(self.limit, in_order[keep - 1][0])

    @property
    def overflowed(self) -> bool:
        self.draw()
        return self.limit < NO_CEILING

    def count(self, keep: int) -> int:
        """How many distinct events there were: exact up to `keep`."""
        if self.undrawn and not self.drawn and keep == self.most:
            identities = {ID_OF(stamp) for one in self.undrawn for kind in one.kinds for stamp in kind.stamps}
            few = lowest(identities, keep) if len(identities) > keep else identities
            return distinct(few, keep, overflowed=len(identities) > keep)
        return distinct(self.kept, keep, overflowed=self.overflowed)
