"""Who lives where, who comes by, and who shares a pool: what the households of a fleet tell of each other."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import msgspec

from straykey.core.fleet import Pools, Population
from straykey.core.household import Household
from straykey.core.ranges import AwsRanges
from straykey.core.residence import Residence, Resident

# To be seen by every session but itself, and with another address, three at a place are enough.
_ENOUGH = 3
_REPEATS = 2  # of one address


def believed(households: Iterable[Household], behind: Counter[str]) -> list[Household]:
    """All but the places that only a fleet could vouch for, and none does: a public egress beside endpoints.

    It does where most of the account's instances behind endpoints (`behind`) go out there, or where they stay.
    """
    households = list(households)
    egress = egress_of(households)

    def is_believed(account: str, one: Residence) -> bool:
        is_vouched = one.is_plausible or one.resident.is_lasting
        return is_vouched or is_of_fleet(egress[account, one.place], behind[account])

    def with_believed(house: Household) -> Household:
        kept = tuple(one for one in house.residences if is_believed(house.account, one))
        return house if len(kept) == len(house.residences) else msgspec.structs.replace(house, residences=kept)

    return [with_believed(house) for house in households]


def egress_of(households: Iterable[Household]) -> Counter[tuple[str, str]]:
    """By account and place: how many live there by nobody's word but the fleet's."""
    egress: Counter[tuple[str, str]] = Counter()
    for house in households:
        for one in house.residences:
            if not one.is_plausible:
                egress[house.account, one.place] += 1
    return egress


def is_of_fleet(users: int, behind: int) -> bool:
    """True for an egress of so many, where so many of the account's live behind endpoints."""
    return users >= _ENOUGH and 4 * users >= 3 * behind


class Residents:
    """The first few residents of each place, by account."""

    def __init__(self) -> None:
        self.by_place: dict[str, dict[str, list[Resident]]] = defaultdict(dict)

    def add(self, account: str, residence: Residence) -> None:
        there, resident = self.by_place[residence.place], residence.resident
        known = there.get(account, [])
        before = known if len(known) == 2 * _ENOUGH else [one for one in known if one.address == resident.address]
        if len(before) < _REPEATS or _order(resident) < _order(before[-1]):
            there[account] = _first_few([*known, resident])

    def drop(self, account: str, residence: Residence, others: Callable[[], Iterable[Resident]]) -> None:
        """Take one out; `others` are all of the account that stay at the place."""
        there = self.by_place.get(residence.place, {})
        if residence.resident not in there.get(account, ()):
            return  # who is not among the first few keeps nobody out of them
        kept = _first_few(list(others()))
        if kept:
            there[account] = kept
        else:
            del there[account]
            if not there:
                del self.by_place[residence.place]


def together(one: dict[str, list[Resident]], other: dict[str, list[Resident]]) -> dict[str, list[Resident]]:
    """The first few residents of a place, by account, where some were noted apart from the others."""
    return {account: _first_few([*one.get(account, ()), *other.get(account, ())]) for account in {**one, **other}}


def _first_few(residents: list[Resident]) -> list[Resident]:
    """The first of those settled there, then the first of all; of each address at most two, itself and one more.

    It does not matter in which order they come: who is not among the first few is not among those of more.
    """
    kept: list[Resident] = []
    for one in sorted(residents, key=_order):
        repeats = sum(one.address == other.address for other in kept)
        if repeats < _REPEATS and len(kept) < 2 * _ENOUGH:
            kept.append(one)
    return kept


def _order(resident: Resident) -> tuple[bool, str, str]:
    """The settled first, then by time; no two residents of a place are of one session."""
    return not resident.is_settled, resident.since, resident.arn


def pools_of(households: list[Household], is_shared: Callable[[str], bool]) -> Pools:
    """By two addresses: some of those who live at one and also use the other.

    Two of each account are enough: one of them is another than whoever asks.
    """
    pools: Pools = {}
    for house in households:
        for home in house.residences:
            if home.resident.is_settled and is_shared(home.place):
                for address in house.used:
                    if address != home.place and is_shared(address):
                        there = pools.setdefault((home.place, address), {})
                        known = there.get(house.account, ())
                        if len(known) < 2 and house.who not in known:
                            there[house.account] = (*known, house.who)
    return pools


def populations_of(
    households: list[Household], pools: Pools, is_shared: Callable[[str], bool], ranges: AwsRanges | None
) -> dict[tuple[str, str], Population]:
    populations: dict[tuple[str, str], Population] = defaultdict(Population)
    for house in households:
        residents = {one.place: one.resident for one in house.residences if one.resident.is_settled}
        for place in filter(is_shared, (*residents, *_pool_addresses(house, pools, ranges))):
            populations[house.account, place].settled.add(house.who)
        for place, resident in residents.items():
            if resident.is_lasting and is_shared(place):
                populations[house.account, place].lasting.add(house.who)
        # Who is there all the time does not come by: it is one of its pool.
        elsewhere = {one.address for one in house.visits} - residents.keys() - {*house.used} if residents else ()
        for address in filter(is_shared, elsewhere):
            populations[house.account, address].visitors.add(house.who)
    for population in populations.values():
        population.visitors -= population.settled
    return populations


def _pool_addresses(house: Household, pools: Pools, ranges: AwsRanges | None) -> list[str]:
    """Where a member of a pool lives besides its first home: in its region, settled, for an hour at least.

    It is a member if another lives at an address it uses, and uses its home.  So an address of a pool may be nobody's
    first.
    """
    homes = {one.place for one in house.residences if one.resident.is_lasting}
    is_member = any(
        who != house.who
        for home in homes
        for other in house.used
        if other not in homes
        for members in pools.get((other, home), {}).values()
        for who in members
    )
    if not is_member or ranges is None:
        return []
    return [one for one in house.dwellings if one not in homes and _is_in(one, house.region, ranges)]


def _is_in(address: str, region: str, ranges: AwsRanges) -> bool:
    prefix = ranges.lookup(address)
    return prefix is not None and region in ("", prefix.region)
