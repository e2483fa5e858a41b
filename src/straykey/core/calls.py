"""Calls that have nearly everything in common, kept together.

Most records say again what one before them said: the same session, with the same key, from the same network, by the
same program, the same call, a second later.  Of such a record only its time and its id are news: its *stamp*.
"""

from collections.abc import Sequence
from operator import itemgetter
from zlib import crc32

import msgspec

from straykey.core.observation import Caller, Event

_NEVER = "~"  # later than any time
TIME = 20  # how many letters of a stamp are its time; what follows is its event's id
ID_OF = itemgetter(slice(TIME, None))


def rank(text: str) -> int:
    """A number below 2**32 that depends on `text` alone, the same in every process."""
    return crc32(text.encode("utf-8", "replace"))


def ranks(texts: Sequence[str]) -> list[int]:
    """`rank` of each, without the price of a call: nothing is done more often."""
    try:
        return list(map(crc32, map(str.encode, texts)))
    except UnicodeEncodeError:  # half of a surrogate pair
        return [rank(text) for text in texts]


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
    def latest(self) -> str:
        """The last of all stamps."""
        return max([kind.stamps[-1] for kind in self.kinds])

    @property
    def first(self) -> Event:
        return min([self.event(kind, kind.stamps[0]) for kind in self.kinds])

    @property
    def last(self) -> Event:
        """By time and id; of copies of one event the last of them."""
        latest = self.latest
        return max([self.event(kind, latest) for kind in self.kinds if kind.stamps[-1] == latest])

    def event(self, kind: Alike, stamp: str) -> Event:
        """What is kept of one call."""
        return Event(stamp[:TIME], stamp[TIME:], kind.call, kind.region, self.caller.access_key, kind.agent, kind.error)


def hours_of(calls: list[Calls]) -> dict[str, str]:
    """All hours in which there were calls, each with a stamp from it."""
    hours: dict[str, str] = {}
    for one in calls:
        for kind in one.kinds:
            stamps = kind.stamps
            if stamps[0][:13] == stamps[-1][:13]:
                hours[stamps[0][:13]] = stamps[0]
            else:
                hours.update({stamp[:13]: stamp for stamp in stamps})
    return hours


def thinned(calls: list[Calls], keep: int) -> list[Calls]:
    """Fewer calls from one network, of which the same comes where no more than `keep` are kept as a sample.

    These stay: the sample and one more, or it would not show that there were more; the first of each caller, of each
    program and of each call; the last of all; and one of each hour.
    """
    stamps = [stamp for one in calls for kind in one.kinds for stamp in kind.stamps]
    numbers = ranks(list(map(ID_OF, stamps)))
    lowest = sorted(set(numbers))
    ceiling = lowest[min(keep, len(lowest) - 1)]
    kept = {stamp for stamp, number in zip(stamps, numbers, strict=True) if number <= ceiling}
    kept.update(_firsts(calls), [one.earliest for one in calls], [max([one.latest for one in calls])])
    hours = hours_of(calls)
    kept.update([hours[hour] for hour in hours.keys() - {stamp[:13] for stamp in kept}])
    few: list[Calls] = []
    for one in calls:
        kinds: list[Alike] = []
        for kind in one.kinds:
            left = kept.intersection(kind.stamps)
            if left:
                kinds.append(Alike(kind.call, kind.region, kind.agent, kind.error, sorted(left)))
        few.append(Calls(one.caller, kinds))
    return few


def _firsts(calls: list[Calls]) -> list[str]:
    """The first stamp of each call and of each program."""
    of_calls: dict[str, str] = {}
    of_agents: dict[str, str] = {}
    for one in calls:
        for kind in one.kinds:
            first = kind.stamps[0]
            if first < of_calls.get(kind.call, _NEVER):
                of_calls[kind.call] = first
            if first < of_agents.get(kind.agent, _NEVER):
                of_agents[kind.agent] = first
    return [*of_calls.values(), *of_agents.values()]
