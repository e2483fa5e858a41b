"""What sessions say about each other: whose address, whose endpoint, who lives where.

Read from the first pass, in which the first use in each lane is home (DESIGN 4.2); judging one session reads this
and nothing of other sessions' verdicts, so that the verdicts do not depend on the order of judging.
"""

from collections import defaultdict

import msgspec

from straykey.core.evidence import Evidence, Sighting, signs_of_instance
from straykey.core.ledger import Ledger
from straykey.core.network import PUBLIC_LANES, Lane, Network, is_account
from straykey.core.sample import Firsts
from straykey.core.settings import Settings


class Resident(msgspec.Struct, frozen=True, order=True, gc=False):
    """A session of an instance that has a network as its home by first use, and since when."""

    account: str
    arn: str
    since: str


class Fleet(msgspec.Struct):
    """All sessions at a glance."""

    affiliated: frozenset[str]
    endpoint_owners: dict[str, str]
    endpoints: dict[tuple[str, str], set[str]]  # by account and service: all that its instances called it through
    residents: dict[str, list[Resident]]  # by public address, and by endpoint they use from their private address
    allocations: dict[str, Firsts]

    def is_ours(self, account: str, session_account: str) -> bool:
        return account == session_account or account in self.affiliated

    def endpoint_owner(self, network: Network) -> str:
        """The endpoint's owner as this or any other record names it; empty where none does."""
        return network.endpoint_owner or self.endpoint_owners.get(network.endpoint, "")

    def is_only_endpoint(self, sighting: Sighting, account: str) -> bool:
        """True if the account's instances reach the services called here through no other endpoint."""
        only = {sighting.network.endpoint}
        return all(self.endpoints.get((account, service)) == only for service in _services(sighting))

    def neighbours(self, place: str, account: str, arn: str) -> list[Resident]:
        """Other sessions of the account whose home this address or endpoint is."""
        return [one for one in self.residents.get(place, ()) if one.account == account and one.arn != arn]

    def allocated_to(self, address: str, time: str) -> str:
        """The account that was last given this address up to `time`; empty where no record tells."""
        holders = self.allocations.get(address)
        given = [(when, account) for account, when in holders.times.items() if when <= time] if holders else []
        return max(given)[1] if given else ""

    def owner_of(self, sighting: Sighting, arn: str) -> str:
        """The account whose network this is; empty where no evidence tells.  Never guessed from ranges."""
        network = sighting.network
        if network.lane is Lane.ENDPOINT:
            owner = self.endpoint_owner(network)
            return owner if is_account(owner) else ""
        if network.lane not in PUBLIC_LANES:
            return ""
        since = sighting.first.time
        allocated = self.allocated_to(network.address, since)
        if allocated:
            return allocated
        before = [one for one in self.residents.get(network.address, ()) if one.arn != arn and one.since < since]
        accounts = {one.account for one in before}
        return accounts.pop() if len(accounts) == 1 else ""


def survey(ledger: Ledger, settings: Settings) -> Fleet:
    """Look over a settled ledger."""
    owners: dict[str, str] = {}
    endpoints: dict[tuple[str, str], set[str]] = defaultdict(set)
    residents: dict[str, list[Resident]] = defaultdict(list)
    for evidence in ledger.sessions.values():
        through = [one for one in evidence.sightings.values() if one.network.lane is Lane.ENDPOINT]
        for network in (one.network for one in through if one.network.endpoint_owner):
            owners[network.endpoint] = max(owners.get(network.endpoint, ""), network.endpoint_owner)
        if signs_of_instance(evidence):
            for sighting in through:
                for service in _services(sighting):
                    endpoints[evidence.session.account, service].add(sighting.network.endpoint)
            for place, resident in _residences(evidence):
                residents[place].append(resident)
    return Fleet(
        affiliated=settings.accounts | frozenset(ledger.accounts),
        endpoint_owners=owners,
        endpoints=endpoints,
        residents=residents,
        allocations=ledger.owners,
    )


def _residences(evidence: Evidence) -> list[tuple[str, Resident]]:
    """Where this session lives by first use.  What it merely touched, for few of its hours, is no residence."""
    everything = list(evidence.sightings.values())
    found: set[tuple[str, Resident]] = set()
    for lane in (*PUBLIC_LANES, Lane.ENDPOINT):
        if lane not in evidence.earliest:
            continue
        event, network = evidence.earliest[lane]
        there = [one for one in everything if one.network.lane is lane and one.network.address == network.address]
        if 2 * len(_hours(there)) >= len(_hours(everything)):
            resident = Resident(evidence.session.account, evidence.session.arn, event.time)
            found |= {(one.network.endpoint or one.network.address, resident) for one in there}
    return sorted(found)


def _services(sighting: Sighting) -> set[str]:
    return {call.split(":", 1)[0] for call in sighting.calls.times}


def _hours(sightings: list[Sighting]) -> set[str]:
    return {hour for sighting in sightings for hour in sighting.hours.times}
