"""Findings of every type and status, as full as can be and as bare as can be."""

from msgspec.structs import replace

from straykey.core.finding import Finding, FindingType, Reason
from tests.formats.test_finding import theft
from tests.records import use_record
from tests.seen import findings_of

STATUSES = ("open", "acknowledged", "suppressed", "resolved")
TYPES = tuple(FindingType)
HOSTILE = "<!here> <https://evil.example|x> `*_~ & \x1b]0;\u202e evil.example @channel"


def stolen() -> Finding:
    """The finding about a theft."""
    return findings_of(*theft())[0]


def delivered() -> Finding:
    """The finding about a role: it is about no network, no call and no key."""
    return next(one for one in findings_of(*theft()) if one.type is FindingType.V1_DELIVERY)


def full(kind: FindingType = FindingType.OUTSIDE_AWS, status: str = "open") -> Finding:
    return replace(stolen(), type=kind, status=status)


def bare(kind: FindingType = FindingType.V1_DELIVERY, status: str = "open") -> Finding:
    """All is unknown that may be."""
    known = delivered()
    session = replace(known.session, role_arn=None, instance_id=None, region=None, issued=None, expires=None)
    return replace(known, type=kind, status=status, session=session, reasons=[])


def hostile(length: int = 1) -> Finding:
    """Every text of a log is an attacker's, and `length` times as long."""
    text = HOSTILE * length
    known = stolen()
    role_arn = f"arn:aws:iam::111122223333:role/{text}"
    arn = f"arn:aws:sts::111122223333:assumed-role/{text}/{text}"
    session = replace(known.session, arn=arn, role=text, role_arn=role_arn, instance_id=text, region=text)
    stray = replace(
        known.stray,
        address=text,
        vpc_endpoint=text,
        account=text,
        aws_region=text,
        calls={f"{text}:{text}": 3},
        user_agents=[text] * 32,
    )
    events = [replace(event, call=f"{text}:{text}", error=text, region=text) for event in known.events]
    return replace(
        known,
        title=text,
        description=text,
        session=session,
        stray=stray,
        events=events,
        access_keys=[f"{number}{text}" for number in range(128)],
        reasons=[Reason("new-calls", text)] * 12,
        sessions=[arn],
    )


def of_ipv6() -> Finding:
    stray = use_record(address="2001:db8:ffff::66", time="2026-05-04T10:30:00Z", endpoint=None)
    return findings_of(use_record(), use_record(time="2026-05-04T11:00:00Z"), stray)[0]


def everything() -> list[Finding]:
    """Each type in each status, full and bare."""
    return [make(kind, status) for make in (full, bare) for kind in TYPES for status in STATUSES]
