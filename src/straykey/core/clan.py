"""Households kept in clans as they come, change and go: those that share addresses, or share them with others that do.

A clan is asked again (`core.vicinity`) when something in it changed, and no other is, for what households tell, they
tell of their own addresses.  Besides, it matters how many of an account live behind endpoints, and to whom it does.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Set
from typing import TypeVar

import msgspec

from straykey.core.fleet import Ask, Pools, Population
from straykey.core.household import Household
from straykey.core.index import Index
from straykey.core.move import Move
from straykey.core.neighbour import Residents, egress_of, is_of_fleet
from straykey.core.ranges import AwsRanges
from straykey.core.residence import Resident
from straykey.core.vicinity import moves_among, vicinity_of

K = TypeVar("K")
V = TypeVar("V")
_ByAccount = dict[str, list[Resident]]


class _Clan(msgspec.Struct, eq=False):
    """`egress`: who lives where by nobody's word but the fleet's, as `egress_of` counts them."""

    members: list[str]
    residents: dict[str, _ByAccount]
    populations: dict[tuple[str, str], Population]
    pools: Pools
    moves: dict[tuple[str, str], Move]
    egress: Counter[tuple[str, str]]

    def lines(self) -> Iterator[tuple[Ask, object]]:
        """All it tells, by what is asked for it."""
        yield from ((("residents", place), there) for place, there in self.residents.items())
        yield from ((("populations", key), there) for key, there in self.populations.items())
        yield from ((("pools", pair), there) for pair, there in self.pools.items())
        yield from ((("moves", way), move) for way, move in self.moves.items())


class Clans:
    """What households tell, to be read in place: true once it is `settled`."""

    def __init__(self, ranges: AwsRanges | None) -> None:
        self.residents: dict[str, _ByAccount] = {}
        self.populations: dict[tuple[str, str], Population] = {}
        self.pools: Pools = {}
        self.moves: dict[tuple[str, str], Move] = {}
        self._ranges = ranges
        self._seen_at: Index[str] = Index()  # by address: all sessions, whether they have a household or not
        self._addresses: dict[str, Set[str]] = {}
        self._households: dict[str, Household] = {}
        self._behind: Counter[str] = Counter()  # by account: sessions that live behind an endpoint
        self._behind_before: dict[str, int] = {}  # of accounts of which that changed
        self._of: dict[str, _Clan] = {}
        self._doubted: set[_Clan] = set()  # those with any `egress`
        self._altered: set[str] = set()
        self._travelled: set[str] = set()

    def live_behind(self, account: str, by: int) -> None:
        """Note that so many more live behind an endpoint."""
        self._behind_before.setdefault(account, self._behind[account])
        self._behind[account] += by

    def put(self, arn: str, addresses: Set[str], household: Household | None) -> None:
        """What is known of a session now; a household for one that is locked to its home."""
        self._put_addresses(arn, addresses)
        before = self._households.get(arn)
        if household is None:
            self._households.pop(arn, None)
        else:
            self._households[arn] = household
        if before == household:
            return
        if before is not None and household is not None and _is_same_but_for_times(before, household):
            self._travelled.add(arn)
        else:
            self._altered.add(arn)

    def forget(self, arn: str) -> None:
        self.put(arn, frozenset(), None)
        self._addresses.pop(arn, None)

    def _put_addresses(self, arn: str, addresses: Set[str]) -> None:
        before = self._addresses.get(arn, frozenset())
        self._addresses[arn] = addresses
        for address in before - addresses:
            self._seen_at.discard(address, arn)
            # Whoever stays alone at an address shares it no more.
            self._altered.update((arn,), self._few_at(address))
        for address in addresses - before:
            self._seen_at.add(address, arn)
            self._altered.update((arn,), self._few_at(address))

    def _few_at(self, address: str) -> Collection[str]:
        """Those whose sharing may have changed, where one came or went: of three, two shared it and two still do."""
        there = self._seen_at.get(address)
        return there if len(there) < 3 else ()

    def settled(self) -> set[Ask]:
        """Bring up to what was put: which keys of which parts are not what they were."""
        touched = {self._of[arn] for arn in self._altered if arn in self._of} | self._doubtful()
        before: dict[Ask, object] = {}
        after: dict[Ask, object] = {}
        for clan in touched:
            before.update(self._dissolved(clan))
        arns = self._altered.union(*(clan.members for clan in touched))
        for members in self._gathered(arns, before):
            after.update(self._formed(members))
        self._travel(before, after)
        self._altered.clear()
        self._travelled.clear()
        self._behind_before.clear()
        return {ask for ask in before.keys() | after.keys() if before.get(ask) != after.get(ask)}

    def _doubtful(self) -> set[_Clan]:
        """Clans in which a fleet vouches for an egress that it did not vouch for, or the other way round."""
        return {clan for clan in self._doubted if self._behind_before and self._is_doubtful(clan)}

    def _is_doubtful(self, clan: _Clan) -> bool:
        return any(
            is_of_fleet(users, self._behind_before.get(account, self._behind[account]))
            != is_of_fleet(users, self._behind[account])
            for (account, _), users in clan.egress.items()
        )

    def _gathered(self, arns: set[str], before: dict[Ask, object]) -> Iterator[list[str]]:
        """The clans that these sessions belong to now; what they grow into is dissolved."""
        reached: set[str] = set()
        places: set[str] = set()
        for arn in sorted(arns):
            members: list[str] = []
            stack = [arn]
            while stack:
                one = stack.pop()
                if one in reached or not (shared := self._shared_by(one)):
                    continue
                reached.add(one)
                members.append(one)
                if one in self._of:
                    before.update(self._dissolved(self._of[one]))
                for address in shared:
                    if address not in places:
                        places.add(address)
                        stack += self._seen_at.get(address)
            if members:
                yield sorted(members)

    def _shared_by(self, arn: str) -> list[str]:
        """The addresses it shares, of a session with a household."""
        if arn not in self._households:
            return []
        return [address for address in self._addresses[arn] if self._seen_at.is_shared(address)]

    def _formed(self, members: list[str]) -> Iterator[tuple[Ask, object]]:
        houses = [self._households[arn] for arn in members]
        residents = Residents()
        told = vicinity_of(houses, self._behind, self._seen_at.is_shared, self._ranges, residents)
        clan = _Clan(members, residents.by_place, told.populations, told.pools, told.moves, egress_of(houses))
        self._of.update(dict.fromkeys(members, clan))
        if clan.egress:
            self._doubted.add(clan)
        self.residents.update(clan.residents)
        self.populations.update(clan.populations)
        self.pools.update(clan.pools)
        self.moves.update(clan.moves)
        return clan.lines()

    def _dissolved(self, clan: _Clan) -> Iterator[tuple[Ask, object]]:
        _take_out(self._of, clan.members)
        self._doubted.discard(clan)
        _take_out(self.residents, clan.residents)
        _take_out(self.populations, clan.populations)
        _take_out(self.pools, clan.pools)
        _take_out(self.moves, clan.moves)
        return clan.lines()

    def _travel(self, before: dict[Ask, object], after: dict[Ask, object]) -> None:
        """Find the moves of clans anew that are the same but for the times."""
        formed = {self._of[arn] for arn in self._altered if arn in self._of}
        for clan in {self._of[arn] for arn in self._travelled if arn in self._of} - formed:
            moves = moves_among([self._households[arn] for arn in clan.members], self._behind, self._ranges)
            if moves != clan.moves:
                before.update(((("moves", way), move) for way, move in clan.moves.items()))
                after.update(((("moves", way), move) for way, move in moves.items()))
                _take_out(self.moves, clan.moves)
                self.moves.update(moves)
                clan.moves = moves


def _take_out(table: dict[K, V], keys: Iterable[K]) -> None:
    for key in keys:
        del table[key]


def _is_same_but_for_times(one: Household, other: Household) -> bool:
    """True for households that only moves could tell apart."""
    return _without_times(one) == _without_times(other)


def _without_times(house: Household) -> tuple[object, ...]:
    places = frozenset(visit.address for visit in house.visits)
    return house.who, house.account, house.region, house.residences, house.used, house.dwellings, places
