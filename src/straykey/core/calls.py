"""Calls that have nearly everything in common, kept together.

Most records say again what one before them said: the same session, with the same key, from the same network, by the
same program, the same call, a second later.  Of such a record only its time and its id are news: its *stamp*.
"""

from zlib import crc32

import msgspec

from straykey.core.observation import Caller, Event

_NEVER = "~"  # later than any time
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

    These stay: the sample and one more, or it would not show that there were more; the first of each caller, of each
    program and of each call; the last of all; and one of each hour.
    """
    # `rank` of each, without the price of a call: nothing is done more often here.
    ranks = [[crc32(stamp[TIME:].encode()) for stamp in kind.stamps] for one in calls for kind in one.kinds]
    lowest = sorted({number for of_kind in ranks for number in of_kind})
    ceiling = lowest[min(keep, len(lowest) - 1)]
    firsts, latest = _firsts(calls), max([kind.stamps[-1] for one in calls for kind in one.kinds])
    missing, left = hours_of(calls), iter(ranks)
    few: list[Calls] = []
    for one in calls:
        kinds: list[Alike] = []
        earliest = one.earliest
        for kind in one.kinds:
            kept = {stamp for stamp, number in zip(kind.stamps, next(left), strict=True) if number <= ceiling}
            ends = {earliest, latest, firsts["call", kind.call], firsts["agent", kind.agent]}
            kept.update(ends & {kind.stamps[0], kind.stamps[-1]})
            missing -= {stamp[:13] for stamp in kept}
            if missing:
                of_hours = {stamp[:13]: stamp for stamp in kind.stamps}
                kept.update([of_hours[hour] for hour in missing & of_hours.keys()])
                missing -= of_hours.keys()
            if kept:
                kinds.append(Alike(kind.call, kind.region, kind.agent, kind.error, sorted(kept)))
        few.append(Calls(one.caller, kinds))
    return few


def _firsts(calls: list[Calls]) -> dict[tuple[str, str], str]:
    """The first stamp of each call and of each program."""
    firsts: dict[tuple[str, str], str] = {}
    for one in calls:
        for kind in one.kinds:
            for name in (("call", kind.call), ("agent", kind.agent)):
                if kind.stamps[0] < firsts.get(name, _NEVER):
                    firsts[name] = kind.stamps[0]
    return firsts
