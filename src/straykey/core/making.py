"""What somebody makes with a key that goes on working on its own: sessions, keys, users, passwords, ways in.

Of each making it is kept who made it, from where, and what came of it.  An action across two accounts is recorded in
both, and neither copy may tell all: `joined` brings them together, in any order and however often.

No token, secret key or password is read: only key ids and ARNs are.
"""

import re
from collections.abc import Callable

import msgspec
from msgspec.structs import astuple, replace

from straykey.core.moment import moment
from straykey.core.network import network_of
from straykey.core.payload import Payload, inside, member, payload_of, text
from straykey.core.record import Identity, Record, Skipped
from straykey.core.session import session_of_role

_LONGEST_ARN = 2048
_ARN = re.compile(r"arn:([a-z0-9-]+):(?:iam|sts)::([0-9]*):.+", re.DOTALL)
_DOMAINS = frozenset({"amazonaws.com", "amazonaws.com.cn"})


class Made(msgspec.Struct, frozen=True, order=True, gc=False):
    """One thing made with a key; what no copy of the record tells is empty.

    `identity` is equal for all copies of one action.  `maker` is the caller's ARN as recorded; the copy that another
    account got knows but the principal's id, `AROA…:` and the session's name.  `made` is the ARN of what was made; of a
    key, a password or a certificate, of its user.
    """

    time: str
    event_id: str
    identity: str
    call: str
    region: str = ""
    account: str = ""
    maker: str = ""
    maker_account: str = ""
    maker_key: str = ""
    maker_network: str = ""  # `Network.key`
    address: str = ""
    made: str = ""
    access_key: str = ""
    invoked_by: str = ""

    @property
    def api(self) -> str:
        return self.call.rpartition(":")[2]


class _Call(msgspec.Struct, frozen=True):
    """One call, and where new ARNs of its account begin."""

    payload: Payload
    caller: str
    partition: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN in the caller's account; empty where that is not known."""
        return f"arn:{self.partition}:{service}::{self.account}:{resource}" if self.account else ""


_Reading = Callable[[_Call], str]


def made_of(record: Record) -> Made | Skipped | None:
    """What was made by this record; None for one that makes nothing, for one that failed, and for a service's own."""
    service, _, domain = (record.source or "").partition(".")
    reading = _READINGS.get((service, record.name or "")) if domain in _DOMAINS else None
    if reading is None or record.error:
        return None
    identity = record.identity
    if identity is None:
        return Skipped.NO_IDENTITY
    if _is_service(identity):
        return None
    time = moment(record.time)
    if time is None:
        return Skipped.BAD_TIME
    payload = payload_of(record)
    if isinstance(payload, Skipped):
        return payload
    return _made(record, identity, time, reading, payload) if _is_done(record, identity, payload) else None


def _is_service(identity: Identity) -> bool:
    """True for a service that acts for itself: so workloads get their keys, and nobody made those with a key."""
    return identity.type == "AWSService" or (identity.type is None and not identity.arn and bool(identity.invoked_by))


def _is_done(record: Record, identity: Identity, payload: Payload) -> bool:
    if text(member(payload.response, record.name or "")).lower() == "failure":
        return False  # so says the sign-in service, which names no error
    return payload.is_answered or record.name in _UNANSWERED or identity.type == "AWSAccount"


def _made(record: Record, identity: Identity, time: str, reading: _Reading, payload: Payload) -> Made:
    caller = identity.arn or ""
    known = _ARN.fullmatch(caller)
    partition, account = (known[1], known[2]) if known else ("aws", "")
    answer = payload.response
    address = record.address or ""
    made = Made(
        time=time,
        event_id=record.event_id or "",
        identity=record.shared_event_id or record.event_id or "",
        call=f"{record.source}:{record.name}",
        region=record.region or "",
        account=record.recipient or "",
        maker=caller or identity.principal_id or "",
        maker_account=identity.account_id or account,
        maker_key=identity.access_key_id or "",
        maker_network=network_of(address, record.endpoint or "", record.endpoint_owner or "").key if address else "",
        address=address,
        made=reading(_Call(payload, caller, partition, record.recipient or account)),
        access_key=text(member(member(answer, "credentials", "accessKey"), "accessKeyId")),
        invoked_by=identity.invoked_by or "",
    )
    # Records older than eventVersion 1.01 have no id: then all they say stands for it.
    return made if made.identity else replace(made, identity=" ".join(astuple(made)))


def joined(one: Made, other: Made) -> Made:
    """What two copies of one action tell together.

    All about the caller is taken from one copy, the one that has the ARN: mixed, it would be a call nobody made.
    """
    caller = max(one, other, key=_about_caller)
    return Made(
        time=_lower(one.time, other.time),
        event_id=caller.event_id,
        identity=max(one.identity, other.identity),
        call=max(one.call, other.call),
        region=caller.region,
        account=caller.account,
        maker=caller.maker,
        maker_account=caller.maker_account,
        maker_key=caller.maker_key,
        maker_network=caller.maker_network,
        address=caller.address,
        made=max(one.made, other.made),
        access_key=max(one.access_key, other.access_key),
        invoked_by=caller.invoked_by,
    )


