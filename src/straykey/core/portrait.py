"""How sightings and sessions are drawn in a finding: the parts that all kinds of finding share."""

from collections import Counter

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting, instance_of, workload_of
from straykey.core.finding import FindingSession, Home, Stray, Witness
from straykey.core.home import Verdict
from straykey.core.observation import Event


class Origin(msgspec.Struct, frozen=True):
    """Whose network it is, as far as evidence tells."""

    account: str = ""
    affiliated: bool | None = None
    aws_region: str = ""


def session_of(evidence: Evidence, keys: set[str], region: str, issued: str) -> FindingSession:
    """The session, with the life of those of its keys whose issuance was read; else since `issued`."""
    session = evidence.session
    workload, _ = workload_of(evidence)
    known = [evidence.issuances[key] for key in keys if key in evidence.issuances]
    first = min(known, default=None)
    return FindingSession(
        arn=session.arn,
        account=session.account,
        role=session.role,
        role_arn=min(evidence.role_arns.times, default=None),
        instance_id=instance_of(evidence)[0] or None,
        workload=workload.noun if workload else "other",
        region=region or None,
        issued=first.time if first else issued or None,
        expires=max((one.expires for one in known), default=None),
    )


def home_of(verdict: Verdict, bounds: Bounds) -> Home:
    sighting = verdict.sighting
    return Home(
        address=sighting.network.address,
        lane=sighting.network.lane.value,
        vpc_endpoint=sighting.network.endpoint or None,
        first_seen=sighting.first.time,
        last_seen=sighting.last.time,
        count=sighting.events.count(bounds.events),
        count_is_estimate=sighting.events.overflowed,
        why=verdict.code,
    )


def stray_of(sighting: Sighting, origin: Origin, bounds: Bounds, whole: Sighting | None = None) -> Stray:
    """The network of a finding; with `whole`, only that part of its use which `sighting` holds."""
    count = sighting.events.count(bounds.events)
    is_estimate = (whole or sighting).events.overflowed
    if whole is not None and is_estimate:
        count = max(count, scaled(sum(one in sighting.events.kept for one in _ids(whole)), whole, bounds))
    return Stray(
        address=sighting.network.address,
        lane=sighting.network.lane.value,
        vpc_endpoint=sighting.network.endpoint or None,
        account=origin.account or None,
        affiliated=origin.affiliated,
        aws_region=origin.aws_region or None,
        first_seen=sighting.first.time,
        last_seen=sighting.last.time,
        count=count,
        count_is_estimate=is_estimate,
        calls=calls_of(sighting, bounds),
        errors=scaled(sum(bool(event.error) for event in sighting.events.kept.values()), sighting, bounds),
        user_agents=sorted(filter(None, sighting.agents.events)),
    )


def _ids(sighting: Sighting) -> set[str]:
    return {event.event_id for event in sighting.events.kept.values()}


def calls_of(sighting: Sighting, bounds: Bounds) -> dict[str, int]:
    """Uses of each call, by name; a call that fell out of the sample of events still counts as one."""
    sampled = Counter(event.call for event in sighting.events.kept.values())
    return {call: max(1, scaled(sampled[call], sighting, bounds)) for call in sorted(sighting.calls.times)}


def scaled(sampled: int, sighting: Sighting, bounds: Bounds) -> int:
    """How many of all uses there were, for so many in the sample."""
    kept = len(sighting.events.kept)
    return round(sampled * sighting.events.count(bounds.events) / kept) if kept else 0


def witnesses_of(sighting: Sighting) -> list[Witness]:
    # Of two that carry one id the earlier stays.
    kept = sorted((sighting.first, sighting.last, *sighting.events.kept.values()), reverse=True)
    events = {event.event_id: event for event in kept}
    return [witness_of(event) for event in sorted(events.values())]


def witness_of(event: Event) -> Witness:
    return Witness(event.time, event.event_id, event.call, event.region or None, event.error or None)


def title_of(sighting: Sighting) -> str:
    """A network in words."""
    network = sighting.network
    return f"{network.address} through {network.endpoint}" if network.endpoint else network.address


def calls_in_words(sighting: Sighting, bounds: Bounds) -> str:
    count = sighting.events.count(bounds.events)
    return f"{'about ' if sighting.events.overflowed else ''}{count} call{'s' * (count != 1)}"
