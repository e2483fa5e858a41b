"""Looks over all sessions of a settled ledger once, before any is judged."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from straykey.core.evidence import Evidence, Sighting, instance_of, workload_of
from straykey.core.fleet import Fleet, Population, services_of
from straykey.core.holding import Holdings
from straykey.core.ledger import Settled
from straykey.core.masquerade import masquerades
from straykey.core.move import Dweller, Visit, moves_of
from straykey.core.network import PUBLIC_LANES, Lane, is_account
from straykey.core.pivot import Makings
from straykey.core.ranges import AwsRanges
from straykey.core.residence import Residence, Resident, is_settled, is_used_throughout, life_of, residences_of, span_of
from straykey.core.settings import Settings
from straykey.core.workload import Home, Workload

# To be seen by every session but itself, and with another address, three at a place are enough.
_ENOUGH = 3
_HOUR_SECONDS = 3600


def survey(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> Fleet:
    """What all sessions say about each other."""
    holdings = Holdings(ledger.grants)
    makings = Makings(ledger.makings)
    ours = settings.accounts | frozenset(ledger.accounts)
    taken = masquerades(ledger, makings, ours)
    spoofed = frozenset(key for one in taken for key in one.access_keys)
    endpoints = _Endpoints(dict(holdings.endpoint_owners))
    households = []
    for evidence in ledger.sessions.values():
        workload, _ = workload_of(evidence)
        endpoints.note(evidence, workload)
        if workload is not None and workload.home is Home.LOCKED:
            households.append(_household(evidence, ranges, spoofed))
    households = _believed(households)
    pools = _pools(households)
    return Fleet(
        affiliated=ours,
        endpoint_owners=endpoints.owners,
        endpoints=endpoints.by_service,
        naming=frozenset(endpoints.naming),
        residents=_residents(households),
        populations=_populations(households, pools, ranges),
        pools=pools,
        moves=moves_of(_dwellers(households), ranges),
        holdings=holdings,
        makings=makings,
        masquerades=taken,
        spoofed=spoofed,
    )


class _Endpoints(msgspec.Struct):
    """Who owns which endpoint, which services name owners, and what each account calls through which endpoint."""

    owners: dict[str, str]
    naming: set[str] = set()
    by_service: dict[tuple[str, str], set[str]] = msgspec.field(default_factory=lambda: defaultdict(set))

    def note(self, evidence: Evidence, workload: Workload | None) -> None:
        for one in evidence.sightings.values():
            endpoint, owner = one.network.endpoint, one.network.endpoint_owner
            if one.network.lane is not Lane.ENDPOINT:
                continue
            if is_account(owner):
                self.owners[endpoint] = max(self.owners.get(endpoint, ""), owner)
                self.naming |= services_of(one)
            for service in services_of(one) if workload else ():
                self.by_service[evidence.session.account, service].add(endpoint)


class _Household(msgspec.Struct, frozen=True, gc=False):
    """A session with where it lives by first use, and the public addresses it was used from, and used throughout."""

    evidence: Evidence
    who: str
    region: str
    residences: list[Residence]
    public: list[Sighting]
    used: frozenset[str]

    @property
    def account(self) -> str:
        return self.evidence.session.account


def _household(evidence: Evidence, ranges: AwsRanges | None, spoofed: frozenset[str]) -> _Household:
    instance, region = instance_of(evidence)
    public = [one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES]
    used = public
    if len(public) > 1:  # what a session merely touches tells nothing
        life = life_of(public)
        used = [one for one in public if is_used_throughout([one], life)]
    addresses = frozenset(one.network.address for one in used)
    residences = residences_of(evidence, ranges, spoofed)
    return _Household(evidence, instance or evidence.session.arn, region, residences, public, addresses)


def _believed(households: list[_Household]) -> list[_Household]:
    """All but the places that only a fleet could vouch for, and none does: a public egress beside endpoints.

    It does where most of the account's instances that live behind endpoints go out there, or where they stay.
    """
    egress: Counter[tuple[str, str]] = Counter()
    behind: Counter[str] = Counter()
    for house in households:
        behind[house.account] += any(not one.is_public for one in house.residences)
        egress.update((house.account, one.place) for one in house.residences if not one.is_plausible)

    def is_believed(account: str, one: Residence) -> bool:
        users = egress[account, one.place]
        is_of_fleet = users >= _ENOUGH and 4 * users >= 3 * behind[account]
        return one.is_plausible or one.resident.is_lasting or is_of_fleet

    def believed(house: _Household) -> _Household:
        return msgspec.structs.replace(
            house, residences=[one for one in house.residences if is_believed(house.account, one)]
        )

    return [house if all(one.is_plausible for one in house.residences) else believed(house) for house in households]


def _residents(households: list[_Household]) -> dict[str, dict[str, list[Resident]]]:
    by_place: dict[str, dict[str, list[Resident]]] = defaultdict(lambda: defaultdict(list))
    for house in households:
        for residence in house.residences:
            by_place[residence.place][house.account].append(residence.resident)
    return {place: {who: _first_few(there) for who, there in by.items()} for place, by in by_place.items()}


def _first_few(residents: list[Resident]) -> list[Resident]:
    """The first of those settled there, then the first of all; of each address at most two, itself and one more."""
    kept: list[Resident] = []
    for one in sorted(residents, key=lambda one: (not one.is_settled, one)):
        repeats = sum(one.address == other.address for other in kept)
        if repeats < 2 and len(kept) < 2 * _ENOUGH:
            kept.append(one)
    return kept


_Pools = dict[tuple[str, str], set[tuple[str, str]]]


def _pool_addresses(house: _Household, pools: _Pools, ranges: AwsRanges | None) -> list[str]:
    """Where a member of a pool lives besides its first home: in its region, settled, for an hour at least.

    It is a member if another lives at an address it uses, and uses its home.  So an address of a pool may be nobody's
    first.
    """
    homes = {one.place for one in house.residences if one.is_public and one.resident.is_lasting}
    is_member = any(
        who != house.who for home in homes for other in house.used - homes for who, _ in pools.get((other, home), ())
    )
    if not is_member or ranges is None:
        return []
    life = life_of(house.public)
    there = (one for one in house.public if one.network.address not in homes and is_settled([one], life))
    lasting = (one.network.address for one in there if span_of([one]) >= _HOUR_SECONDS)
    return [address for address in lasting if _is_in(address, house.region, ranges)]


def _is_in(address: str, region: str, ranges: AwsRanges) -> bool:
    prefix = ranges.lookup(address)
    return prefix is not None and region in ("", prefix.region)


def _populations(
    households: list[_Household], pools: _Pools, ranges: AwsRanges | None
) -> dict[tuple[str, str], Population]:
    populations: dict[tuple[str, str], Population] = defaultdict(Population)
    for house in households:
        residents = {one.place: one.resident for one in house.residences if one.is_public and one.resident.is_settled}
        lasting = {place for place, resident in residents.items() if resident.is_lasting}
        for place in (*residents, *_pool_addresses(house, pools, ranges)):
            populations[house.account, place].settled.add(house.who)
        for place in lasting:
            populations[house.account, place].lasting.add(house.who)
        # Who is there all the time does not come by: it is one of its pool.
        for address in (
            {one.network.address for one in house.public} - residents.keys() - house.used if residents else ()
        ):
            populations[house.account, address].visitors.add(house.who)
    for population in populations.values():
        population.visitors -= population.settled
    return populations


def _pools(households: list[_Household]) -> _Pools:
    pools: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for house in households:
        for residence in house.residences:
            if residence.is_public and residence.resident.is_settled:
                for address in house.used - {residence.place}:
                    pools[residence.place, address].add((house.who, house.account))
    return pools


def _dwellers(households: list[_Household]) -> Iterator[Dweller]:
    for house in households:
        visits = {
            one.network.address: Visit(one.first.time, one.last.time, one.network.address) for one in house.public
        }
        for residence in house.residences:
            if residence.is_public and residence.place in visits:
                home = visits[residence.place]
                yield Dweller(house.who, house.evidence.session.arn, house.region, home, tuple(sorted(visits.values())))
