"""One network of a session, with everything that may be asked about it.

What is asked of a `Scene` does not depend on the homes that were decided on before; it is found out once, when it is
first asked.  So a session with many networks costs as many answers, not as many as there are pairs of networks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from straykey.core.beacon import beacon_of
from straykey.core.evidence import Beacon, Evidence, Sighting
from straykey.core.fleet import Fleet
from straykey.core.grant import Grant
from straykey.core.network import PUBLIC_LANES, IPNetwork, Lane, parse_address
from straykey.core.once import once
from straykey.core.ranges import AwsPrefix, AwsRanges
from straykey.core.residence import Life, is_settled, life_of
from straykey.core.settings import Settings
from straykey.core.tenant import tenant_of
from straykey.core.workload import INSTANCE, Home, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from straykey.core.observation import Event


class Context(msgspec.Struct, frozen=True):
    """All that judging one session may look at besides its own evidence."""

    settings: Settings
    fleet: Fleet
    ranges: AwsRanges | None


class Subject(msgspec.Struct, frozen=True, dict=True):
    """A session, and what is asked about it for each of its networks.

    `instance` and `region` are empty where unknown.  What is no workload's is read as if it were locked to a home.
    """

    evidence: Evidence
    context: Context
    workload: Workload | None
    home: Home
    instance: str
    region: str
    who: str

    @once
    def life(self) -> Life:
        return life_of(self.evidence.sightings.values())

    @once
    def beacon(self) -> Beacon | None:
        """The call it made at boot, where that counts.  Instances make one; nothing else is told to.

        None without AWS's ranges: nobody can say then that the call came from no farther off than the one before it.
        """
        settings, evidence = self.context.settings, self.evidence
        is_told_to = self.workload is INSTANCE and settings.expects_beacon(evidence.session)
        counts = is_told_to and self.context.ranges is not None and bool(evidence.beacons)
        return beacon_of(evidence, self.context.fleet.spoofed) if counts else None

    @once
    def settled(self) -> tuple[Sighting, ...]:
        """Where it is settled, of its public networks."""
        public = (one for one in self.evidence.sightings.values() if one.network.lane in PUBLIC_LANES)
        return tuple(one for one in public if is_settled([one], self.life))

    def scene_of(self, sighting: Sighting) -> Scene:
        return self._scenes.get(sighting.network.key) or Scene(sighting, self)

    def is_beside_aws(self, key: str) -> bool:
        """True if it was used from a public address of AWS's in its region that is not this network."""
        return any(one != key for one in self._in_aws)

    def could_be_home_beside(self, key: str) -> bool:
        """True if it has a network that could be home and is not this one."""
        return any(one != key for one in self._possible_homes)

    def last_new_before(self, sighting: Sighting) -> str:
        """When an address that a grant may have given without naming it was last new, before this one of its lane."""
        firsts = self._ungranted.get(sighting.network.lane, [])
        place = bisect_left(firsts, sighting.first)
        return firsts[place - 1].time if place else ""

    @once
    def _scenes(self) -> dict[str, Scene]:
        return {key: Scene(one, self) for key, one in self.evidence.sightings.items()}

    @once
    def _in_aws(self) -> list[str]:
        return self._first_two(lambda one: one.is_public and one.is_in_own_region)

    @once
    def _possible_homes(self) -> list[str]:
        return self._first_two(lambda one: one.could_be_home)

    def _first_two(self, holds: Callable[[Scene], bool]) -> list[str]:
        """Two are enough to tell whether there is another one."""
        return list(islice((key for key, scene in self._scenes.items() if holds(scene)), 2))

    @once
    def _ungranted(self) -> dict[Lane, list[Event]]:
        """By lane, in order: the first uses of addresses in its region that no grant named then."""
        firsts: dict[Lane, list[Event]] = defaultdict(list)
        for one in self._scenes.values():
            if one.is_in_own_region and one.granted(at=one.sighting.first.time) is None:
                firsts[one.sighting.network.lane].append(one.sighting.first)
        for events in firsts.values():
            events.sort()
        return firsts


def subject_of(evidence: Evidence, context: Context) -> Subject:
    tenant = tenant_of(evidence)
    home = tenant.workload.home if tenant.workload else Home.LOCKED
    return Subject(evidence, context, tenant.workload, home, tenant.instance, tenant.region, tenant.who)


