"""What is worth knowing and is no theft: keys handed out by IMDSv1, an egress that moved, services that acted."""

from msgspec import Struct
from msgspec.structs import replace

from straykey.core.case import Context
from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.explanation import region_of
from straykey.core.finding import Confidence, Finding, FindingType, Reason, Severity, Stray, finding_id
from straykey.core.home import Standing, Verdict
from straykey.core.move import Move
from straykey.core.network import Lane
from straykey.core.portrait import Origin, home_of, session_of, stray_of, witnesses_of
from straykey.core.reasons import V1_DELIVERY
from straykey.core.v1 import V1Role

_MOST_NAMED = 64


def v1_delivery(role: str, told: V1Role, one: Evidence, context: Context) -> Finding:
    """One finding for a role some of whose keys were handed out by IMDSv1; `one` is of the first session by name."""
    text = f"{_many(told.count)} of the role used keys handed out by IMDSv1, first at {told.first}"
    return _notice(
        FindingType.V1_DELIVERY,
        finding_id(role, FindingType.V1_DELIVERY),
        one,
        told.arns,
        _Told(
            title=f"Keys of role {one.session.role} were handed out by IMDSv1",
            reason=Reason(V1_DELIVERY, text),
            advice="A single request forged by the server (SSRF) is enough to take such a key: require IMDSv2.",
        ),
        stray=_no_network(told.first, told.last, told.count),
        context=context,
    )


def _many(sessions: int) -> str:
    return f"{sessions} session{'s' * (sessions != 1)}"


def egress_move(move: Move, sessions: list[str], one: Evidence, context: Context) -> Finding:
    """One finding for a move that explained a network of these sessions, of which `one` is the first by name."""
    arns = sorted({*move.arns, *sessions})
    text = f"{len(arns)} sessions that shared {move.old} left it for {move.new} between {move.since} and {move.until}"
    prefix = context.ranges.lookup(move.new) if context.ranges else None
    place = replace(
        _no_network(move.since, move.until, len(arns)),
        address=move.new,
        lane=(Lane.PUBLIC_V6 if ":" in move.new else Lane.PUBLIC).value,
        aws_region=prefix.region if prefix else None,
    )
    return _notice(
        FindingType.EGRESS_MOVED,
        finding_id(move.old, f"moved to {move.new}"),
        one,
        arns,
        _Told(
            title=f"{len(arns)} sessions moved from {move.old} to {move.new}",
            reason=Reason("egress-moved", text),
            advice="None went back, as after a new NAT gateway or route. If nobody changed the egress, look closer.",
        ),
        stray=place,
        context=context,
    )


def service_calls(evidence: Evidence, verdicts: list[Verdict], context: Context, bounds: Bounds) -> list[Finding]:
    """One finding for each service that acted for a session; only on request."""
    return [
        _service_call(evidence, verdict.sighting, verdicts, context, bounds)
        for verdict in verdicts
        if verdict.code == "service-call"
    ]


def _service_call(
    evidence: Evidence, sighting: Sighting, verdicts: list[Verdict], context: Context, bounds: Bounds
) -> Finding:
    homes = [one for one in verdicts if one.standing is Standing.HOME]
    service = sighting.network.address
    found = _notice(
        FindingType.SERVICE_CALLS,
        finding_id(evidence.session.arn, sighting.network.key),
        evidence,
        [evidence.session.arn],
        _Told(
            title=f"{service} acted for {evidence.session.name}",
            reason=Reason("service-call", f"{service} acted with the session's rights, as AWS services do when asked"),
            advice="No address can tell who asked.",
        ),
        stray=stray_of(sighting, Origin(), bounds),
        context=context,
    )
    return replace(
        found,
        session=session_of(evidence, set(sighting.keys.times), found.session.region or "", sighting.issued),
        access_keys=sorted(filter(None, sighting.keys.times)),
        home=[home_of(home, bounds) for home in homes],
        events=witnesses_of(sighting),
    )


class _Told(Struct, frozen=True):
    title: str
    reason: Reason
    advice: str


def _notice(
    kind: FindingType,
    identity: str,
    evidence: Evidence,
    arns: list[str],
    told: _Told,
    *,
    stray: Stray,
    context: Context,
) -> Finding:
    text = told.reason.text
    return Finding(
        id=identity,
        type=kind,
        severity=Severity.INFORMATIONAL,
        severity_score=Severity.INFORMATIONAL.score,
        confidence=Confidence.CONFIRMED,
        status="open",
        title=told.title,
        description=f"{text[:1].upper()}{text[1:]}. {told.advice}",
        session=session_of(evidence, set(), region_of(evidence, (), context.ranges), ""),
        access_keys=[],
        home=[],
        stray=stray,
        reasons=[told.reason],
        pivots=[],
        pivots_count=0,
        events=[],
        sessions=arns[:_MOST_NAMED],
    )


def _no_network(first: str, last: str, count: int) -> Stray:
    return Stray(None, None, None, None, None, None, first, last, count, False, {}, 0, [])
