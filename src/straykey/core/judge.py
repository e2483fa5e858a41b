"""Evidence, context and settings in, findings out; nothing else is looked at, not even the clock."""

from collections import Counter

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting, instance_of, signs_of_instance
from straykey.core.finding import (
    Confidence,
    Finding,
    FindingSession,
    FindingType,
    Home,
    Reason,
    Severity,
    Stray,
    Witness,
    finding_id,
)
from straykey.core.fleet import Fleet, survey
from straykey.core.home import Context, Standing, Verdict, region_of, weigh
from straykey.core.ledger import Ledger
from straykey.core.network import PUBLIC_LANES, Lane
from straykey.core.ranges import AwsRanges
from straykey.core.reasons import Comparison, confidence_of, reasons_for
from straykey.core.session import IDENTITY_ROLE
from straykey.core.settings import Settings

_SURENESS = {confidence: place for place, confidence in enumerate(Confidence)}


def judge(ledger: Ledger, settings: Settings, ranges: AwsRanges | None) -> list[Finding]:
    """All findings of a settled ledger, the worst first.  Without `ranges`, public strays are of type Unknown."""
    context = Context(settings, survey(ledger, settings, ranges), ranges)
    findings = [
        finding
        for evidence in ledger.sessions.values()
        if is_judged(evidence)
        for finding in _judge_session(evidence, context, ledger.bounds)
    ]
    return sorted(
        findings, key=lambda one: (-one.severity_score, _SURENESS[one.confidence], one.stray.first_seen, one.id)
    )


def is_judged(evidence: Evidence) -> bool:
    """True for a session of an EC2 instance.  EC2's own infrastructure role never gets into a ledger."""
    return evidence.session.role == IDENTITY_ROLE or bool(signs_of_instance(evidence))


def _judge_session(evidence: Evidence, context: Context, bounds: Bounds) -> list[Finding]:
    verdicts = weigh(evidence, context)
    homes = [verdict for verdict in verdicts if verdict.standing is Standing.HOME]
    return [
        _finding(verdict.sighting, homes, evidence, context, bounds)
        for verdict in verdicts
        if verdict.standing is Standing.STRAY
    ]


class _Origin(msgspec.Struct, frozen=True):
    """Where a stray came from, and what that makes of it."""

    type: FindingType
    severity: Severity
    account: str
    affiliated: bool | None
    aws_region: str


def _origin(sighting: Sighting, evidence: Evidence, context: Context) -> _Origin:
    network = sighting.network
    session = evidence.session
    prefix = context.ranges.lookup(network.address) if context.ranges and network.lane in PUBLIC_LANES else None
    kind = _type_of(sighting, context, in_ranges=prefix is not None)
    # Who lives at an address outside AWS does not own it: that is somebody's office, or the thief's.
    account = "" if kind is FindingType.OUTSIDE_AWS else context.fleet.owner_of(sighting, evidence)
    return _Origin(
        type=kind,
        severity=_severity(kind, account, session.account, context.fleet),
        account=account,
        affiliated=context.fleet.is_ours(account, session.account) if account else None,
        aws_region=prefix.region if prefix else "",
    )


def _type_of(sighting: Sighting, context: Context, *, in_ranges: bool) -> FindingType:
    network = sighting.network
    allocated = context.fleet.allocated_to(network.address, sighting.first.time)
    if network.lane is Lane.ENDPOINT or in_ranges or (allocated and network.lane in PUBLIC_LANES):
        return FindingType.INSIDE_AWS
    if network.lane is Lane.PRIVATE or context.ranges is None:
        return FindingType.UNKNOWN
    return FindingType.OUTSIDE_AWS


def _severity(kind: FindingType, account: str, own: str, fleet: Fleet) -> Severity:
    if kind is not FindingType.INSIDE_AWS or not account:
        return Severity.HIGH
    if account == own:
        return Severity.LOW
    return Severity.MEDIUM if fleet.is_ours(account, own) else Severity.HIGH


def _finding(sighting: Sighting, homes: list[Verdict], evidence: Evidence, context: Context, bounds: Bounds) -> Finding:
    origin = _origin(sighting, evidence, context)
    reasons = reasons_for(Comparison(sighting, tuple(home.sighting for home in homes), evidence))
    session = _session(sighting, homes, evidence, context)
    return Finding(
        id=finding_id(evidence.session.arn, sighting.network.key),
        type=origin.type,
        severity=origin.severity,
        severity_score=origin.severity.score,
        confidence=confidence_of(reasons),
        status="open",
        title=_title(sighting, session, origin),
        description=_description(sighting, session, homes, reasons, bounds),
        session=session,
        access_keys=sorted(filter(None, sighting.keys.times)),
        home=[_home(home, bounds) for home in homes],
        stray=_stray(sighting, origin, bounds),
        reasons=reasons,
        pivots=[],
        events=_witnesses(sighting),
    )


