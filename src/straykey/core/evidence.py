"""What has been seen of one session, in a form that can be merged.

Two workers that read different files must reach the same evidence as one that read both, in any order and with any
file read twice.  So every field is a minimum, a maximum or a bounded set by a fixed order (`core.sample`): nothing
counts, appends or remembers what came last.
"""

import msgspec

from straykey.core.network import Lane, Network
from straykey.core.record import Event, Issuance, Issued, Use
from straykey.core.sample import Events, Firsts, distinct, lowest_beyond, rank, trim
from straykey.core.session import IDENTITY_ROLE, Session, is_instance_id, parse_instance_arn


class Bounds(msgspec.Struct, frozen=True):
    """How much is kept, of each kind on its own: a flood of one cannot push out another."""

    networks: int = 128  # per session and lane
    events: int = 64  # per sighting; counts are exact up to here
    calls: int = 256
    agents: int = 32
    keys: int = 128
    hours: int = 168
    issuances: int = 512  # per session; EC2 renews about hourly, up to two keys a time
    owners: int = 8  # accounts that ever held one address
    traces: int = 16  # networks of a session that no record of use marks as an instance's, per lane


class Trace(msgspec.Struct, gc=False):
    """Use of a session from one network by records that do not show it to be an instance's.

    Most sessions are people's, functions' and services'; of those this is all that is kept.  It counts if an issuance
    shows later that EC2 gave the session its keys.
    """

    network: Network
    first: Event
    last: str

    def observe(self, use: Use) -> None:
        self.network = max(self.network, use.network)
        self.first = min(self.first, use.event)
        self.last = max(self.last, use.event.time)


class Sighting(msgspec.Struct, gc=False):
    """All use of one session from one network."""

    network: Network
    first: Event
    last: str
    events: Events = msgspec.field(default_factory=Events)
    hours: Firsts = msgspec.field(default_factory=Firsts)
    keys: Firsts = msgspec.field(default_factory=Firsts)
    agents: Firsts = msgspec.field(default_factory=Firsts)
    calls: Firsts = msgspec.field(default_factory=Firsts)
    deliveries: Firsts = msgspec.field(default_factory=Firsts)
    issued: str = ""  # the earliest issue time of a key used here; empty where no record tells

    def observe(self, use: Use, bounds: Bounds) -> None:
        event = use.event
        time = event.time
        # Not min() and max(): they cost three times as much, and nothing is called more often.
        if event < self.first:  # noqa: PLR1730
            self.first = event
        if time > self.last:  # noqa: PLR1730
            self.last = time
        if use.network > self.network:  # noqa: PLR1730 - the same place, its endpoint's owner named
            self.network = use.network
        self.events.add(use.identity, event, bounds.events)
        self.hours.note(time[:13], time[:13], bounds.hours)
        self.keys.note(event.access_key, time, bounds.keys)
        self.agents.note(event.agent, time, bounds.agents)
        self.calls.note(event.call, time, bounds.calls)
        if use.delivery:
            self.deliveries.note(use.delivery, time, bounds.agents)
        if use.issued and (not self.issued or use.issued < self.issued):
            self.issued = use.issued

    def absorb(self, other: "Sighting", bounds: Bounds) -> None:
        self.network = max(self.network, other.network)
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.events.absorb(other.events, bounds.events)
        self.hours.absorb(other.hours, bounds.hours)
        self.keys.absorb(other.keys, bounds.keys)
        self.agents.absorb(other.agents, bounds.agents)
        self.calls.absorb(other.calls, bounds.calls)
        self.deliveries.absorb(other.deliveries, bounds.agents)
        self.issued = min(filter(None, (self.issued, other.issued)), default="")

    def settle(self, bounds: Bounds) -> None:
        self.events.settle(bounds.events)
        self.hours.settle(bounds.hours)
        self.keys.settle(bounds.keys)
        self.agents.settle(bounds.agents)
        self.calls.settle(bounds.calls)
        self.deliveries.settle(bounds.agents)


