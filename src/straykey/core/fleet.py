"""What sessions say about each other: whose address, whose endpoint, who lives where.

Read from the first pass, in which the first use in each lane is home; judging one session reads this
and nothing of other sessions' verdicts, so that the verdicts do not depend on the order of judging.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from straykey.core.evidence import Evidence, Sighting, instance_of, workload_of
from straykey.core.holding import Holdings
from straykey.core.ledger import Ledger
from straykey.core.masquerade import Masquerade, masquerades
from straykey.core.move import Dweller, Move, Visit, moves_of
from straykey.core.network import PUBLIC_LANES, Lane, Network, is_account
from straykey.core.pivot import Makings
from straykey.core.ranges import AwsRanges
from straykey.core.residence import Life, Residence, Resident, is_used_throughout, life_of, residences_of, who_of
from straykey.core.settings import Settings
from straykey.core.workload import Home

_ENOUGH = 3


class Population(msgspec.Struct, gc=False):
    """Of one account at one public address: who is settled there, and who only comes by from a settled home."""

    settled: set[str] = set()
    lasting: set[str] = set()
    visitors: set[str] = set()

    def is_home_of_others(self, who: str, *, is_usual: bool) -> bool:
        """Two or more others live there, and no more come by than live there: one thief with ten keys lives nowhere.

        Where it would not be usual for the asking session to live, they must have lived there for an hour.
        """
        residents = len((self.settled if is_usual else self.lasting) - {who})
        return residents > 1 and residents >= len(self.visitors - self.settled)


class Fleet(msgspec.Struct):
    """All sessions at a glance."""

    affiliated: frozenset[str]
    endpoint_owners: dict[str, str]
    endpoints: dict[tuple[str, str], set[str]]  # by account and service: all that its instances called it through
    naming: frozenset[str]  # services whose records name the owner of an endpoint, of any account's
    residents: dict[str, dict[str, list[Resident]]]  # by public address or endpoint, then by account: the first few
    populations: dict[tuple[str, str], Population]  # by account and public address
    pools: dict[tuple[str, str], set[tuple[str, str]]]  # by two addresses: who lives at one and also uses the other
    moves: dict[tuple[str, str], Move]
    holdings: Holdings
    makings: Makings
    masquerades: list[Masquerade]
    spoofed: frozenset[str]  # keys that were never a workload's, whatever name their session bears

    def is_ours(self, account: str, session_account: str) -> bool:
        return account == session_account or account in self.affiliated

    def endpoint_owner(self, network: Network) -> str:
        """The endpoint's owner as this or any other record names it; empty where none does."""
        return network.endpoint_owner or self.endpoint_owners.get(network.endpoint, "")

    def is_only_endpoint(self, sighting: Sighting, account: str) -> bool:
        """True if the account's instances reach the services called here through no other endpoint."""
        only = {sighting.network.endpoint}
        return all(self.endpoints.get((account, service)) == only for service in _services(sighting))

    def names_owners(self, sighting: Sighting) -> bool:
        """True if a service called here is known to name the owners of endpoints: here it would have, were it ours."""
        return not self.naming.isdisjoint(_services(sighting))

    def lives_behind(self, account: str, network: Network) -> bool:
        """True if other instances of the account live behind this endpoint.

        Each must have a private address of its own: one thief with many keys has but his.  One that is mostly there is
        enough, else it takes two.
        """
        there = self.residents.get(network.endpoint, {}).get(account, ())
        others = [one for one in there if one.address != network.address]
        return len(others) > 1 or any(one.is_settled for one in others)

    def is_home_of_others(self, address: str, account: str, who: str, *, is_usual: bool) -> bool:
        """True if two or more other instances of the account live at this public address."""
        population = self.populations.get((account, address))
        return population is not None and population.is_home_of_others(who, is_usual=is_usual)

    def shares_pool(self, address: str, home: str, account: str, who: str) -> bool:
        """True if another instance of ours lives at this address and also uses that home."""
        there = self.pools.get((address, home), ())
        return any(other != who and self.is_ours(theirs, account) for other, theirs in there)

    def owner_of(self, sighting: Sighting, evidence: Evidence) -> str:
        """The account whose network this is; empty where no evidence tells.  Never guessed from ranges."""
        network = sighting.network
        if network.lane is Lane.ENDPOINT:
            owner = self.endpoint_owner(network)
            accounts = [one for one in self.residents.get(network.endpoint, {}) if self.lives_behind(one, network)]
            return owner if is_account(owner) else accounts[0] if len(accounts) == 1 else ""
        if network.lane not in PUBLIC_LANES:
            return ""
        since = sighting.first.time
        return self.holdings.owner_of(network.address, since) or self._account_at(network.address, evidence, since)

    def _account_at(self, address: str, evidence: Evidence, since: str) -> str:
        accounts = {
            account
            for account, there in self.residents.get(address, {}).items()
            if any(one.arn != evidence.session.arn and one.is_settled and one.since < since for one in there)
        }
        return accounts.pop() if len(accounts) == 1 else ""


