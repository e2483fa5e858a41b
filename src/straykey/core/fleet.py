"""What sessions say about each other: whose address, whose endpoint, who lives where.

Read from the first pass, in which the first use in each lane is home; judging one session reads this
and nothing of other sessions' verdicts, so that the verdicts do not depend on the order of judging.
"""

from collections import defaultdict

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting, instance_of, signs_of_instance
from straykey.core.ledger import Ledger
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane, Network, is_account
from straykey.core.ranges import AwsRanges
from straykey.core.sample import Firsts, lowest
from straykey.core.settings import Settings

_MOST_HOURS = Bounds().hours


class Resident(msgspec.Struct, frozen=True, order=True, gc=False):
    """A session of an instance that lives at a place, from which address, and since when.

    `is_mostly_there`: the place carries it through most of its active hours.
    """

    since: str
    arn: str
    address: str
    is_mostly_there: bool


# To be seen by every session but itself, and with another address, three at a place are enough.
_ENOUGH = 3


class Fleet(msgspec.Struct):
    """All sessions at a glance."""

    affiliated: frozenset[str]
    endpoint_owners: dict[str, str]
    endpoints: dict[tuple[str, str], set[str]]  # by account and service: all that its instances called it through
    residents: dict[str, dict[str, list[Resident]]]  # by public address or endpoint, then by account: the first few
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

    def lives_behind(self, account: str, network: Network) -> bool:
        """True if other instances of the account live behind this endpoint.

        Each must have a private address of its own: one thief with many keys has but his.  One that is mostly there is
        enough, else it takes two.
        """
        there = self.residents.get(network.endpoint, {}).get(account, ())
        others = [one for one in there if one.address != network.address]
        return len(others) > 1 or any(one.is_mostly_there for one in others)

    def allocated_to(self, address: str, time: str) -> str:
        """The account that was last given this address up to `time`; empty where no record tells."""
        holders = self.allocations.get(address)
        given = [(when, account) for account, when in holders.times.items() if when <= time] if holders else []
        return max(given)[1] if given else ""

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
        return self.allocated_to(network.address, since) or self._account_at(network.address, evidence, since)

    def _account_at(self, address: str, evidence: Evidence, since: str) -> str:
        accounts = {
            account
            for account, there in self.residents.get(address, {}).items()
            if any(one.arn != evidence.session.arn and one.is_mostly_there and one.since < since for one in there)
        }
        return accounts.pop() if len(accounts) == 1 else ""


def survey(ledger: Ledger, settings: Settings, ranges: AwsRanges | None) -> Fleet:
    """Look over a settled ledger."""
    owners: dict[str, str] = {}
    endpoints: dict[tuple[str, str], set[str]] = defaultdict(set)
    residents: dict[str, dict[str, list[Resident]]] = defaultdict(lambda: defaultdict(list))
    for evidence in ledger.sessions.values():
        through = [one for one in evidence.sightings.values() if one.network.lane is Lane.ENDPOINT]
        for network in (one.network for one in through if is_account(one.network.endpoint_owner)):
            owners[network.endpoint] = max(owners.get(network.endpoint, ""), network.endpoint_owner)
        if signs_of_instance(evidence):
            for sighting in through:
                for service in _services(sighting):
                    endpoints[evidence.session.account, service].add(sighting.network.endpoint)
            for place, resident in _residences(evidence, ranges):
                residents[place][evidence.session.account].append(resident)
    few = {place: {who: _first_few(there) for who, there in by.items()} for place, by in residents.items()}
    return Fleet(
        affiliated=settings.accounts | frozenset(ledger.accounts),
        endpoint_owners=owners,
        endpoints=endpoints,
        residents=few,
        allocations=ledger.owners,
    )


def _first_few(residents: list[Resident]) -> list[Resident]:
    """The first of those mostly there, then the first of all; of each address at most two, itself and one more."""
    ordered = sorted(residents, key=lambda one: (not one.is_mostly_there, one))
    kept: list[Resident] = []
    for one in ordered:
        repeats = sum(one.address == other.address for other in kept)
        if repeats < 2 and len(kept) < 2 * _ENOUGH:
            kept.append(one)
    return kept


def _residences(evidence: Evidence, ranges: AwsRanges | None) -> list[tuple[str, Resident]]:
    """Where this session lives by first use."""
    everything = list(evidence.sightings.values())
    hours = set(lowest(_hours(everything), _MOST_HOURS))
    found: set[tuple[str, Resident]] = set()
    for lane in (*PUBLIC_LANES, Lane.ENDPOINT):
        if lane not in evidence.earliest or not _is_plausible(evidence, lane, ranges):
            continue
        event, network = evidence.earliest[lane]
        there = [one for one in everything if one.network.lane is lane and one.network.address == network.address]
        is_mostly_there = 2 * len(_hours(there) & hours) >= len(hours)
        resident = Resident(event.time, evidence.session.arn, network.address, is_mostly_there)
        found |= {(one.network.endpoint or one.network.address, resident) for one in there}
    return sorted(found)


def _is_plausible(evidence: Evidence, lane: Lane, ranges: AwsRanges | None) -> bool:
    """A public lane that is not the session's first network must at least be in its region; else it is a stray."""
    event, network = evidence.earliest[lane]
    if lane is Lane.ENDPOINT or event == min(first for first, at in evidence.earliest.values() if at.lane in LOCKABLE):
        return True
    behind = evidence.earliest.get(Lane.ENDPOINT)
    region = instance_of(evidence)[1] or (behind[0].region if behind else "")
    prefix = ranges.lookup(network.address) if ranges else None
    return prefix is not None and prefix.region == region


def _services(sighting: Sighting) -> set[str]:
    return {call.split(":", 1)[0] for call in sighting.calls.times}


def _hours(sightings: list[Sighting]) -> set[str]:
    return {hour for sighting in sightings for hour in sighting.hours.times}