def _session(sighting: Sighting, homes: list[Verdict], evidence: Evidence, context: Context) -> FindingSession:
    session = evidence.session
    instance = instance_of(evidence)[0]
    region = region_of(evidence, tuple(home.sighting for home in homes), context.ranges)
    known = [evidence.issuances[key] for key in sighting.keys.times if key in evidence.issuances]
    issuance = min(known, default=None)
    return FindingSession(
        arn=session.arn,
        account=session.account,
        role=session.role,
        role_arn=min(evidence.role_arns.times, default=None),
        instance_id=instance or None,
        region=region or None,
        issued=issuance.time if issuance else sighting.issued or None,
        expires=max((one.expires for one in known), default=None),
    )


def _home(verdict: Verdict, bounds: Bounds) -> Home:
    sighting = verdict.sighting
    return Home(
        address=sighting.network.address,
        lane=sighting.network.lane.value,
        vpc_endpoint=sighting.network.endpoint or None,
        first_seen=sighting.first.time,
        last_seen=sighting.last,
        count=sighting.events.count(bounds.events),
        count_is_estimate=sighting.events.overflowed,
        why=verdict.code,
    )


def _stray(sighting: Sighting, origin: _Origin, bounds: Bounds) -> Stray:
    return Stray(
        address=sighting.network.address,
        lane=sighting.network.lane.value,
        vpc_endpoint=sighting.network.endpoint or None,
        account=origin.account or None,
        affiliated=origin.affiliated,
        aws_region=origin.aws_region or None,
        first_seen=sighting.first.time,
        last_seen=sighting.last,
        count=sighting.events.count(bounds.events),
        count_is_estimate=sighting.events.overflowed,
        calls=calls_of(sighting, bounds),
        errors=_scaled(sum(bool(event.error) for event in sighting.events.kept.values()), sighting, bounds),
        user_agents=sorted(filter(None, sighting.agents.times)),
    )


def calls_of(sighting: Sighting, bounds: Bounds) -> dict[str, int]:
    """Uses of each call, by name; a call that fell out of the sample of events still counts as one."""
    sampled = Counter(event.call for event in sighting.events.kept.values())
    return {call: max(1, _scaled(sampled[call], sighting, bounds)) for call in sorted(sighting.calls.times)}


def _scaled(sampled: int, sighting: Sighting, bounds: Bounds) -> int:
    kept = len(sighting.events.kept)
    return round(sampled * sighting.events.count(bounds.events) / kept) if kept else 0


def _witnesses(sighting: Sighting) -> list[Witness]:
    # Of two that carry one id the earlier stays.
    kept = sorted((sighting.first, *sighting.events.kept.values()), reverse=True)
    events = {event.event_id: event for event in kept}
    return [
        Witness(event.time, event.event_id, event.call, event.region or None, event.error or None)
        for event in sorted(events.values())
    ]


_WHERE = {
    FindingType.OUTSIDE_AWS: "outside AWS",
    FindingType.INSIDE_AWS: "inside AWS",
    FindingType.UNKNOWN: "whose place is unknown",
}


def _title(sighting: Sighting, session: FindingSession, origin: _Origin) -> str:
    network = sighting.network
    where = f"{network.address} through {network.endpoint}" if network.endpoint else network.address
    owner = f", account {origin.account}" if origin.account else ""
    return f"Keys of {session.instance_id or session.arn} used from {where}, {_WHERE[origin.type]}{owner}"


def _description(
    sighting: Sighting, session: FindingSession, homes: list[Verdict], reasons: list[Reason], bounds: Bounds
) -> str:
    count = sighting.events.count(bounds.events)
    places = ", ".join(home.sighting.network.address for home in homes) or "no network known"
    calls = f"{'about ' if sighting.events.overflowed else ''}{count} call{'s' * (count != 1)}"
    return (
        f"The session of role {session.role} made {calls} from {sighting.network.address} between "
        f"{sighting.first.time} and {sighting.last}. Its home is {places}. "
        + " ".join(f"{reason.text[:1].upper()}{reason.text[1:]}." for reason in reasons)
    )
