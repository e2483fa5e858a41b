"""A fleet that leaves one egress for another: three or more that shared a home take a new one, and none goes back.

A thief inside a move does not become part of it: members take where most of the others go, a network that anyone left
for the old home again is no new home, and out of AWS a fleet goes as a whole or not at all.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import islice

import msgspec

from straykey.core.moment import seconds
from straykey.core.ranges import AwsRanges

_FEW = 3
_MOST_MOVES = 16  # of one fleet, one after the other
_GRACE_SECONDS = 300  # calls under way while the route changes
_LASTING_SECONDS = 3600
_DWARFS = 4
_MOST_WAYS = 32


class Visit(msgspec.Struct, frozen=True, order=True, gc=False):
    """A public address a session was used from, and when."""

    first: str
    last: str
    address: str

    @property
    def seconds(self) -> int:
        return seconds(self.last) - seconds(self.first)


class Dweller(msgspec.Struct, frozen=True):
    """A session with its region, if known, the home it had first, and all public addresses it was used from."""

    who: str
    arn: str
    region: str
    home: Visit
    visits: tuple[Visit, ...]


class Move(msgspec.Struct, frozen=True, order=True):
    """From which address to which, when the first and the last of them called from there first, and who moved."""

    since: str
    until: str
    old: str
    new: str
    arns: tuple[str, ...]


def has_left(last: str, first: str) -> bool:
    """True if a home last used at `last` was left for a network used from `first` on."""
    return last <= first or seconds(last) <= seconds(first) + _GRACE_SECONDS


def moves_of(
    dwellers: Iterable[Dweller], stayed: dict[str, str], ranges: AwsRanges | None
) -> dict[tuple[str, str], Move]:
    """All moves, by old and new address; `stayed`: by address, the last use by others, who were seen nowhere else."""
    found: dict[tuple[str, str], Move] = {}
    abodes = [_Abode(dweller, dweller.home) for dweller in dwellers]
    for _ in range(_MOST_MOVES):
        moved = _step(abodes, stayed, ranges)
        fresh = {way: members for way, members in moved.items() if way not in found}
        if not fresh:
            break
        for (old, new), members in fresh.items():
            firsts = sorted(one.visit.first for one in members)
            found[old, new] = Move(firsts[0], firsts[-1], old, new, tuple(sorted(one.dweller.arn for one in members)))
        abodes, stayed = [member for members in fresh.values() for member in members], {}
    return found


class _Abode(msgspec.Struct, frozen=True):
    """Where a session lives for the time being."""

    dweller: Dweller
    visit: Visit

    def ways_out(self) -> list[Visit]:
        """Where it went after it had left: the first few places, for no fleet moves to a hundred."""
        others = (one for one in self.dweller.visits if one.address != self.visit.address)
        ways = (one for one in others if one.first >= self.visit.first and has_left(self.visit.last, one.first))
        return list(islice(ways, _MOST_WAYS))


_Way = tuple[str, str]


def _step(abodes: list[_Abode], stayed: dict[str, str], ranges: AwsRanges | None) -> dict[_Way, list[_Abode]]:
    """The moves out of where everyone is: for each the way that enough others take as well."""
    users: dict[_Way, dict[str, list[tuple[_Abode, Visit]]]] = defaultdict(lambda: defaultdict(list))
    returned: set[_Way] = set()
    stayed = defaultdict(str, stayed)  # by address: the last use by those who never left it
    for abode in abodes:
        ways = abode.ways_out()
        for visit in ways:
            users[abode.visit.address, visit.address][abode.dweller.who].append((abode, visit))
        for visit in abode.dweller.visits:
            if visit.first > abode.visit.first and visit not in ways:
                returned.add((abode.visit.address, visit.address))
        if not ways:
            stayed[abode.visit.address] = max(stayed[abode.visit.address], abode.visit.last)
    open_ways = {
        way: whos
        for way, whos in users.items()
        if len(whos) >= _FEW and way not in returned and _is_believable(whos, stayed[way[0]], ranges)
    }
    return _taken(abodes, {way: len(whos) for way, whos in open_ways.items()})


def _taken(abodes: list[_Abode], support: dict[_Way, int]) -> dict[_Way, list[_Abode]]:
    """Each abode with the way it takes: the earliest that does not give way to one more of the others take."""
    taken: dict[_Way, list[_Abode]] = defaultdict(list)
    for abode in abodes:
        old = abode.visit.address
        ways = [(visit, support[old, visit.address]) for visit in abode.ways_out() if (old, visit.address) in support]
        left = [visit for visit, many in ways if not any(_gives_way(visit, many, *other) for other in ways)]
        if left:
            taken[old, min(left).address].append(_Abode(abode.dweller, min(left)))
    return {way: members for way, members in taken.items() if len({one.dweller.who for one in members}) >= _FEW}


def _gives_way(visit: Visit, many: int, other: Visit, many_others: int) -> bool:
    """True for a network that fewer take, and that is used beside the other or but for a moment."""
    is_beside = other.first <= visit.last
    return many_others > many and (is_beside or other.seconds >= max(1, _DWARFS * visit.seconds))


def _is_believable(whos: dict[str, list[tuple[_Abode, Visit]]], stayed: str, ranges: AwsRanges | None) -> bool:
    """Into the workloads' own region a fleet may move in part; out of it, all of it and to stay, or it is a thief.

    What was no more than a burst elsewhere, before they came to their own region, was no home.
    """
    members = [one for uses in whos.values() for one in uses]
    goes_home = all(_is_own(visit.address, abode.dweller.region, ranges) for abode, visit in members)
    was_home = all(_is_own(abode.visit.address, abode.dweller.region, ranges) for abode, _ in members)
    if not goes_home:
        stays = sum(visit.seconds >= _LASTING_SECONDS for _, visit in members) >= _FEW
        return stays and stayed <= min(visit.first for _, visit in members)
    if was_home:
        return True
    return sum(abode.visit.seconds >= _LASTING_SECONDS for abode, _ in members) >= _FEW


def _is_own(address: str, region: str, ranges: AwsRanges | None) -> bool:
    prefix = ranges.lookup(address) if ranges else None
    return prefix is not None and region in ("", prefix.region)
