"""What households that share addresses tell of each other.

All it tells is told of addresses that a household has, so of those that have no address in common it may be asked
apart: together they tell what each tells.
"""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from straykey.core.fleet import Pools, Population
from straykey.core.household import Household
from straykey.core.move import Dweller, Move, moves_of
from straykey.core.neighbour import Residents, believed, pools_of, populations_of
from straykey.core.ranges import AwsRanges


class Vicinity(msgspec.Struct, frozen=True):
    """The parts of a `Fleet` that households tell, but for `residents`, which endpoints have too."""

    populations: dict[tuple[str, str], Population]
    pools: Pools
    moves: dict[tuple[str, str], Move]


def vicinity_of(
    households: Iterable[Household],
    behind: Counter[str],
    is_shared: Callable[[str], bool],
    ranges: AwsRanges | None,
    residents: Residents,
) -> Vicinity:
    """Of households with all others that share an address with any; notes who lives there with `residents`.

    `behind`: by account, how many live behind endpoints.
    """
    houses = believed(households, behind)
    for house in houses:
        for one in house.residences:
            if is_shared(one.place):
                residents.add(house.account, one)
    pools = pools_of(houses, is_shared)
    populations = populations_of(houses, pools, is_shared, ranges)
    return Vicinity(populations, pools, _moves(houses, ranges))


def moves_among(
    households: Iterable[Household], behind: Counter[str], ranges: AwsRanges | None
) -> dict[tuple[str, str], Move]:
    """Of `vicinity_of` the moves alone: nothing else depends on when addresses were used."""
    households = list(households)
    return _moves(believed(households, behind), ranges) if any(map(_is_seen_elsewhere, households)) else {}


def _moves(houses: list[Household], ranges: AwsRanges | None) -> dict[tuple[str, str], Move]:
    dwellers: list[Dweller] = []
    stayed: dict[str, str] = {}
    for house in houses:
        if _is_seen_elsewhere(house):
            at = {one.address: one for one in house.visits}
            homes = (at[one.place] for one in house.residences if one.place in at)
            dwellers += [Dweller(house.who, house.arn, house.region, home, house.visits) for home in homes]
        elif house.residences and house.visits:  # the place where it was seen, and no other
            visit = house.visits[0]
            if visit.last > stayed.get(visit.address, ""):
                stayed[visit.address] = visit.last
    return moves_of(dwellers, stayed, ranges) if dwellers else {}


def _is_seen_elsewhere(house: Household) -> bool:
    """True for one that may have gone from one address to another."""
    return len(house.visits) > 1
