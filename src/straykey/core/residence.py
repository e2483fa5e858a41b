"""Where a session lives by first use, and whether it is settled there.

This is the first pass: what the lock of 2018 would say of each session alone, before anything is turned round.
"""

from collections.abc import Collection

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.moment import seconds
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane, Network
from straykey.core.observation import Event
from straykey.core.ranges import AwsRanges
from straykey.core.sample import lowest
from straykey.core.tenant import only_sighting

_BOUNDS = Bounds()
_MOST_HOURS = _BOUNDS.hours
_HOUR_SECONDS = 3600


class Resident(msgspec.Struct, frozen=True, order=True, gc=False):
    """A session that lives at a place, from which address, and since when.

    `is_settled`: the place carries it through most of its active hours.  `is_lasting`: for an hour at least, too.
    """

    since: str
    arn: str
    address: str
    is_settled: bool
    is_lasting: bool


class Residence(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place, a public address or an endpoint, and its resident.

    `is_plausible`: it is the session's first network, or in its region, or an endpoint; else a fleet must vouch for it.
    """

    place: str
    is_public: bool
    is_plausible: bool
    resident: Resident


def residences_of(
    evidence: Evidence, region: str, ranges: AwsRanges | None, spoofed: frozenset[str]
) -> tuple[Residence, ...]:
    """The session's first place in each lane; of an endpoint's private address every endpoint it goes through."""
    only = only_sighting(evidence)
    if only is not None and spoofed.isdisjoint(only.keys.times):
        return _only_residence(evidence, only)
    openers = _openers(evidence, spoofed)
    found: set[Residence] = set()
    for lane, (event, network) in openers.items():
        lane_mates = [
            one for one in evidence.sightings.values() if (one.network.lane in PUBLIC_LANES) is _is_public(lane)
        ]
        there = [one for one in lane_mates if one.network.address == network.address and one.network.lane is lane]
        # An egress beside endpoints may be used now and then only: it is held against other public networks.
        is_alone = len(there) == len(lane_mates)
        settled = is_alone or (is_settled(there, life_of(lane_mates)) and not _has_rival(evidence, network, ranges))
        lasting = settled and span_of(there) >= _HOUR_SECONDS
        resident = Resident(event.time, evidence.session.arn, network.address, settled, lasting)
        is_plausible = _is_plausible(lane, openers, evidence, region, ranges)
        places = {one.network.endpoint or one.network.address for one in there}
        found |= {Residence(place, _is_public(lane), is_plausible, resident) for place in places}
    return tuple(sorted(found))


def _only_residence(evidence: Evidence, only: Sighting) -> tuple[Residence, ...]:
    """Who was never seen elsewhere is settled."""
    network = only.network
    is_public = network.lane in PUBLIC_LANES
    if not is_public and network.lane is not Lane.ENDPOINT:
        return ()
    since = only.first.time
    is_lasting = only.last.time[:13] != since[:13] and span_of([only]) >= _HOUR_SECONDS
    resident = Resident(since, evidence.session.arn, network.address, is_settled=True, is_lasting=is_lasting)
    return (Residence(network.endpoint or network.address, is_public, is_plausible=True, resident=resident),)


def _is_public(lane: Lane) -> bool:
    return lane in PUBLIC_LANES


class Life(msgspec.Struct, frozen=True):
    """When a session was active at all: in which hours, and for how many seconds; and where, for its calls."""

    hours: frozenset[str]
    seconds: int
    sightings: tuple[Sighting, ...]

    def is_share(self, there: Collection[Sighting], share: int) -> bool:
        """True for a place where one part in so many of the time was spent, or of the calls made: time is cheaper."""
        is_of_time = share * span_of(there) >= self.seconds
        return is_of_time or share * _calls_of(there) >= _calls_of(self.sightings)


def life_of(sightings: Collection[Sighting]) -> Life:
    hours = {hour for sighting in sightings for hour in sighting.hours.times}
    kept = hours if len(hours) <= _MOST_HOURS else lowest(hours, _MOST_HOURS)
    return Life(frozenset(kept), span_of(sightings), tuple(sightings))


def is_settled(there: Collection[Sighting], life: Life) -> bool:
    """True for a place that carries a session through most of its active hours, and most of its time or its calls."""
    hours = {hour for sighting in there for hour in sighting.hours.times}
    is_most_hours = 2 * len(hours & life.hours) >= len(life.hours)
    return is_most_hours and life.is_share(there, 2)


def is_used_throughout(there: Collection[Sighting], life: Life) -> bool:
    """True for a place used in most active hours, or for a good part of a life; of half an hour nothing can be told.

    Less than settled: the addresses of a pool take turns.
    """
    hours = {hour for sighting in there for hour in sighting.hours.times}
    in_most_hours = len(life.hours) > 2 and 2 * len(hours & life.hours) >= len(life.hours)
    return in_most_hours or life.seconds < _HOUR_SECONDS // 2 or life.is_share(there, 4)


def span_of(sightings: Collection[Sighting]) -> int:
    """Seconds from the first use to the last."""
    if not sightings:
        return 0
    return seconds(max(one.last.time for one in sightings)) - seconds(min(one.first.time for one in sightings))


def _calls_of(sightings: Collection[Sighting]) -> int:
    return sum(one.events.count(_BOUNDS.events) for one in sightings)


def _openers(evidence: Evidence, spoofed: frozenset[str]) -> dict[Lane, tuple[Event, Network]]:
    """The first use in each lane, by a key that is the workload's."""
    first = {lane: evidence.earliest[lane] for lane in (*PUBLIC_LANES, Lane.ENDPOINT) if lane in evidence.earliest}
    if spoofed.isdisjoint(event.access_key for event, _ in first.values()):
        return first
    openers: dict[Lane, tuple[Event, Network]] = {}
    for one in sorted(evidence.sightings.values(), key=lambda one: (one.first, one.network)):
        if one.network.lane in first and not one.keys.times.keys() <= spoofed:
            openers.setdefault(one.network.lane, (one.first, one.network))
    return openers


def _is_plausible(
    lane: Lane, openers: dict[Lane, tuple[Event, Network]], evidence: Evidence, region: str, ranges: AwsRanges | None
) -> bool:
    """A public lane that is not the session's first network must at least be in its region; else it is a stray."""
    event, network = openers[lane]
    earliest = [first for first, at in evidence.earliest.values() if at.lane in LOCKABLE]
    if lane is Lane.ENDPOINT or event <= min(earliest, default=event):
        return True
    behind = openers.get(Lane.ENDPOINT)
    region = region or (behind[0].region if behind else "")
    prefix = ranges.lookup(network.address) if ranges else None
    return prefix is not None and prefix.region == region


def _has_rival(evidence: Evidence, network: Network, ranges: AwsRanges | None) -> bool:
    """True for an address outside AWS beside one in AWS that is used as long: a talkative thief makes no home."""
    if ranges is None or network.lane not in PUBLIC_LANES or ranges.lookup(network.address) is not None:
        return False
    public = [one for one in evidence.sightings.values() if one.network.lane in PUBLIC_LANES]
    in_aws = [one for one in public if ranges.lookup(one.network.address) is not None]
    life = life_of(public)
    hours = {hour for sighting in in_aws for hour in sighting.hours.times}
    return bool(in_aws) and (4 * span_of(in_aws) >= life.seconds or 2 * len(hours & life.hours) >= len(life.hours))
