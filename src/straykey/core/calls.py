"""Calls that have nearly everything in common, kept together.

Most records say again what one before them said: the same session, with the same key, from the same network, by the
same program, the same call, a second later.  Of such a record only its time and its id are news: its *stamp*.
"""

from collections.abc import Collection, Iterator

import msgspec

from straykey.core.observation import Caller, Event

TIME = 20  # how many letters of a stamp are its time; what follows is its event's id


class Alike(msgspec.Struct, gc=False, array_like=True):
    """Calls of one kind: their stamps in no order that counts, one at least."""

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
        return min([min(kind.stamps) for kind in self.kinds])

    def events(self) -> Iterator[Event]:
        """What is kept of each call."""
        key = self.caller.access_key
        for kind in self.kinds:
            call, region, agent, error = kind.call, kind.region, kind.agent, kind.error
            for stamp in kind.stamps:
                yield Event(stamp[:TIME], stamp[TIME:], call, region, key, agent, error)

    def event(self, kind: Alike, stamp: str) -> Event:
        """What is kept of one call."""
        return Event(stamp[:TIME], stamp[TIME:], kind.call, kind.region, self.caller.access_key, kind.agent, kind.error)

    @property
    def first(self) -> Event:
        return min(self.event(kind, min(kind.stamps)) for kind in self.kinds)


def hours_of(stamps: list[str], first: str, last: str) -> Collection[str]:
    """The hours of these stamps; `first` and `last` are the earliest and the latest time among them."""
    return {stamp[:13] for stamp in stamps} if first[:13] != last[:13] else (first[:13],)
