"""Looks over all sessions of a settled ledger once, before any is judged.

Evidence is not kept: of most sessions all that is needed later is a line in what they tell together.
"""

from collections import Counter

import msgspec

from straykey.core.custom import Customs
from straykey.core.doorway import Doorways
from straykey.core.fleet import Fleet
from straykey.core.glance import Glance, glance_of
from straykey.core.holding import Holdings
from straykey.core.household import Household, Sharing, household_of
from straykey.core.ledger import Settled
from straykey.core.masquerade import Masquerades
from straykey.core.neighbour import Residents
from straykey.core.pivot import Makings
from straykey.core.quiet import gone_since
from straykey.core.ranges import AwsRanges
from straykey.core.residence import residences_of
from straykey.core.settings import Settings
from straykey.core.tenant import tenant_of
from straykey.core.v1 import Deliveries
from straykey.core.vicinity import vicinity_of
from straykey.core.whereabouts import Lookout, Whereabouts


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
        self._doorways = Doorways(self._holdings.endpoint_owners)
        self._residents = Residents()
        self._behind: Counter[str] = Counter()  # by account: sessions that live behind an endpoint
        self._sharing = Sharing()
        self._neighbours: dict[str, None] = {}  # sessions that share an address with another
        self._households: dict[str, Household] = {}
        self._workloads = 0
        self._restless: list[str] = []
        self._customs = Customs(settings.agents)
        self._deliveries = Deliveries()
        self._lookout = Lookout(self._makings)

    def at_all(self, spoofed: frozenset[str]) -> None:
        for arn, evidence in self._ledger.sessions.items():
            glance = glance_of(evidence, self._settings, self._ranges, spoofed)
            self._lookout.note(arn, evidence)
            self._at(arn, glance)
            if arn in self._neighbours and glance.tenant.is_locked:
                self._households[arn] = household_of(evidence, glance.tenant, glance.residences)
        # Whoever came before those that he shares an address with.
        for arn in sorted(self._neighbours.keys() - self._households.keys()):  # in order they are unpacked once
            evidence = self._ledger.sessions[arn]
            tenant = tenant_of(evidence)
            if tenant.is_locked:
                residences = residences_of(evidence, tenant.region, self._ranges, spoofed)
                self._households[arn] = household_of(evidence, tenant, residences)

    def _at(self, arn: str, glance: Glance) -> None:
        self.masquerades.note(glance.session, glance.strange)
        self._doorways.note(glance)
        shared = self._sharing.note(arn, glance.addresses)
        if shared:
            self._neighbours.update(dict.fromkeys(shared))
        if glance.tenant.workload is None:
            return
        self._workloads += 1
        if glance.is_behind:
            self._behind[glance.account] += 1
            for one in glance.residences:
                if not one.is_public:
                    self._residents.add(glance.account, one)
        self._hear(arn, glance)

    def _hear(self, arn: str, glance: Glance) -> None:
        """Note what a session tells by itself."""
        is_quiet = glance.is_quiet(gone_since(glance.tenant.instance, self._holdings))
        if not is_quiet:
            self._restless.append(arn)
        if glance.v1 is not None:
            self._deliveries.note(glance.role, arn, glance.v1)
        if is_quiet and glance.kit is not None:
            self._customs.note(glance.role, glance.tenant.who, arn, glance.kit)

    def surveyed(self, spoofed: frozenset[str]) -> Surveyed:
        households = self._households.values()
        told = vicinity_of(households, self._behind, self._sharing.is_shared, self._ranges, self._residents)
        fleet = Fleet(
            affiliated=self._ours,
            endpoint_owners=self._doorways.owners,
            endpoints=self._doorways.by_service,
            naming=self._doorways.naming,
            residents=self._residents.by_place,
            populations=told.populations,
            pools=told.pools,
            moves=told.moves,
            holdings=self._holdings,
            makings=self._makings,
            masquerades=self.masquerades.all(),
            spoofed=spoofed,
        )
        whereabouts = self._lookout.whereabouts()
        return Surveyed(fleet, self._workloads, self._restless, self._customs, self._deliveries, whereabouts)
