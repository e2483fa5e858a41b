"""Calls that have nearly everything in common, kept together.

Most records say again what one before them said: the same session, with the same key, from the same network, by the
same program, the same call, a second later.  Of such a record only its time and its id are news: its *stamp*.
"""

from zlib import crc32

import msgspec

from straykey.core.observation import Caller, Event

TIME = 20  # how many letters of a stamp are its time; what follows is its event's id


def rank(text: str) -> int:
    """A number below 2**32 that depends on `text` alone, the same in every process."""
    return crc32(text.encode("utf-8", "replace"))


class Alike(msgspec.Struct, gc=False, array_like=True):
    """Calls of one kind: their stamps in order, one at least."""

    call: str
    region: str
    agent: str
    error: str
    stamps: list[str]


class Calls(msgspec.Struct, gc=False, array_like=True):
    """What one caller called; one kind at least."""

    caller: Caller
    kinds: list[Alike]

    @property
    def count(self) -> int:
        return sum([len(kind.stamps) for kind in self.kinds])

    @property
    def earliest(self) -> str:
        """The first of all stamps."""
        return min([kind.stamps[0] for kind in self.kinds])

    @property
    def first(self) -> Event:
        return min([self.event(kind, kind.stamps[0]) for kind in self.kinds])

    @property
    def last(self) -> Event:
        """By time and id; of copies of one event the last of them."""
        latest = max([kind.stamps[-1] for kind in self.kinds])
        return max([self.event(kind, latest) for kind in self.kinds if kind.stamps[-1] == latest])

    def event(self, kind: Alike, stamp: str) -> Event:
        """What is kept of one call."""
        return Event(stamp[:TIME], stamp[TIME:], kind.call, kind.region, self.caller.access_key, kind.agent, kind.error)


def hours_of(calls: list[Calls]) -> set[str]:
    """All hours in which there were calls."""
    hours: set[str] = set()
    for one in calls:
        for kind in one.kinds:
            stamps = kind.stamps
            if stamps[0][:13] == stamps[-1][:13]:
                hours.add(stamps[0][:13])
            else:
                hours.update([stamp[:13] for stamp in stamps])
    return hours


def thinned(calls: list[Calls], keep: int) -> list[Calls]:
    """Fewer calls from one network, of which the same comes where no more than `keep` are kept as a sample.

    Of each kind these stay: what is of the sample, the first, the last, and one of each hour.
    """
    # `rank` of each, without the price of a call: nothing is done more often here.
    ranks = [[crc32(stamp[TIME:].encode()) for stamp in kind.stamps] for one in calls for kind in one.kinds]
    lowest = sorted({number for of_kind in ranks for number in of_kind})
    ceiling = lowest[min(keep, len(lowest) - 1)]  # one more than is kept, or it would not show that there were more
    left = iter(ranks)
    return [Calls(one.caller, [_thinned(kind, next(left), ceiling) for kind in one.kinds]) for one in calls]


def _thinned(kind: Alike, ranks: list[int], ceiling: int) -> Alike:
    stamps = kind.stamps
    first, last = stamps[0], stamps[-1]
    kept = {stamp for stamp, number in zip(stamps, ranks, strict=True) if number <= ceiling}
    kept.update((first, last))
    if first[:13] != last[:13]:
        kept.update({stamp[:13]: stamp for stamp in stamps}.values())
    return Alike(kind.call, kind.region, kind.agent, kind.error, sorted(kept))