def survey(ledger: Ledger, settings: Settings, ranges: AwsRanges | None) -> Fleet:
    """Look over a settled ledger."""
    holdings = Holdings(ledger.grants)
    makings = Makings(ledger.makings)
    ours = settings.accounts | frozenset(ledger.accounts)
    taken = masquerades(ledger, makings, ours)
    spoofed = frozenset(key for one in taken for key in one.access_keys)
    owners = dict(holdings.endpoint_owners)
    endpoints: dict[tuple[str, str], set[str]] = defaultdict(set)
    naming: set[str] = set()
    homes: list[tuple[Evidence, list[Residence]]] = []
    for evidence in ledger.sessions.values():
        through = [one for one in evidence.sightings.values() if one.network.lane is Lane.ENDPOINT]
        for one in through:
            if is_account(one.network.endpoint_owner):
                owners[one.network.endpoint] = max(owners.get(one.network.endpoint, ""), one.network.endpoint_owner)
                naming |= _services(one)
        workload, _ = workload_of(evidence)
        if workload is not None:
            for sighting in through:
                for service in _services(sighting):
                    endpoints[evidence.session.account, service].add(sighting.network.endpoint)
            if workload.home is Home.LOCKED:
                homes.append((evidence, residences_of(evidence, ranges, spoofed)))
    homes = _believed(homes)
    return Fleet(
        affiliated=ours,
        endpoint_owners=owners,
        endpoints=endpoints,
        naming=frozenset(naming),
        residents=_residents(homes),
        populations=_populations(homes),
        pools=_pools(homes),
        moves=moves_of(_dwellers(homes), ranges),
        holdings=holdings,
        makings=makings,
        masquerades=taken,
        spoofed=spoofed,
    )


_Homes = Iterable[tuple[Evidence, list[Residence]]]


def _believed(homes: list[tuple[Evidence, list[Residence]]]) -> list[tuple[Evidence, list[Residence]]]:
    """All but the places that only a fleet could vouch for, and none does: a public egress beside endpoints.

    It does where most of the account's instances that live behind endpoints go out there, or where they stay.
    """
    egress: Counter[tuple[str, str]] = Counter()
    behind: Counter[str] = Counter()
    for evidence, residences in homes:
        account = evidence.session.account
        behind[account] += any(not one.is_public for one in residences)
        egress.update((account, one.place) for one in residences if not one.is_plausible)

    def is_believed(account: str, one: Residence) -> bool:
        users = egress[account, one.place]
        is_of_fleet = users >= _ENOUGH and 4 * users >= 3 * behind[account]
        return one.is_plausible or one.resident.is_lasting or is_of_fleet

    return [(it, [one for one in there if is_believed(it.session.account, one)]) for it, there in homes]


def _residents(homes: _Homes) -> dict[str, dict[str, list[Resident]]]:
    by_place: dict[str, dict[str, list[Resident]]] = defaultdict(lambda: defaultdict(list))
    for evidence, residences in homes:
        for residence in residences:
            by_place[residence.place][evidence.session.account].append(residence.resident)
    return {place: {who: _first_few(there) for who, there in by.items()} for place, by in by_place.items()}


def _first_few(residents: list[Resident]) -> list[Resident]:
    """The first of those settled there, then the first of all; of each address at most two, itself and one more."""
    kept: list[Resident] = []
    for one in sorted(residents, key=lambda one: (not one.is_settled, one)):
        repeats = sum(one.address == other.address for other in kept)
        if repeats < 2 and len(kept) < 2 * _ENOUGH:
            kept.append(one)
    return kept


def _populations(homes: _Homes) -> dict[tuple[str, str], Population]:
    populations: dict[tuple[str, str], Population] = defaultdict(Population)
    for evidence, residences in homes:
        account, who = evidence.session.account, who_of(evidence)
        settled = {one.place for one in residences if one.is_public and one.resident.is_settled}
        for residence in residences:
            if residence.place in settled:
                populations[account, residence.place].settled.add(who)
                if residence.resident.is_lasting:
                    populations[account, residence.place].lasting.add(who)
        if settled:
            public = [one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES]
            # Who is there all the time does not come by: it is one of its pool.
            for address in _public_addresses(evidence) - settled - _used_addresses(evidence, life_of(public)):
                populations[account, address].visitors.add(who)
    return populations


def _pools(homes: _Homes) -> dict[tuple[str, str], set[tuple[str, str]]]:
    pools: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for evidence, residences in homes:
        life = life_of([one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES])
        for residence in residences:
            if residence.is_public and residence.resident.is_settled:
                for address in _used_addresses(evidence, life) - {residence.place}:
                    pools[residence.place, address].add((who_of(evidence), evidence.session.account))
    return pools


def _dwellers(homes: _Homes) -> Iterable[Dweller]:
    for evidence, residences in homes:
        region = instance_of(evidence)[1]
        public = [one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES]
        visits = {one.network.address: Visit(one.first.time, one.last.time, one.network.address) for one in public}
        for residence in residences:
            if residence.is_public and residence.place in visits:
                home = visits[residence.place]
                yield Dweller(who_of(evidence), evidence.session.arn, region, home, tuple(sorted(visits.values())))


def _public_addresses(evidence: Evidence) -> set[str]:
    return {one.network.address for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES}


def _used_addresses(evidence: Evidence, life: Life) -> set[str]:
    """Public addresses that a session uses for a good part of its life; what it merely touches tells nothing."""
    public = (one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES)
    return {one.network.address for one in public if is_used_throughout([one], life)}


def _services(sighting: Sighting) -> set[str]:
    return {call.split(":", 1)[0] for call in sighting.calls.times}
