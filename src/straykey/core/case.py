"""One network of a session, with everything that may be asked about it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from straykey.core.evidence import Evidence, Sighting, instance_of, workload_of
from straykey.core.fleet import Fleet
from straykey.core.grant import Grant
from straykey.core.network import PUBLIC_LANES, IPNetwork, Lane, parse_address
from straykey.core.ranges import AwsPrefix, AwsRanges
from straykey.core.residence import Life, is_settled, life_of
from straykey.core.settings import Settings
from straykey.core.workload import Home


class Context(msgspec.Struct, frozen=True):
    """All that judging one session may look at besides its own evidence."""

    settings: Settings
    fleet: Fleet
    ranges: AwsRanges | None


class Subject(msgspec.Struct, frozen=True):
    """A session, and what is asked about it for each of its networks.

    `instance` and `region` are empty where unknown.  What is no workload's is read as if it were locked to a home.
    """

    evidence: Evidence
    home: Home
    instance: str
    region: str
    who: str
    life: Life
    settled: tuple[Sighting, ...]  # where it is settled, of its public networks


def subject_of(evidence: Evidence) -> Subject:
    workload, _ = workload_of(evidence)
    instance, region = instance_of(evidence)
    home = workload.home if workload else Home.LOCKED
    life = life_of(evidence.sightings.values())
    public = (one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES)
    settled = tuple(one for one in public if is_settled([one], life))
    return Subject(evidence, home, instance, region, instance or evidence.session.arn, life, settled)


class Case(msgspec.Struct, frozen=True):
    """One network of a session, and the homes that were decided on before it.

    `is_earliest`: the session was used from nowhere before.
    """

    sighting: Sighting
    subject: Subject
    context: Context
    homes: tuple[Sighting, ...] = ()
    is_earliest: bool = False

    @property
    def evidence(self) -> Evidence:
        return self.subject.evidence

    @property
    def account(self) -> str:
        return self.evidence.session.account

    @property
    def is_default(self) -> bool:
        """True for the network used first, while nothing speaks against it, where that makes a home."""
        return self.is_earliest and not self.homes and self.subject.home is Home.LOCKED

    @property
    def is_public(self) -> bool:
        return self.sighting.network.lane in PUBLIC_LANES

    @property
    def is_spoofed(self) -> bool:
        """True if every key used there was never the workload's, whatever the session's name says."""
        keys = self.sighting.keys.times.keys()
        return bool(keys) and keys <= self.context.fleet.spoofed

    @property
    def prefix(self) -> AwsPrefix | None:
        """AWS's prefix around a public address."""
        ranges = self.context.ranges
        return ranges.lookup(self.sighting.network.address) if ranges and self.is_public else None

    @property
    def is_outside_aws(self) -> bool:
        """True for a public address that is known not to be AWS's, nor granted by it: some bring their own to AWS."""
        address, time = self.sighting.network.address, self.sighting.first.time
        is_outside = self.is_public and self.context.ranges is not None and self.prefix is None
        return is_outside and not self.context.fleet.holdings.owner_of(address, time)

    @property
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

    @property
    def trusted(self) -> IPNetwork | None:
        """The trusted network it lies in.  A private address says nothing in the account of a stranger."""
        network = self.sighting.network
        address = parse_address(network.address)
        owner = self.context.fleet.endpoint_owner(network) if network.lane is Lane.ENDPOINT else ""
        if address is None or (owner and not self.is_ours(owner)):
            return None
        settings = self.context.settings
        return next((net for net in settings.trusted if address.version == net.version and address in net), None)

    @property
    def is_shared(self) -> bool:
        """True for a public address where two or more other instances of the account live."""
        if not self.is_public:
            return False
        address, who = self.sighting.network.address, self.subject.who
        is_usual = not (self.is_outside_aws or self.is_in_other_region) or not self.is_beside_aws
        return self.context.fleet.is_home_of_others(address, self.account, who, is_usual=is_usual)

    @property
    def is_beside_aws(self) -> bool:
        """True if the session was used from a public address of AWS's in its region, too."""
        return any(other.is_public and other.is_in_own_region for other in self._others())

    @property
    def is_at_strange_endpoint(self) -> bool:
        """True for an endpoint of an account that is not ours, while the session has a network that could be home."""
        if self.sighting.network.lane is not Lane.ENDPOINT:
            return False
        owner = self.context.fleet.endpoint_owner(self.sighting.network)
        return bool(owner) and not self.is_ours(owner) and any(map(self._could_be_home, self._others()))

    def _others(self) -> Iterator[Case]:
        others = (one for one in self.evidence.sightings.values() if one.network.key != self.sighting.network.key)
        return (msgspec.structs.replace(self, sighting=one) for one in others)

    def _could_be_home(self, other: Case) -> bool:
        return other.is_in_own_region or (other.is_public and (self.context.ranges is None or other.is_shared))

    def granted(self, *, at: str) -> Grant | None:
        """The grant that names this address for this instance, in force at that time."""
        network = self.sighting.network
        if not self.subject.instance or self.is_at_strange_endpoint:
            return None
        return self.context.fleet.holdings.named(self.subject.instance, network.address, at)

    def is_ours(self, account: str) -> bool:
        return self.context.fleet.is_ours(account, self.account)

    def addresses_in(self, *lanes: Lane) -> set[str]:
        """The home addresses in these lanes, of the same IP version as this network's."""
        is_v6 = ":" in self.sighting.network.address
        addresses = (home.network.address for home in self.homes if home.network.lane in lanes)
        return {address for address in addresses if (":" in address) is is_v6}

    def home_in(self, *lanes: Lane) -> Sighting | None:
        return next((home for home in self.homes if home.network.lane in lanes), None)
