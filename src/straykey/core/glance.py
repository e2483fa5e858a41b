"""A session at a glance: what the look over all sessions takes from one, in few values.

Of evidence nothing else is needed before a session is weighed.  A glance holds no evidence, so it may be kept of every
session; it depends on the keys in `spoofed`, and on nothing else that sessions tell of each other.
"""

from collections.abc import Set

import msgspec

from straykey.core.beacon import own_agents
from straykey.core.custom import Kit, kit_of, role_of
from straykey.core.evidence import Evidence, Sighting
from straykey.core.fleet import services_of
from straykey.core.household import addresses_of
from straykey.core.masquerade import strange_issuances
from straykey.core.network import Lane, is_account
from straykey.core.observation import Issuance
from straykey.core.quiet import is_before_end, only_home
from straykey.core.ranges import AwsRanges
from straykey.core.residence import Residence, residences_of
from straykey.core.session import Session
from straykey.core.settings import Settings
from straykey.core.tenant import Tenant, tenant_of
from straykey.core.v1 import V1Use, v1_use_of
from straykey.core.workload import INSTANCE


class Passage(msgspec.Struct, frozen=True, gc=False):
    """Calls through an endpoint: whose it is, empty where its record names no account, and to which services."""

    endpoint: str
    owner: str
    services: frozenset[str]


class Glance(msgspec.Struct, frozen=True, gc=False):
    """`addresses`: all public ones.  `strange`: keys given to it by what may not name sessions after instances.

    `role` is that of an instance's session, else empty.  `last`: the last use of its only home, where it has but one
    and nothing else of note; `kit`: what an instance used there.
    """

    session: Session
    tenant: Tenant
    role: str
    addresses: Set[str]
    passages: tuple[Passage, ...]
    strange: tuple[Issuance, ...]
    residences: tuple[Residence, ...]
    v1: V1Use | None
    last: str
    kit: Kit | None

    @property
    def account(self) -> str:
        return self.session.account

    @property
    def is_workload(self) -> bool:
        return self.tenant.workload is not None

    @property
    def is_behind(self) -> bool:
        """True for a session that lives behind an endpoint."""
        return any(not one.is_public for one in self.residences)

    def is_quiet(self, gone: str) -> bool:
        """True if it need not be weighed, its instance being `gone` since then."""
        return bool(self.last) and is_before_end(self.last, gone)


def glance_of(evidence: Evidence, settings: Settings, ranges: AwsRanges | None, spoofed: frozenset[str]) -> Glance:
    tenant = tenant_of(evidence)
    workload = tenant.workload
    home = only_home(evidence, workload, settings, gone="", spoofed=spoofed) if workload else None
    is_instance = workload is INSTANCE
    return Glance(
        session=evidence.session,
        tenant=tenant,
        role=role_of(evidence) if is_instance else "",
        addresses=addresses_of(evidence),
        passages=_passages(evidence),
        strange=strange_issuances(evidence),
        residences=residences_of(evidence, tenant.region, ranges, spoofed) if tenant.is_locked else (),
        v1=v1_use_of(evidence) if is_instance else None,
        last=home.last.time if home else "",
        kit=_kit_of(evidence, home, settings) if home and is_instance else None,
    )


def _kit_of(evidence: Evidence, home: Sighting, settings: Settings) -> Kit:
    return kit_of(own_agents(home, sends_beacon=settings.expects_beacon(evidence.session)))


def _passages(evidence: Evidence) -> tuple[Passage, ...]:
    if Lane.ENDPOINT not in evidence.earliest:
        return ()
    through = (one for one in evidence.sightings.values() if one.network.lane is Lane.ENDPOINT)
    return tuple(
        Passage(
            one.network.endpoint,
            one.network.endpoint_owner if is_account(one.network.endpoint_owner) else "",
            services_of(one),
        )
        for one in through
    )
