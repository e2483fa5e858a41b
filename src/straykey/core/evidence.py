"""What has been seen of one session, in a form that can be merged.

Two workers that read different files must reach the same evidence as one that read both, in any order and with any
file read twice.  So every field is a minimum, a maximum or a bounded set by a fixed order (`core.sample`): nothing
counts, appends or remembers what came last.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from straykey.core.agent import is_beacon
from straykey.core.calls import TIME, Calls, hours_of, rank
from straykey.core.network import LOCKABLE, Lane, Network, neighbourhood
from straykey.core.observation import Caller, Event, Issuance, Issued, Use
from straykey.core.sample import Events, Firsts, Witnesses, distinct, lowest, trim
from straykey.core.session import IDENTITY_ROLE, Session, is_instance_id, parse_instance_arn
from straykey.core.workload import INSTANCE, Workload, by_issuer, by_name, by_scope

_NEVER = "~"  # later than any time


class Bounds(msgspec.Struct, frozen=True):
    """How much is kept, of each kind on its own: a flood of one cannot push out another."""

    networks: int = 128  # per session and lane
    neighbours: int = 2  # per session and neighbourhood of addresses, beyond that
    neighbourhoods: int = 512  # per session and lane
    events: int = 64  # per sighting; counts are exact up to here
    calls: int = 256
    agents: int = 32
    keys: int = 128
    hours: int = 168
    issuances: int = 512  # per session; EC2 renews about hourly, up to two keys a time
    names: int = 8  # role ARNs of a session, resources its keys were issued to
    grants: int = 512  # per instance, interface or address
    makings: int = 256  # per maker and network
    beacons: int = 8  # networks per session


class Sighting(msgspec.Struct, gc=False, array_like=True):
    """All use of one session from one network."""

    network: Network
    first: Event
    last: Event
    events: Events = msgspec.field(default_factory=Events)
    hours: Firsts = msgspec.field(default_factory=Firsts)
    keys: Firsts = msgspec.field(default_factory=Firsts)
    agents: Witnesses = msgspec.field(default_factory=Witnesses)
    calls: Firsts = msgspec.field(default_factory=Firsts)
    deliveries: Firsts = msgspec.field(default_factory=Firsts)
    issued: str = ""  # the earliest issue time of a key used here; empty where no record tells

    def observe(self, use: Use, bounds: Bounds) -> None:
        event = use.event
        time = event.time
        # Not min() and max(): they cost three times as much, and nothing is called more often.
        if event < self.first:  # noqa: PLR1730
            self.first = event
        if event > self.last:  # noqa: PLR1730
            self.last = event
        self.events.add(use.identity, event, bounds.events)
        self.hours.note(time[:13], time[:13], bounds.hours)
        self.agents.note(event.agent, event, bounds.agents)
        self.calls.note(event.call, time, bounds.calls)
        self._note_caller(use.caller, time, bounds)

    def _note_caller(self, caller: Caller, time: str, bounds: Bounds) -> None:
        if caller.network > self.network:  # noqa: PLR1730 - the same place, its endpoint's owner named
            self.network = caller.network
        self.keys.note(caller.access_key, time, bounds.keys)
        if caller.delivery:
            self.deliveries.note(caller.delivery, time, bounds.agents)
        if caller.issued and (not self.issued or caller.issued < self.issued):
            self.issued = caller.issued

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


def sighting_of(calls: list[Calls], bounds: Bounds) -> Sighting:
    """All use of one network."""
    keys: dict[str, str] = {}  # stamps, here and below
    deliveries: dict[str, str] = {}
    called: dict[str, str] = {}
    agents: dict[str, Event] = {}
    for one in calls:
        caller, earliest = one.caller, one.earliest
        if earliest < keys.get(caller.access_key, _NEVER):
            keys[caller.access_key] = earliest
        if caller.delivery and earliest < deliveries.get(caller.delivery, _NEVER):
            deliveries[caller.delivery] = earliest
        for kind in one.kinds:
            first = kind.stamps[0]
            if first < called.get(kind.call, _NEVER):
                called[kind.call] = first
            known = agents.get(kind.agent)
            if known is None or first[:TIME] <= known.time:
                event = one.event(kind, first)
                agents[kind.agent] = event if known is None else min(event, known)
    latest = max([one.latest for one in calls])
    return Sighting(
        network=max([one.caller.network for one in calls]),
        first=min(agents.values()),
        last=max([one.last for one in calls if one.latest == latest]),
        events=Events(undrawn=calls, most=bounds.events),
        hours=Firsts({hour: hour for hour in hours_of(calls)}),
        keys=_times(keys),
        agents=Witnesses(agents),
        calls=_times(called),
        deliveries=_times(deliveries),
        issued=min([one.caller.issued for one in calls if one.caller.issued], default=""),
    )


def _times(stamps: dict[str, str]) -> Firsts:
    return Firsts({name: stamp[:TIME] for name, stamp in stamps.items()})


def part_of(sighting: Sighting, events: list[Event]) -> Sighting:
    """Of a sighting what these of its events show; at least one, all of them its own.

    Its events are a sample where there were many: then so is the part, and the whole may have been more.
    """
    return Sighting(
        network=sighting.network,
        first=min(events),
        last=max(events),
        events=Events({event.event_id: event for event in events}),
        hours=Firsts({event.time[:13]: event.time[:13] for event in events}),
        keys=_firsts(events, "access_key"),
        agents=Witnesses({event.agent: event for event in sorted(events, reverse=True)}),
        calls=_firsts(events, "call"),
        deliveries=sighting.deliveries,
        issued=sighting.issued,
    )


def seen_once(network: Network, event: Event) -> Sighting:
    """All that is known of a network one call is known from."""
    return part_of(Sighting(network, event, event), [event])


def _firsts(events: list[Event], field: str) -> Firsts:
    return Firsts({getattr(event, field): event.time for event in sorted(events, reverse=True)})


class Beacon(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """A call that says it is the one an instance makes at boot; `issued`: when its key was, as the record tells it."""

    event: Event
    issued: str
    network: Network


class Evidence(msgspec.Struct, gc=False, array_like=True):
    """All that is known of one session.

    `earliest` holds the first use in each lane apart from `sightings`, so that no flood of networks can push out
    where the session was used first; so does `beacons` with the first such call of each network, by its key.
    """

    session: Session
    sightings: dict[str, Sighting] = {}
    earliest: dict[Lane, tuple[Event, Network]] = {}
    issuances: dict[str, Issuance] = {}
    role_arns: Firsts = msgspec.field(default_factory=Firsts)
    scopes: Firsts = msgspec.field(default_factory=Firsts)  # what its keys were issued to: type, a space, ARN
    has_more_issuances: bool = False  # than are kept
    crowded: dict[Lane, int] = {}  # lanes with more networks than are kept -> how many there were, about
    beacons: dict[str, Beacon] = {}

    def observe(self, use: Use, bounds: Bounds) -> None:
        self._sighting(use.caller, use.event, bounds).observe(use, bounds)
        if is_beacon(use.event.agent):
            self._note_beacon(Beacon(use.event, use.caller.issued, use.caller.network), bounds)

    def observe_calls(self, calls: list[Calls], bounds: Bounds) -> None:
        """`observe` of each, at once; all are calls of this session."""
        by_network: dict[str, list[Calls]] = {}
        for one in calls:
            self._note_calls(one, bounds)
            by_network.setdefault(one.caller.network.key, []).append(one)
        for key in self._room_for(by_network, bounds):
            there = by_network[key]
            sighting = sighting_of(there, bounds)
            ours = self.sightings.setdefault(key, sighting)
            if ours is not sighting:
                ours.absorb(sighting, bounds)

    def _sighting(self, caller: Caller, first: Event, bounds: Bounds) -> Sighting:
        """The sighting that calls of this caller belong to, once the caller is noted."""
        self._note_caller(caller, first.time, bounds)
        self._note_earliest(first, caller.network)
        key = caller.network.key
        sighting = self.sightings.get(key)
        if sighting is None:
            sighting = self.sightings[key] = Sighting(caller.network, first, first)
            if len(self.sightings) > 2 * len(Lane) * bounds.networks:
                self._settle_networks(bounds)
        return sighting

    def _note_calls(self, calls: Calls, bounds: Bounds) -> None:
        caller, time = calls.caller, calls.earliest[:TIME]
        self._note_caller(caller, time, bounds)
        known = self.earliest.get(caller.network.lane)
        if known is None or time <= known[0].time:
            self._note_earliest(calls.first, caller.network)
        for kind in calls.kinds:
            if is_beacon(kind.agent):
                self._note_beacon(Beacon(calls.event(kind, kind.stamps[0]), caller.issued, caller.network), bounds)

    def _note_caller(self, caller: Caller, time: str, bounds: Bounds) -> None:
        if caller.role_arn:
            self.role_arns.note(caller.role_arn, time, bounds.names)
        if caller.scope:
            self.scopes.note(caller.scope, time, bounds.names)

    def observe_issuance(self, issued: Issued, bounds: Bounds) -> None:
        self.role_arns.note(issued.role_arn, issued.issuance.time, bounds.names)
        self._note_issuance(issued.issuance, bounds)

    def absorb(self, other: "Evidence", bounds: Bounds) -> None:
        for key, theirs in other.sightings.items():
            ours = self.sightings.setdefault(key, theirs)
            if ours is not theirs:
                ours.absorb(theirs, bounds)
        for event, network in other.earliest.values():
            self._note_earliest(event, network)
        for issuance in other.issuances.values():
            self._note_issuance(issuance, bounds)
        for beacon in other.beacons.values():
            self._note_beacon(beacon, bounds)
        self.has_more_issuances |= other.has_more_issuances
        for lane in other.crowded:
            self.crowded.setdefault(lane, 0)
        self.role_arns.absorb(other.role_arns, bounds.names)
        self.scopes.absorb(other.scopes, bounds.names)

    def settle(self, bounds: Bounds) -> None:
        """Bring to the one form that any order of reading leads to.  Needed before judging or comparing."""
        self._settle_networks(bounds)
        self._settle_issuances(bounds)
        for sighting in self.sightings.values():
            sighting.settle(bounds)
        self.role_arns.settle(bounds.names)
        self.scopes.settle(bounds.names)

    def _note_earliest(self, event: Event, network: Network) -> None:
        known = self.earliest.get(network.lane)
        if known is None or (event.time <= known[0].time and (event, network) < known):
            self.earliest[network.lane] = (event, network)

    def _note_beacon(self, beacon: Beacon, bounds: Bounds) -> None:
        """Keep the earliest of each network, and the networks where it was earliest: the later ones never count."""
        key = beacon.network.key
        known = self.beacons.get(key)
        if beacon.network.lane in LOCKABLE and (known is None or beacon < known):
            self.beacons[key] = beacon
            if len(self.beacons) > bounds.beacons:
                del self.beacons[max(self.beacons, key=lambda one: (self.beacons[one], one))]

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

    def _settle_networks(self, bounds: Bounds) -> None:
        if len(self.sightings) <= bounds.networks and not self.crowded:
            return
        networks = {key: sighting.network for key, sighting in self.sightings.items()}
        for key in networks.keys() - self._kept(networks, bounds):
            del self.sightings[key]

    def _room_for(self, calls: dict[str, list[Calls]], bounds: Bounds) -> Iterable[str]:
        """Those of these networks that are kept; what they push out is let go."""
        if len(self.sightings) + len(calls) <= bounds.networks and not self.crowded:
            return calls
        networks = {key: there[0].caller.network for key, there in calls.items()}
        networks |= {key: sighting.network for key, sighting in self.sightings.items()}
        kept = self._kept(networks, bounds)
        for key in self.sightings.keys() - kept:
            del self.sightings[key]
        return calls.keys() & kept

    def _kept(self, networks: dict[str, Network], bounds: Bounds) -> set[str]:
        """The networks that stay, of those kept so far and those that come; notes lanes with more than stay."""
        by_lane: dict[Lane, dict[str, Network]] = defaultdict(dict)
        for key, network in networks.items():
            by_lane[network.lane][key] = network
        kept: set[str] = set()
        for lane, there in by_lane.items():
            if len(there) > bounds.networks or lane in self.crowded:
                lowest_few = lowest(there, bounds.networks)
                self.crowded[lane] = distinct(lowest_few, bounds.networks, overflowed=True)
                kept.update(lowest_few, _of_each_neighbourhood(there, bounds))
            else:
                kept.update(there)
        return kept


def _of_each_neighbourhood(networks: dict[str, Network], bounds: Bounds) -> Iterator[str]:
    """A few networks of every neighbourhood: a thousand addresses of one cloud must not push out the one elsewhere."""
    neighbourhoods: dict[str, list[str]] = defaultdict(list)
    for key, network in networks.items():
        neighbourhoods[neighbourhood(network)].append(key)
    for name in lowest(neighbourhoods, bounds.neighbourhoods):
        yield from lowest(neighbourhoods[name], bounds.neighbours)


def workload_of(evidence: Evidence) -> tuple[Workload | None, list[str]]:
    """What the session runs, and by which signs that is known, strongest first; None for people and services."""
    signs: list[tuple[str, Workload]] = []
    signs += [("inScopeOf", found) for scope in sorted(evidence.scopes.times) if (found := by_scope(scope))]
    if any(sighting.deliveries.times for sighting in evidence.sightings.values()):
        signs.append(("ec2RoleDelivery", INSTANCE))
    issuers = sorted({issuance.issuer for issuance in evidence.issuances.values()})
    signs += [("issuance", found) for issuer in issuers if (found := by_issuer(issuer))]
    named = by_name(evidence.session)
    if named is not None:
        signs.append(("role" if evidence.session.role == IDENTITY_ROLE else "name", named))
    workload = signs[0][1] if signs else None
    return workload, list(dict.fromkeys(sign for sign, found in signs if found is workload))


def instance_of(evidence: Evidence) -> tuple[str, str]:
    """Instance id and region, each empty where unknown; of a workload that is no instance the region alone."""
    scopes = [scope.partition(" ")[2] for scope in sorted(evidence.scopes.times) if by_scope(scope)]
    for parsed in map(parse_instance_arn, scopes):
        if parsed:
            return parsed[1], parsed[0]
    name = evidence.session.name
    regions = [arn.split(":")[3] for arn in scopes if arn.count(":") > 4]
    regions += sorted(issuance.region for issuance in evidence.issuances.values() if issuance.region)
    return (name if is_instance_id(name) else ""), (regions[0] if regions else "")
