"""What was judged: a stray most of all.

The JSON form is a contract, told field by field in docs/output.md: fields are added, never renamed.
"""

import hashlib
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """GuardDuty's scale."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"

    @property
    def score(self) -> float:
        return _SCORES[self]


_SCORES = {Severity.HIGH: 8.0, Severity.MEDIUM: 5.0, Severity.LOW: 3.0, Severity.INFORMATIONAL: 1.0}


class Confidence(StrEnum):
    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"


class FindingType(StrEnum):
    """Named as GuardDuty names its own, or would."""

    OUTSIDE_AWS = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
    INSIDE_AWS = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS"
    UNKNOWN = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.Unknown"
    RESOURCE_OUTSIDE_AWS = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.OutsideAWS"
    RESOURCE_INSIDE_AWS = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.InsideAWS"
    RESOURCE_UNKNOWN = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration.Unknown"
    USER_AGENT = "CredentialAccess:IAMUser/InstanceUserAgent.Unrecognized"
    SPOOFED_NAME = "DefenseEvasion:IAMUser/InstanceSessionName.Spoofed"
    V1_DELIVERY = "Policy:EC2/InstanceMetadata.V1Delivery"
    EGRESS_MOVED = "Discovery:EC2/EgressMoved"
    SERVICE_CALLS = "Discovery:IAMUser/InstanceServiceCalls"


class Status(StrEnum):
    """What became of a finding.  What a scan finds is open."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


class Reason(msgspec.Struct, frozen=True):
    code: str
    text: str


class FindingSession(msgspec.Struct, frozen=True):
    arn: str
    account: str
    role: str
    role_arn: str | None
    instance_id: str | None
    workload: str
    region: str | None
    issued: str | None
    expires: str | None


class Home(msgspec.Struct, frozen=True):
    address: str
    lane: str
    vpc_endpoint: str | None
    first_seen: str
    last_seen: str
    count: int
    count_is_estimate: bool
    why: str


class Stray(msgspec.Struct, frozen=True):
    """The network a finding is about; one about a role's settings is about none, and has no address."""

    address: str | None
    lane: str | None
    vpc_endpoint: str | None
    account: str | None
    affiliated: bool | None
    aws_region: str | None
    first_seen: str
    last_seen: str
    count: int
    count_is_estimate: bool
    calls: dict[str, int]
    errors: int
    user_agents: list[str]


class Witness(msgspec.Struct, frozen=True):
    """A record that proves the finding."""

    time: str
    event_id: str
    call: str
    region: str | None
    error: str | None


class PivotUse(msgspec.Struct, frozen=True):
    """What was made with the stray key, or with what was made with it, and the use of that."""

    time: str
    call: str
    made: str | None
    access_key: str | None
    uses: int
    depth: int
    account: str | None
    region: str | None
    event_id: str
    addresses: list[str]
    first_used: str | None
    last_used: str | None


class Finding(msgspec.Struct, frozen=True):
    id: str
    type: FindingType
    severity: Severity
    severity_score: float
    confidence: Confidence
    status: str
    title: str
    description: str
    session: FindingSession
    access_keys: list[str]
    home: list[Home]
    stray: Stray
    reasons: list[Reason]
    pivots: list[PivotUse]
    pivots_count: int
    events: list[Witness]
    sessions: list[str]
    resolution: str | msgspec.UnsetType = msgspec.UNSET  # of what is resolved: why
    acknowledged: str | msgspec.UnsetType = msgspec.UNSET  # of what is acknowledged: by whom, and what was said
    suppression: str | msgspec.UnsetType = msgspec.UNSET  # of what is suppressed: the rule, and its reason


def finding_id(subject: str, about: str) -> str:
    """Stable over runs, over more evidence, and over a change of type or severity: it names who strayed where."""
    return hashlib.sha256(f"{subject}\n{about}".encode()).hexdigest()[:32]


def wanted(finding: Finding, minimum: Severity, *, was_told: bool = False) -> bool:
    """Whether who asked for `minimum` and above is to be told of it.

    Who was told of it once is told of every change: an alarm that is over, or lesser, must not stand for ever.
    """
    return was_told or finding.severity_score >= minimum.score