class Evidence(msgspec.Struct, gc=False):
    """All that is known of one role session.

    `earliest` holds the first use in each lane apart from `sightings`, so that no flood of networks can push out
    where the session was used first.
    """

    session: Session
    sightings: dict[str, Sighting] = {}
    traces: dict[str, Trace] = {}
    earliest: dict[Lane, tuple[Event, Network]] = {}
    issuances: dict[str, Issuance] = {}
    role_arns: Firsts = msgspec.field(default_factory=Firsts)
    instance_arns: Firsts = msgspec.field(default_factory=Firsts)
    has_more_issuances: bool = False  # than are kept
    crowded: dict[Lane, int] = {}  # lanes with more networks than are kept -> how many there were, about

    def observe(self, use: Use, bounds: Bounds) -> Sighting | Trace:
        self._note_earliest(use.event, use.network)
        return self._observe_instance(use, bounds) if use.is_marked else self._observe_other(use, bounds)

    def _observe_other(self, use: Use, bounds: Bounds) -> Trace:
        trace = self.traces.get(use.network.key)
        if trace is None:
            trace = self.traces[use.network.key] = Trace(use.network, use.event, use.event.time)
            if len(self.traces) > 2 * len(Lane) * bounds.traces:
                self._settle_traces(bounds)
        trace.observe(use)
        return trace

    def _observe_instance(self, use: Use, bounds: Bounds) -> Sighting:
        network = use.network
        sighting = self.sightings.get(network.key)
        if sighting is None:
            sighting = self.sightings[network.key] = Sighting(network, use.event, use.event.time)
            if len(self.sightings) > 2 * len(Lane) * bounds.networks:
                self._settle_networks(bounds)
        sighting.observe(use, bounds)
        if use.role_arn:
            self.role_arns.note(use.role_arn, use.event.time, bounds.owners)
        if use.instance_arn:
            self.instance_arns.note(use.instance_arn, use.event.time, bounds.owners)
        return sighting

    def observe_issuance(self, issued: Issued, bounds: Bounds) -> None:
        self.role_arns.note(issued.role_arn, issued.issuance.time, bounds.owners)
        self._note_issuance(issued.issuance, bounds)

    def absorb(self, other: "Evidence", bounds: Bounds) -> None:
        for key, theirs in other.sightings.items():
            ours = self.sightings.setdefault(key, theirs)
            if ours is not theirs:
                ours.absorb(theirs, bounds)
        for key, trace in other.traces.items():
            known = self.traces.setdefault(key, trace)
            known.network = max(known.network, trace.network)
            known.first = min(known.first, trace.first)
            known.last = max(known.last, trace.last)
        for event, network in other.earliest.values():
            self._note_earliest(event, network)
        for issuance in other.issuances.values():
            self._note_issuance(issuance, bounds)
        self.has_more_issuances |= other.has_more_issuances
        for lane in other.crowded:
            self.crowded.setdefault(lane, 0)
        self.role_arns.absorb(other.role_arns, bounds.owners)
        self.instance_arns.absorb(other.instance_arns, bounds.owners)

    def settle(self, bounds: Bounds) -> None:
        """Bring to the one form that any order of reading leads to.  Needed before judging or comparing."""
        self._settle_networks(bounds)
        self._settle_traces(bounds)
        self._settle_issuances(bounds)
        for sighting in self.sightings.values():
            sighting.settle(bounds)
        self.role_arns.settle(bounds.owners)
        self.instance_arns.settle(bounds.owners)

    def _note_earliest(self, event: Event, network: Network) -> None:
        known = self.earliest.get(network.lane)
        if known is None or (event.time <= known[0].time and (event, network) < known):
            self.earliest[network.lane] = (event, network)

    def _note_issuance(self, issuance: Issuance, bounds: Bounds) -> None:
        known = self.issuances.get(issuance.access_key)
        if known is None or issuance < known:
            self.issuances[issuance.access_key] = issuance
            if len(self.issuances) > 2 * bounds.issuances:
                self._settle_issuances(bounds)

    def was_issued(self, access_key: str) -> bool:
        """False for a key whose issuance was not read; one that would have fallen out of the bound passes."""
        if access_key in self.issuances or not self.has_more_issuances:
            return access_key in self.issuances
        return rank(access_key) > max(map(rank, self.issuances))

    def _settle_issuances(self, bounds: Bounds) -> None:
        self.has_more_issuances |= len(self.issuances) > bounds.issuances
        trim(self.issuances, bounds.issuances)

    def _settle_traces(self, bounds: Bounds) -> None:
        if len(self.traces) > bounds.traces:
            for lane in Lane:
                for key in lowest_beyond(
                    (k for k, seen in self.traces.items() if seen.network.lane is lane), bounds.traces
                ):
                    del self.traces[key]

    def _settle_networks(self, bounds: Bounds) -> None:
        if len(self.sightings) <= bounds.networks and not self.crowded:
            return
        for lane in Lane:
            keys = sorted(
                (key for key, seen in self.sightings.items() if seen.network.lane is lane),
                key=lambda key: (rank(key), key),
            )
            if len(keys) > bounds.networks or lane in self.crowded:
                self.crowded[lane] = distinct(keys[: bounds.networks], bounds.networks, overflowed=True)
            for key in keys[bounds.networks :]:
                del self.sightings[key]


def signs_of_instance(evidence: Evidence) -> list[str]:
    """By which signs this is an EC2 instance's session, strongest first; empty when it is none."""
    signs = []
    if evidence.instance_arns.times:
        signs.append("inScopeOf")
    if any(sighting.deliveries.times for sighting in evidence.sightings.values()):
        signs.append("ec2RoleDelivery")
    if evidence.issuances:
        signs.append("issuance")
    if evidence.session.role == IDENTITY_ROLE:
        signs.append("role")
    if is_instance_id(evidence.session.name):
        signs.append("name")
    return signs


def instance_of(evidence: Evidence) -> tuple[str, str]:
    """Instance id and region, each empty where unknown."""
    for arn in sorted(evidence.instance_arns.times):
        parsed = parse_instance_arn(arn)
        if parsed:
            return parsed[1], parsed[0]
    name = evidence.session.name
    regions = sorted(issuance.region for issuance in evidence.issuances.values() if issuance.region)
    return (name if is_instance_id(name) else ""), (regions[0] if regions else "")