class Scene(msgspec.Struct, frozen=True, dict=True):
    """One network of a session, whatever else is home."""

    sighting: Sighting
    subject: Subject

    @property
    def context(self) -> Context:
        return self.subject.context

    @property
    def account(self) -> str:
        return self.subject.evidence.session.account

    @once
    def is_public(self) -> bool:
        return self.sighting.network.lane in PUBLIC_LANES

    @property
    def is_spoofed(self) -> bool:
        """True if every key used there was never the workload's, whatever the session's name says."""
        keys = self.sighting.keys.times.keys()
        return bool(keys) and keys <= self.context.fleet.spoofed

    @once
    def prefix(self) -> AwsPrefix | None:
        """AWS's prefix around a public address."""
        ranges = self.context.ranges
        return ranges.lookup(self.sighting.network.address) if ranges and self.is_public else None

    @once
    def is_outside_aws(self) -> bool:
        """True for a public address that is known not to be AWS's, nor granted by it: some bring their own to AWS."""
        address, time = self.sighting.network.address, self.sighting.first.time
        is_outside = self.is_public and self.context.ranges is not None and self.prefix is None
        return is_outside and not self.context.fleet.holdings.owner_of(address, time)

    @once
    def is_in_own_region(self) -> bool:
        """True for an address of AWS's in the workload's region, anywhere in AWS where that is not known; and for an
        endpoint of ours.  Not the region of the calls: those of global services are all made in one.
        """
        if self.sighting.network.lane is Lane.ENDPOINT:
            owner = self.context.fleet.endpoint_owner(self.sighting.network)
            return bool(owner) and self.is_ours(owner)
        return self.prefix is not None and self.subject.region in ("", self.prefix.region)

    @property
    def is_in_other_region(self) -> bool:
        """True for an address of AWS's in another region than the workload's."""
        return self.prefix is not None and self.subject.region not in ("", self.prefix.region)

    @property
    def is_trusted(self) -> bool:
        return self.trusted is not None

    @once
    def trusted(self) -> IPNetwork | None:
        """The trusted network it lies in.  A private address says nothing in the account of a stranger."""
        settings, network = self.context.settings, self.sighting.network
        address = parse_address(network.address) if settings.trusted else None
        owner = self.context.fleet.endpoint_owner(network) if network.lane is Lane.ENDPOINT else ""
        if address is None or (owner and not self.is_ours(owner)):
            return None
        return next((net for net in settings.trusted if address.version == net.version and address in net), None)

    @once
    def is_shared(self) -> bool:
        """True for a public address where two or more other instances of the account live."""
        if not self.is_public:
            return False
        network, who = self.sighting.network, self.subject.who
        is_odd = self.is_outside_aws or self.is_in_other_region
        is_usual = not is_odd or not self.subject.is_beside_aws(network.key)
        return self.context.fleet.is_home_of_others(network.address, self.account, who, is_usual=is_usual)

    @once
    def is_at_strange_endpoint(self) -> bool:
        """True for an endpoint of an account that is not ours, while the session has a network that could be home."""
        network = self.sighting.network
        if network.lane is not Lane.ENDPOINT:
            return False
        owner = self.context.fleet.endpoint_owner(network)
        return bool(owner) and not self.is_ours(owner) and self.subject.could_be_home_beside(network.key)

    @property
    def has_beacon(self) -> bool:
        beacon = self.subject.beacon
        return beacon is not None and beacon.network.key == self.sighting.network.key

    @once
    def is_others(self) -> bool:
        """True if evidence says that the address is another account's."""
        sighting, evidence = self.sighting, self.subject.evidence
        owner = self.context.fleet.owner_of(sighting.network, sighting.first.time, evidence.session.arn)
        return bool(owner) and owner != self.account

    @property
    def could_be_home(self) -> bool:
        return self.is_in_own_region or (self.is_public and (self.context.ranges is None or self.is_shared))

    def granted(self, *, at: str) -> Grant | None:
        """The grant that names this address for this instance, in force at that time."""
        network = self.sighting.network
        if not self.subject.instance or self.is_at_strange_endpoint:
            return None
        return self.context.fleet.holdings.named(self.subject.instance, network.address, at)

    def is_ours(self, account: str) -> bool:
        return self.context.fleet.is_ours(account, self.account)


class Case(msgspec.Struct, frozen=True):
    """One network of a session, and the homes that were decided on before it.

    `is_earliest`: the session was used from nowhere before.
    """

    scene: Scene
    homes: tuple[Sighting, ...] = ()
    is_earliest: bool = False

    @property
    def sighting(self) -> Sighting:
        return self.scene.sighting

    @property
    def subject(self) -> Subject:
        return self.scene.subject

    @property
    def context(self) -> Context:
        return self.scene.subject.context

    @property
    def evidence(self) -> Evidence:
        return self.scene.subject.evidence

    @property
    def account(self) -> str:
        return self.scene.account

    @property
    def is_public(self) -> bool:
        return self.scene.is_public

    @property
    def prefix(self) -> AwsPrefix | None:
        return self.scene.prefix

    @property
    def is_in_own_region(self) -> bool:
        return self.scene.is_in_own_region

    @property
    def is_default(self) -> bool:
        """True for the network used first, while nothing speaks against it, where that makes a home."""
        return self.is_earliest and not self.homes and self.subject.home is Home.LOCKED

    def addresses_in(self, *lanes: Lane) -> set[str]:
        """The home addresses in these lanes, of the same IP version as this network's."""
        is_v6 = ":" in self.sighting.network.address
        addresses = (home.network.address for home in self.homes if home.network.lane in lanes)
        return {address for address in addresses if (":" in address) is is_v6}

    def home_in(self, *lanes: Lane) -> Sighting | None:
        return next((home for home in self.homes if home.network.lane in lanes), None)
