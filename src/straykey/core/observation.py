"""One raw record becomes observations, or a reason why not.

Most records tell one thing: a session was used.  Some tell another, or one more: a key was issued, an address was
granted, a session or key was made.  A session token or secret key is never taken out of a record.
"""

import msgspec

from straykey.core import network
from straykey.core.cache import remembered
from straykey.core.grant import GRANTING, Grant, grants_of
from straykey.core.making import MAKING, Made, made_of
from straykey.core.moment import expiry, moment
from straykey.core.network import Network, network_of
from straykey.core.record import Identity, Record, Skipped
from straykey.core.session import (
    INFRASTRUCTURE_ROLE,
    Session,
    is_instance_id,
    parse_principal,
    parse_session,
    session_of_role,
)
from straykey.core.workload import eks_region, issues_for_workloads


class Event(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """What is kept of one record; ordered by time.  Missing values are empty, so that every two compare."""

    time: str
    event_id: str
    call: str
    region: str
    access_key: str
    agent: str
    error: str


class Caller(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Who called, from where, with which key: what the records of many calls have in common.

    `scope` is the resource the key was issued to, as `inScopeOf` names it: its type, a space, its ARN.
    """

    session: Session
    network: Network
    access_key: str
    issued: str
    delivery: str
    role_arn: str
    scope: str


class Use(msgspec.Struct, frozen=True, gc=False):
    """One call.  `identity` is equal for all copies of one action: its shared id, else its own."""

    caller: Caller
    event: Event
    identity: str


class Issuance(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """A key given to a session for the workload it runs.

    `issuer` is the service that asked for it.  A pod asks for itself: then it is the identity provider's host, and
    `network` the key of the network the pod asked from.
    """

    time: str
    expires: str
    access_key: str
    region: str
    event_id: str
    issuer: str = ""
    network: str = ""


class Issued(msgspec.Struct, frozen=True, gc=False):
    """The record by which a workload's session was given a key."""

    session: Session
    issuance: Issuance
    role_arn: str


Observation = Use | Issued | Grant | Made

# Records that may tell more than that somebody called.
TELLING = GRANTING | MAKING | {"AssumeRole", "AssumeRoleWithWebIdentity"}


class Observed(msgspec.Struct, frozen=True, gc=False):
    """What one record tells; `skipped` says why it does not tell more, or anything."""

    use: Use | None = None
    others: tuple[Issued | Grant | Made, ...] = ()
    skipped: Skipped | None = None


def observe(record: Record) -> Observed:
    """Say what a record tells, or why it tells nothing."""
    identity = record.identity
    if identity is None:
        return Observed(skipped=_without_identity(record))
    time = moment(record.time)
    if time is None:
        return Observed(skipped=Skipped.BAD_TIME)
    if is_impossible(record):
        return Observed(skipped=Skipped.BAD_ADDRESS)
    caller = caller_of(record, identity)
    use = None
    if isinstance(caller, Caller):
        event = event_of(record, time, caller.access_key)
        use = Use(caller, event, record.shared_event_id or event.event_id)
    others, skipped = told_of(record, identity, caller, time)
    return Observed(use, others, skipped)


def told_of(
    record: Record, identity: Identity, caller: Caller | Skipped, time: str
) -> tuple[tuple[Issued | Grant | Made, ...], Skipped | None]:
    """What a record tells besides that somebody called; and why it tells no more, or nothing."""
    others, lost = _told(record, identity, time) if record.name in TELLING else ((), None)
    if isinstance(caller, Caller):
        return others, lost
    # A record that is no use at all may still tell something, and then nothing was passed over.
    return others, lost or (caller if caller.is_loss or not others else None)


def _without_identity(record: Record) -> Skipped:
    if record.category == "Insight":
        return Skipped.INSIGHT
    return Skipped.NO_IDENTITY if record.is_plausible else Skipped.NOT_A_RECORD


_PEOPLE = frozenset({"AssumedRole", "IAMUser", "FederatedUser", "Root"})


def caller_of(record: Record, identity: Identity) -> Caller | Skipped:
    """Who called from where; equal for all records that agree in identity, address, endpoint and its owner."""
    if identity.type is not None and identity.type not in _PEOPLE:
        return Skipped.OTHER_IDENTITY
    session = (parse_session if identity.type == "AssumedRole" else parse_principal)(identity.arn or "")
    if session is None:
        # Without an ARN nobody knows whose call it was; with another one it is nobody who has a name.
        return Skipped.NO_ARN if identity.type == "AssumedRole" and not identity.arn else Skipped.OTHER_IDENTITY
    if session.role == INFRASTRUCTURE_ROLE:
        return Skipped.OTHER_IDENTITY
    if record.address is None:
        return Skipped.NO_ADDRESS
    context = identity.session_context
    issuer = context.issuer if context else None
    attributes = context.attributes if context else None
    scope = identity.in_scope_of
    return Caller(
        session=session,
        network=network_of(record.address, record.endpoint or "", record.endpoint_owner or ""),
        access_key=identity.access_key_id or "",
        issued=(moment(attributes.creation_date) or "") if attributes else "",
        delivery=(context.delivery or "") if context else "",
        role_arn=(issuer.arn or "") if issuer else "",
        scope=f"{scope.issuer_type} {scope.credentials_issued_to or ''}" if scope and scope.issuer_type else "",
    )


def event_of(record: Record, time: str, access_key: str) -> Event:
    """Keep of a record what a finding may show."""
    call = call_of(record)
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


def call_of(record: Record) -> str:
    """Service and API, as in `s3.amazonaws.com:ListBuckets`."""
    return f"{record.source}:{record.name}"


def _told(record: Record, identity: Identity, time: str) -> tuple[tuple[Issued | Grant | Made, ...], Skipped | None]:
    """What a record tells besides that somebody called."""
    if record.name in GRANTING:
        grants = grants_of(record)
        return ((), grants if grants.is_loss else None) if isinstance(grants, Skipped) else (grants, None)
    issued = _issued(record, identity, time)
    if isinstance(issued, Issued):
        return (issued,), None
    made = made_of(record) if issued is None else issued
    if made is None or isinstance(made, Skipped):
        return (), made if made is not None and made.is_loss else None
    return (made,), None


class _Credentials(msgspec.Struct, gc=False, rename="camel"):
    access_key_id: str | None = None
    expiration: str | None = None


class _AssumeRoleResponse(msgspec.Struct, gc=False):
    credentials: _Credentials | None = None
    provider: str | None = None


class _AssumeRoleRequest(msgspec.Struct, gc=False, rename="camel"):
    role_arn: str | None = None
    role_session_name: str | None = None


_assume_role_request = msgspec.json.Decoder(_AssumeRoleRequest | None)
_assume_role_response = msgspec.json.Decoder(_AssumeRoleResponse | None)


def _issued(record: Record, identity: Identity, time: str) -> Issued | Skipped | None:
    """The key a workload was given by this record; None if it is no such record, or was refused."""
    is_pods = record.name == "AssumeRoleWithWebIdentity"
    by_service = record.name == "AssumeRole" and bool(identity.invoked_by) and identity.type in ("AWSService", None)
    if not (is_pods or by_service):
        return None
    try:
        request = _assume_role_request.decode(record.request or b"null") or _AssumeRoleRequest()
        response = _assume_role_response.decode(record.response or b"null") or _AssumeRoleResponse()
    except msgspec.DecodeError:
        return Skipped.WRONG_TYPE
    except UnicodeDecodeError:
        return Skipped.BAD_UTF8
    except RecursionError:
        return Skipped.TOO_DEEP
    session = session_of_role(request.role_arn or "", request.role_session_name or "")
    issuer = (response.provider or identity.identity_provider or "") if is_pods else identity.invoked_by or ""
    credentials = response.credentials
    if session is None or credentials is None or not credentials.access_key_id or not _is_workload(issuer, session):
        return None
    issuance = Issuance(
        time=time,
        expires=expiry(credentials.expiration or "", issued=time),
        access_key=credentials.access_key_id,
        region=eks_region(issuer) or record.region or "",
        event_id=record.event_id or "",
        issuer=issuer,
        network=network_of(record.address, record.endpoint or "", record.endpoint_owner or "").key
        if is_pods and record.address
        else "",
    )
    return Issued(session, issuance, request.role_arn or "")


def _is_workload(issuer: str, session: Session) -> bool:
    """True also where a service takes an instance's id for a session's name: that is worth a look."""
    return session.role != INFRASTRUCTURE_ROLE and (issues_for_workloads(issuer) or is_instance_id(session.name))


def is_impossible(record: Record) -> bool:
    """True for a record whose address is written like one and can be none."""
    return record.address is not None and _is_impossible(record.address)


@remembered(8192)
def _is_impossible(address: str) -> bool:
    return network.is_impossible_address(address)
