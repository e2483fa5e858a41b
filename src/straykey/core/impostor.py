"""A session that was given an instance's id for a name, by somebody who is not the instance."""

from straykey.core.case import Context
from straykey.core.evidence import Evidence
from straykey.core.finding import (
    Confidence,
    Finding,
    FindingType,
    Reason,
    Severity,
    Stray,
    Witness,
    finding_id,
)
from straykey.core.masquerade import Masquerade
from straykey.core.network import PUBLIC_LANES, network_of
from straykey.core.portrait import session_of
from straykey.core.reasons import SPOOFED_NAME
from straykey.core.trail import Followed

_MOST_EVENTS = 64


def finding_of(taken: Masquerade, known: Evidence | None, context: Context, followed: Followed) -> Finding:
    """`known` is what was seen of the session itself."""
    session = taken.session
    evidence = known or Evidence(session)
    text = (
        f"{taken.by} assumed role {session.role} under the name of instance {session.name}, which EC2 alone, or the "
        f"instance itself, rightly does"
    )
    events = _events(taken)
    issued = events[0].time
    return Finding(
        id=finding_id(session.arn, f"spoofed by {taken.by}"),
        type=FindingType.SPOOFED_NAME,
        severity=Severity.MEDIUM,
        severity_score=Severity.MEDIUM.score,
        confidence=Confidence.CONFIRMED,
        status="open",
        title=f"A session was named {session.name} by {taken.by}",
        description=f"{text}. Whoever reads the log takes its calls for the instance's.",
        session=session_of(evidence, set(), "", issued),
        access_keys=sorted(taken.access_keys),
        home=[],
        stray=_stray(taken, events, context),
        reasons=[Reason(SPOOFED_NAME, text)],
        pivots=list(followed.pivots),
        pivots_count=followed.count,
        events=events[:_MOST_EVENTS],
        sessions=[session.arn],
    )


def _events(taken: Masquerade) -> list[Witness]:
    made = [Witness(one.time, one.event_id, one.call, one.region or None, None) for one in taken.makings]
    call = "sts.amazonaws.com:AssumeRole"
    made += [Witness(one.time, one.event_id, call, one.region or None, None) for one in taken.issuances]
    return sorted(made, key=lambda one: (one.time, one.event_id))


def _stray(taken: Masquerade, events: list[Witness], context: Context) -> Stray:
    """Where the name was taken from."""
    address = taken.makings[0].address if taken.makings else taken.by
    network = network_of(address)
    prefix = context.ranges.lookup(network.address) if context.ranges and network.lane in PUBLIC_LANES else None
    return Stray(
        address=network.address or None,
        lane=network.lane.value,
        vpc_endpoint=None,
        account=None,
        affiliated=None,
        aws_region=prefix.region if prefix else None,
        first_seen=events[0].time,
        last_seen=events[-1].time,
        count=len(events),
        count_is_estimate=False,
        calls={events[0].call: len(events)},
        errors=0,
        user_agents=[],
    )
