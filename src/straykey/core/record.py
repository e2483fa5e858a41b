"""One raw record becomes one observation, or a reason why not.

`Record` names the few fields of CloudTrail's record that count here; all are optional, because all have been seen
missing.  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

A session token or secret key is never taken out of a record.
"""

from enum import StrEnum
from functools import lru_cache

import msgspec

from straykey.core import network
from straykey.core.moment import expiry, moment
from straykey.core.network import Network, network_of
from straykey.core.session import (
    EC2_SERVICES,
    INFRASTRUCTURE_ROLE,
    Session,
    parse_session,
    session_of_role,
)


class Skipped(StrEnum):
    """Why a record, or a file, gave nothing.  `is_loss` tells what should have been read from what need not be."""

    # Rightly passed over.
    OTHER_IDENTITY = "not a role session"
    OTHER_TIME = "outside --since/--until"
    DIGEST = "CloudTrail digest file"
    INSIGHT = "CloudTrail Insights record"
    OTHER_DOCUMENT = "a JSON document of another kind"
    OTHER_FILE = "not a log file"
    # Lost, in whole or in part.
    NO_IDENTITY = "userIdentity is null or missing"
    NO_ARN = "a role session without its ARN"
    NO_ADDRESS = "sourceIPAddress is missing"
    BAD_ADDRESS = "sourceIPAddress is no possible address"
    BAD_TIME = "eventTime is missing or no date"
    WRONG_TYPE = "a field has the wrong type"
    NOT_A_RECORD = "not a CloudTrail record"
    BAD_UTF8 = "invalid UTF-8"
    BAD_SURROGATE = "a lone surrogate"
    TOO_DEEP = "nested too deep"
    ODD_JSON = "not strict JSON (NaN or control characters)"
    BAD_JSON = "broken JSON"
    NOT_JSON = "not JSON"
    EMPTY = "empty: no record in it"
    TRUNCATED = "compressed data is cut short"
    CORRUPT = "compressed data is corrupt"
    TOO_LARGE = "unpacks to more than the limit"
    NO_LIBRARY = "zstd-compressed, and no zstd library here (pip install 'straykey[zstd]')"
    UNREADABLE = "cannot be opened"

    @property
    def is_loss(self) -> bool:
        return self not in _PASSED_OVER


_PASSED_OVER = frozenset(
    {
        Skipped.OTHER_IDENTITY,
        Skipped.OTHER_TIME,
        Skipped.DIGEST,
        Skipped.INSIGHT,
        Skipped.OTHER_DOCUMENT,
        Skipped.OTHER_FILE,
    }
)


class Issuer(msgspec.Struct, gc=False):
    arn: str | None = None


class Attributes(msgspec.Struct, gc=False, rename="camel"):
    creation_date: str | None = None


class SessionContext(msgspec.Struct, gc=False, rename={"delivery": "ec2RoleDelivery", "issuer": "sessionIssuer"}):
    issuer: Issuer | None = None
    attributes: Attributes | None = None
    delivery: str | None = None


class InScopeOf(msgspec.Struct, gc=False, rename="camel"):
    issuer_type: str | None = None
    credentials_issued_to: str | None = None


class Identity(msgspec.Struct, gc=False, rename="camel"):
    type: str | None = None
    arn: str | None = None
    access_key_id: str | None = None
    invoked_by: str | None = None
    session_context: SessionContext | None = None
    in_scope_of: InScopeOf | None = None


class Record(
    msgspec.Struct,
    gc=False,
    rename={
        "identity": "userIdentity",
        "time": "eventTime",
        "source": "eventSource",
        "name": "eventName",
        "region": "awsRegion",
        "address": "sourceIPAddress",
        "agent": "userAgent",
        "error": "errorCode",
        "request": "requestParameters",
        "response": "responseElements",
        "event_id": "eventID",
        "shared_event_id": "sharedEventID",
        "category": "eventCategory",
        "recipient": "recipientAccountId",
        "endpoint": "vpcEndpointId",
        "endpoint_owner": "vpcEndpointAccountId",
    },
):
    identity: Identity | None = None
    time: str | None = None
    source: str | None = None
    name: str | None = None
    region: str | None = None
    address: str | None = None
    agent: str | None = None
    error: str | None = None
    request: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    event_id: str | None = None
    shared_event_id: str | None = None
    category: str | None = None
    recipient: str | None = None
    endpoint: str | None = None
    endpoint_owner: str | None = None

    @property
    def is_plausible(self) -> bool:
        """False for a JSON object that is no CloudTrail record at all."""
        return self.name is not None or self.time is not None or self.identity is not None


class Event(msgspec.Struct, frozen=True, order=True, gc=False):
    """What is kept of one record; ordered by time.  Missing values are empty, so that every two compare."""

    time: str
    event_id: str
    call: str
    region: str
    access_key: str
    agent: str
    error: str


class Use(msgspec.Struct, frozen=True, gc=False):
    """One call by a role session.  `identity` is equal for all copies of one action: its shared id, else its own.

    `is_marked`: this record alone shows that the session is an instance's.
    """

    session: Session
    network: Network
    event: Event
    identity: str
    issued: str
    delivery: str
    role_arn: str
    instance_arn: str
    is_marked: bool


class Issuance(msgspec.Struct, frozen=True, order=True, gc=False):
    """A key given to a session by the service that runs its workload."""

    time: str
    expires: str
    access_key: str
    region: str
    event_id: str


class Issued(msgspec.Struct, frozen=True, gc=False):
    """The record by which EC2 assumed a role for an instance."""

    session: Session
    issuance: Issuance
    role_arn: str


