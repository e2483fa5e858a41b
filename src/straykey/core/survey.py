"""Looks over all sessions of a settled ledger once, before any is judged.

Evidence is not kept: of most sessions all that is needed later is a line in what they tell together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from straykey.core.custom import Customs, role_of
from straykey.core.evidence import Evidence
from straykey.core.fleet import Fleet, services_of
from straykey.core.holding import Holdings
from straykey.core.household import Household, Sharing, addresses_of, household_of
from straykey.core.ledger import Settled
from straykey.core.masquerade import Masquerades
from straykey.core.move import Dweller, moves_of
from straykey.core.neighbour import Residents, believed, pools_of, populations_of
from straykey.core.network import Lane, is_account
from straykey.core.pivot import Makings
from straykey.core.quiet import gone_since, only_home
from straykey.core.ranges import AwsRanges
from straykey.core.residence import residences_of
from straykey.core.settings import Settings
from straykey.core.tenant import Tenant, tenant_of
from straykey.core.v1 import Deliveries
from straykey.core.whereabouts import Whereabouts
from straykey.core.workload import INSTANCE, Workload


class Surveyed(msgspec.Struct, frozen=True):
    """What all sessions say about each other, and what quiet ones say at all.

    `restless` are the sessions that must be weighed; `customs` lacks what those use.
    """

    fleet: Fleet
    workloads: int
    restless: list[str]
    customs: Customs
    deliveries: Deliveries
    whereabouts: Whereabouts


def survey(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> Fleet:
    """What all sessions say about each other."""
    return looked_over(ledger, settings, ranges).fleet


def looked_over(ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> Surveyed:
    look = _Look(ledger, settings, ranges)
    spoofed = look.masquerades.access_keys()
    look.at_all(spoofed)
    taken = look.masquerades.access_keys()
    if taken != spoofed:  # a service took names of instances: its keys are nobody's, and known but now
        look = _Look(ledger, settings, ranges)
        look.at_all(taken)
    return look.surveyed(taken)


class _Look:
    """One look over all sessions."""

    def __init__(self, ledger: Settled, settings: Settings, ranges: AwsRanges | None) -> None:
        self._ledger, self._settings, self._ranges = ledger, settings, ranges
        self._ours = settings.accounts | frozenset(ledger.accounts)
        self._holdings = Holdings(ledger.grants)
        self._makings = Makings(ledger.makings)
        self.masquerades = Masquerades(self._makings, self._ours)
        self._endpoints = _Endpoints(dict(self._holdings.endpoint_owners))
        self._residents = Residents()
        self._behind: Counter[str] = Counter()  # by account: sessions that live behind an endpoint
        self._sharing = Sharing()
        self._neighbours: dict[str, None] = {}  # sessions that share an address with another
        self._households: dict[str, Household] = {}
        self._workloads = 0
        self._restless: list[str] = []
        self._customs = Customs(settings.agents)
        self._deliveries = Deliveries()
        self._whereabouts = Whereabouts(self._makings)

    def at_all(self, spoofed: frozenset[str]) -> None:
        for arn, evidence in self._ledger.sessions.items():
            self._at(arn, evidence, spoofed)
        # Whoever came before those that he shares an address with.
        for arn in sorted(self._neighbours.keys() - self._households.keys()):  # in order they are unpacked once
            evidence = self._ledger.sessions[arn]
            tenant = tenant_of(evidence)
            if tenant.is_locked:
                residences = residences_of(evidence, tenant.region, self._ranges, spoofed)
                self._households[arn] = household_of(evidence, tenant, residences)

    def _at(self, arn: str, evidence: Evidence, spoofed: frozenset[str]) -> None:
        tenant = tenant_of(evidence)
        self.masquerades.note(evidence)
        self._whereabouts.note(arn, evidence)
        self._endpoints.note(evidence, tenant.workload)
        shared = self._sharing.note(arn, addresses_of(evidence))
        if shared:
            self._neighbours.update(dict.fromkeys(shared))
        if tenant.workload is None:
            return
        self._workloads += 1
        self._hear(arn, evidence, tenant.workload, tenant, spoofed)
        if tenant.is_locked:
            self._house(arn, evidence, tenant, spoofed)

    def _hear(self, arn: str, evidence: Evidence, workload: Workload, tenant: Tenant, spoofed: frozenset[str]) -> None:
        """Note what a session tells by itself."""
        gone = gone_since(tenant.instance, self._holdings)
        home = only_home(evidence, workload, self._settings, gone=gone, spoofed=spoofed)
        if home is None:
            self._restless.append(arn)
        if workload is INSTANCE:
            role = role_of(evidence)
            self._deliveries.note(role, arn, evidence)
            if home is not None:
                self._customs.note(role, tenant.who, arn, home.agents.events)

    def _house(self, arn: str, evidence: Evidence, tenant: Tenant, spoofed: frozenset[str]) -> None:
        residences = residences_of(evidence, tenant.region, self._ranges, spoofed)
        behind = [one for one in residences if not one.is_public]
        if behind:
            self._behind[evidence.session.account] += 1
            for one in behind:
                self._residents.add(evidence.session.account, one)
        if arn in self._neighbours:
            self._households[arn] = household_of(evidence, tenant, residences)

    def surveyed(self, spoofed: frozenset[str]) -> Surveyed:
        households = believed(self._households.values(), self._behind)
        is_shared = self._sharing.is_shared
        for house in households:
            for one in house.residences:
                if is_shared(one.place):
                    self._residents.add(house.account, one)
        pools = pools_of(households, is_shared)
        fleet = Fleet(
            affiliated=self._ours,
            endpoint_owners=self._endpoints.owners,
            endpoints=self._endpoints.by_service,
            naming=frozenset(self._endpoints.naming),
            residents=self._residents.by_place,
            populations=populations_of(households, pools, is_shared, self._ranges),
            pools=pools,
            moves=moves_of(_dwellers(households), self._ranges),
            holdings=self._holdings,
            makings=self._makings,
            masquerades=self.masquerades.all(),
            spoofed=spoofed,
        )
        return Surveyed(fleet, self._workloads, self._restless, self._customs, self._deliveries, self._whereabouts)


class _Endpoints(msgspec.Struct):
    """Who owns which endpoint, which services name owners, and what each account calls through which endpoint."""

    owners: dict[str, str]
    naming: set[str] = set()
    by_service: dict[tuple[str, str], set[str]] = msgspec.field(default_factory=lambda: defaultdict(set))

    def note(self, evidence: Evidence, workload: Workload | None) -> None:
        if Lane.ENDPOINT not in evidence.earliest:
            return
        for one in evidence.sightings.values():
            endpoint, owner = one.network.endpoint, one.network.endpoint_owner
            if one.network.lane is not Lane.ENDPOINT:
                continue
            if is_account(owner):
                self.owners[endpoint] = max(self.owners.get(endpoint, ""), owner)
                self.naming |= services_of(one)
            for service in services_of(one) if workload else ():
                self.by_service[evidence.session.account, service].add(endpoint)


def _dwellers(households: list[Household]) -> Iterator[Dweller]:
    for house in households:
        at = {one.address: one for one in house.visits}
        for residence in house.residences:
            if residence.place in at:
                yield Dweller(house.who, house.arn, house.region, at[residence.place], house.visits)