def _about_caller(made: Made) -> tuple[bool | str, ...]:
    return (
        made.maker.startswith("arn:"),
        made.maker,
        made.maker_account,
        made.maker_key,
        made.maker_network,
        made.address,
        made.invoked_by,
        made.account,
        made.region,
        made.event_id,
    )


def _lower(one: str, other: str) -> str:
    return min(one, other) if one and other else one or other


def _arn(value: object) -> str:
    return text(value, _LONGEST_ARN)


def _role_session(call: _Call) -> str:
    request = call.payload.request
    asked = session_of_role(_arn(member(request, "roleArn")), text(member(request, "roleSessionName")))
    return _arn(inside(call.payload.response, "assumedRoleUser", "arn")) or (asked.arn if asked else "")


def _root(call: _Call) -> str:
    target = _arn(member(call.payload.request, "targetPrincipal"))
    return target if target.startswith("arn:") or not target else f"arn:{call.partition}:iam::{target}:root"


def _federated_user(call: _Call) -> str:
    name = text(member(call.payload.request, "name"))
    asked = call.arn("sts", f"federated-user/{name}") if name else ""
    return _arn(inside(call.payload.response, "federatedUser", "arn")) or asked


def _delegated(call: _Call) -> str:
    return _arn(member(call.payload.response, "assumedPrincipal"))


def _caller(call: _Call) -> str:
    return call.caller


def _nobody(_: _Call) -> str:
    return ""


def _user(call: _Call) -> str:
    """The user a call was about; where it names none, the caller: that is what IAM does."""
    answer = call.payload.response
    asked = text(member(call.payload.request, "userName"))
    if not asked and ":iam:" in call.caller:
        return call.caller
    name = asked or next(filter(None, (text(inside(answer, thing, "userName")) for thing in _OF_USERS)), "")
    return call.arn("iam", f"user/{name}") if name else ""


def _new_user(call: _Call) -> str:
    return _with_path(call, "user")


def _role(call: _Call) -> str:
    return _with_path(call, "role")


def _with_path(call: _Call, kind: str) -> str:
    """A user or a role as answered, else as asked for: under its path, where that was said."""
    answer, request = member(call.payload.response, kind), call.payload.request
    name = text(member(answer, f"{kind}Name")) or text(member(request, f"{kind}Name"))
    path = _arn(member(request, "path")) or "/"
    return _arn(member(answer, "arn")) or (call.arn("iam", f"{kind}{path}{name}") if name else "")


def _trusted(call: _Call) -> str:
    """Somebody whom the account's roles may trust from now on."""
    answer = call.payload.response
    anchor = inside(answer, "trustAnchor", "trustAnchorArn")
    return _arn(anchor) or _arn(member(answer, "sAMLProviderArn", "openIDConnectProviderArn"))


_OF_USERS = ("accessKey", "loginProfile", "serviceSpecificCredential", "sSHPublicKey", "certificate")

_READINGS: dict[tuple[str, str], _Reading] = {
    ("sts", "AssumeRole"): _role_session,
    ("sts", "AssumeRoleWithSAML"): _role_session,
    ("sts", "AssumeRoleWithWebIdentity"): _role_session,
    ("sts", "AssumeRoot"): _root,
    ("sts", "GetFederationToken"): _federated_user,
    ("sts", "GetSessionToken"): _caller,
    ("sts", "GetDelegatedAccessToken"): _delegated,
    ("sts", "GetWebIdentityToken"): _nobody,
    ("signin", "GetSigninToken"): _caller,
    ("iam", "CreateAccessKey"): _user,
    ("iam", "CreateUser"): _new_user,
    ("iam", "CreateLoginProfile"): _user,
    ("iam", "UpdateLoginProfile"): _user,
    ("iam", "CreateServiceSpecificCredential"): _user,
    ("iam", "UploadSSHPublicKey"): _user,
    ("iam", "UploadSigningCertificate"): _user,
    ("iam", "CreateRole"): _role,
    ("iam", "UpdateAssumeRolePolicy"): _role,
    ("iam", "CreateSAMLProvider"): _trusted,
    ("iam", "CreateOpenIDConnectProvider"): _trusted,
    ("rolesanywhere", "CreateTrustAnchor"): _trusted,
}
# Done without an answer, or with one that may be all secret.
_UNANSWERED = frozenset({"UpdateLoginProfile", "UpdateAssumeRolePolicy", "GetWebIdentityToken"})

MAKING = frozenset(name for _, name in _READINGS)
