"""The shapes CloudTrail writes: one function per kind of record, keys in CloudTrail's order.

Parts that many records have in common (identity, TLS details) are shared between them, so a
record must never be edited in place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, TypeAlias

from straykey.sim import identifier
from straykey.sim.address import Network
from straykey.sim.company import Role
from straykey.sim.keyring import LIFETIME

Document: TypeAlias = dict[str, Any]

SESSION_TOKEN = "EXAMPLETOKEN"  # noqa: S105  (a literal that says what it is)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NARROW_SPACE = "\u202f"


@dataclass(frozen=True, slots=True)
class Scene:
    """The account, region and application a call is made in."""

    account: str
    region: str
    app: str = "web"
    instance_id: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What a call asked and got."""

    request: Document | None = None
    response: Document | None = None
    extra: Document | None = None
    resources: list[Document] | None = None
    host: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One API call; `version` is the record version its service still writes."""

    service: str
    name: str
    body: Callable[[Random, Scene], Body]
    read_only: bool = True
    is_data: bool = False
    version: str = "1.11"
    region: str | None = None


def always(body: Body) -> Callable[[Random, Scene], Body]:
    """For a call whose body is known beforehand."""
    return lambda _rng, _scene: body


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who calls, from where, with which program."""

    identity: Document
    network: Network
    agent: str


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def written(
    rng: Random, at: datetime, sender: Sender, call: Call, scene: Scene, fault: Fault | None = None
) -> Document:
    """The record of one call, as the account of `scene` gets it."""
    body = call.body(rng, scene)
    region = call.region or scene.region
    record: Document = {
        "eventVersion": call.version,
        "userIdentity": sender.identity,
        "eventTime": stamp(at),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.name,
        "awsRegion": region,
        "sourceIPAddress": sender.network.address,
        "userAgent": f"[{sender.agent}]" if call.service == "s3" else sender.agent,
    }
    if fault is not None:
        record["errorCode"] = fault.code
        record["errorMessage"] = fault.message
    record["requestParameters"] = body.request
    record["responseElements"] = None if fault else body.response
    if body.extra is not None:
        record["additionalEventData"] = body.extra
    record["requestID"] = body.request_id or identifier.guid(rng)
    record["eventID"] = identifier.guid(rng)
    record["readOnly"] = call.read_only
    if body.resources is not None:
        record["resources"] = body.resources
    record["eventType"] = "AwsApiCall"
    record["managementEvent"] = not call.is_data
    record["recipientAccountId"] = scene.account
    _add_network(record, sender.network, call.version)
    record["eventCategory"] = "Data" if call.is_data else "Management"
    if sender.network.lane != "service" and call.version != "1.08":
        record["tlsDetails"] = _tls(body.host or f"{call.service}.{region}.amazonaws.com")
    return record


def _add_network(record: Document, network: Network, version: str) -> None:
    if network.endpoint is None:
        return
    record["vpcEndpointId"] = network.endpoint
    if version != "1.08":
        record["vpcEndpointAccountId"] = network.endpoint_account


@lru_cache(maxsize=4096)
def _tls(host: str) -> Document:
    return {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": host,
    }


@dataclass(frozen=True, slots=True)
class Issuance:
    """A service takes a key for a session of `role`."""

    service: str
    role: Role
    session: str
    region: str
    access_key: str
    request_id: str | None = None
    lifetime: timedelta = LIFETIME


def issued(rng: Random, at: datetime, issuance: Issuance) -> Document:
    """The AssumeRole record of a service: credentials only, no assumedRoleUser, no TLS."""
    role = issuance.role
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSService", "invokedBy": issuance.service},
        "eventTime": stamp(at),
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": issuance.region,
        "sourceIPAddress": issuance.service,
        "userAgent": issuance.service,
        "requestParameters": {"roleArn": role.arn, "roleSessionName": issuance.session},
        "responseElements": {
            "credentials": {
                "accessKeyId": issuance.access_key,
                "sessionToken": SESSION_TOKEN,
                "expiration": expiration(rng, at + issuance.lifetime),
            }
        },
        "requestID": issuance.request_id or identifier.guid(rng),
        "eventID": identifier.guid(rng),
        "readOnly": True,
        "resources": [{"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": role.account,
        "sharedEventID": identifier.guid(rng),
        "eventCategory": "Management",
    }


def expiration(rng: Random, at: datetime) -> str:
    """`May 4, 2026, 4:35:05 PM`; now and then the space before PM is U+202F, as newer JDKs have it."""
    space = _NARROW_SPACE if rng.random() < 0.3 else " "
    half = "AM" if at.hour < 12 else "PM"
    return f"{_MONTHS[at.month - 1]} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M:%S}{space}{half}"