class Allocation(msgspec.Struct, frozen=True, gc=False):
    """An account was given a public address of its own."""

    address: str
    account: str
    time: str


Observation = Use | Issued | Allocation

ALLOCATION = "AllocateAddress"


def observe(record: Record) -> Observation | Skipped:
    """Say what a record tells, or why it tells nothing."""
    identity = record.identity
    if identity is None:
        return _without_identity(record)
    time = moment(record.time)
    if time is None:
        return Skipped.BAD_TIME
    if record.address is not None and _is_impossible(record.address):
        return Skipped.BAD_ADDRESS
    if identity.type == "AssumedRole" or identity.type is None:
        use = _use(record, identity, time)
        if use is not Skipped.OTHER_IDENTITY:
            return use
    if record.name == "AssumeRole" and identity.invoked_by in EC2_SERVICES:
        return _issued(record, time)
    if record.name == ALLOCATION:
        return allocation_of(record)
    return Skipped.OTHER_IDENTITY


def _without_identity(record: Record) -> Skipped:
    if record.category == "Insight":
        return Skipped.INSIGHT
    return Skipped.NO_IDENTITY if record.is_plausible else Skipped.NOT_A_RECORD


def _use(record: Record, identity: Identity, time: str) -> Observation | Skipped:
    session = parse_session(identity.arn or "")
    if session is None:
        # Without an ARN nobody knows whose call it was; with another one it is no session with a name.
        return Skipped.NO_ARN if identity.type == "AssumedRole" and not identity.arn else Skipped.OTHER_IDENTITY
    if session.role == INFRASTRUCTURE_ROLE:
        return Skipped.OTHER_IDENTITY
    if record.address is None:
        return Skipped.NO_ADDRESS
    context = identity.session_context
    issuer = context.issuer if context else None
    attributes = context.attributes if context else None
    delivery = (context.delivery or "") if context else ""
    scope = identity.in_scope_of
    instance_arn = (scope.credentials_issued_to or "") if scope and scope.issuer_type == "AWS::EC2::Instance" else ""
    event = event_of(record, time, identity.access_key_id or "")
    return Use(
        session=session,
        network=network_of(record.address, record.endpoint or "", record.endpoint_owner or ""),
        event=event,
        identity=record.shared_event_id or event.event_id,
        issued=(moment(attributes.creation_date) or "") if attributes else "",
        delivery=delivery,
        role_arn=(issuer.arn or "") if issuer else "",
        instance_arn=instance_arn,
        is_marked=bool(session.looks_like_instance or delivery or instance_arn),
    )


def event_of(record: Record, time: str, access_key: str) -> Event:
    """Keep of a record what a finding may show."""
    call = _call(record.source, record.name)
    return Event(
        time=time,
        # Records older than eventVersion 1.01 have no id: then what they say stands for it.
        event_id=record.event_id or f"{time} {call} {record.address}",
        call=call,
        region=record.region or "",
        access_key=access_key,
        agent=record.agent or "",
        error=record.error or "",
    )


@lru_cache(maxsize=65536)
def _call(source: str | None, name: str | None) -> str:
    return f"{source}:{name}"


class _Credentials(msgspec.Struct, gc=False, rename="camel"):
    access_key_id: str | None = None
    expiration: str | None = None


class _AssumeRoleResponse(msgspec.Struct, gc=False):
    credentials: _Credentials | None = None


class _AssumeRoleRequest(msgspec.Struct, gc=False, rename="camel"):
    role_arn: str = ""
    role_session_name: str = ""


class _AllocateAddressResponse(msgspec.Struct, gc=False, rename="camel"):
    public_ip: str = ""


_assume_role_request = msgspec.json.Decoder(_AssumeRoleRequest | None)
_assume_role_response = msgspec.json.Decoder(_AssumeRoleResponse | None)
_allocate_address_response = msgspec.json.Decoder(_AllocateAddressResponse | None)


def _issued(record: Record, time: str) -> Observation | Skipped:
    try:
        request = _assume_role_request.decode(record.request or b"null")
        response = _assume_role_response.decode(record.response or b"null")
    except msgspec.DecodeError:
        return Skipped.WRONG_TYPE
    except RecursionError:
        return Skipped.TOO_DEEP
    session = session_of_role(request.role_arn, request.role_session_name) if request else None
    credentials = response.credentials if response else None
    if request is None or session is None or session.role == INFRASTRUCTURE_ROLE:
        return Skipped.OTHER_IDENTITY
    if credentials is None or not credentials.access_key_id:
        return Skipped.OTHER_IDENTITY  # refused
    issuance = Issuance(
        time=time,
        expires=expiry(credentials.expiration or "", issued=time),
        access_key=credentials.access_key_id,
        region=record.region or "",
        event_id=record.event_id or "",
    )
    return Issued(session, issuance, request.role_arn)


def allocation_of(record: Record) -> Allocation | Skipped:
    """The public address an account was given by this record, whoever made the call."""
    time = moment(record.time)
    if record.source not in EC2_SERVICES or record.error or not record.recipient or time is None:
        return Skipped.OTHER_IDENTITY
    try:
        response = _allocate_address_response.decode(record.response or b"null")
    except msgspec.DecodeError:
        return Skipped.WRONG_TYPE
    except RecursionError:
        return Skipped.TOO_DEEP
    address = network.parse_address(response.public_ip) if response else None
    return Allocation(str(address), record.recipient, time) if address else Skipped.OTHER_IDENTITY


@lru_cache(maxsize=65536)
def _is_impossible(address: str) -> bool:
    return network.is_impossible_address(address)
