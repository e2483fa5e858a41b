"""The documents that require IMDSv2: what is launched, what is changed, and which keys are still good.

All are JSON without white space, as they are sent; one that would not fit is refused, never cut.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from straykey.contain.wording import INLINE_ROOM, document_of, length_of
from straykey.errors import UsageError

# Characters as they are sent.  https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
_SCP_ROOM, _DECLARATIVE_ROOM = 10_240, 10_000
_HOPS = 64


class Kind(StrEnum):
    """What a document is, in the words of Organizations where it is one of theirs."""

    SCP = "SERVICE_CONTROL_POLICY"
    DECLARATIVE = "DECLARATIVE_POLICY_EC2"
    ROLE = "role policy"


ROOM = {Kind.SCP: _SCP_ROOM, Kind.DECLARATIVE: _DECLARATIVE_ROOM, Kind.ROLE: INLINE_ROOM}


class Document(msgspec.Struct, frozen=True):
    kind: Kind
    name: str
    text: str


def declarative_policy(hop_limit: int = 0, *, is_enforced: bool = False) -> Document:
    """What every account of an organization says of instances that are launched; they cannot say otherwise.

    A `hop_limit` of 0 leaves that to the launch.  `is_enforced`: what is launched without requiring tokens fails.
    """
    said: dict[str, object] = {"http_tokens": _assigned("required")}
    if hop_limit:
        said["http_put_response_hop_limit"] = _assigned(str(_hops(hop_limit)))
    if is_enforced:
        said["http_tokens_enforced"] = _assigned("enabled")
    text = json.dumps({"ec2_attributes": {"instance_metadata_defaults": said}}, separators=(",", ":"))
    # Both may be had at once, and two policies of an organization do not have one name.
    name = "straykey-imdsv2-enforced" if is_enforced else "straykey-imdsv2-defaults"
    return _fitting(Document(Kind.DECLARATIVE, name, text))


def _assigned(value: str) -> dict[str, str]:
    return {"@@assign": value}


def launch_policy(hop_limit: int = 0, *, exempt: Sequence[str] = (), partition: str = "aws") -> Document:
    """No instance is launched that hands out keys without a token, or with more hops, and none is changed to.

    `exempt` are ARNs of principals, with `*` if need be, who still may.
    """
    on = f"arn:{partition}:ec2:*:*:instance/*"
    launched = {"StringNotEquals": {"ec2:MetadataHttpTokens": "required"}}
    changed = {
        "StringEquals": {"ec2:Attribute": "HttpTokens"},
        "StringNotEquals": {"ec2:Attribute/HttpTokens": "required"},
    }
    said = [
        _deny("LaunchWithTokens", "ec2:RunInstances", on, _but_for(launched, exempt)),
        _deny("KeepTokens", "ec2:ModifyInstanceMetadataOptions", on, _but_for(changed, exempt)),
    ]
    if hop_limit:
        far = {"NumericGreaterThan": {"ec2:MetadataHttpPutResponseHopLimit": str(_hops(hop_limit))}}
        said.insert(1, _deny("LaunchNear", "ec2:RunInstances", on, _but_for(far, exempt)))
    return _fitting(Document(Kind.SCP, "straykey-imdsv2-launch", document_of(*said)))


_OLD_KEYS: Mapping[str, Mapping[str, str]] = {"NumericLessThan": {"ec2:RoleDelivery": "2.0"}}


def keys_scp(exempt: Sequence[str] = ()) -> Document:
    """Keys that came by IMDSv1 are good for nothing.  `exempt` are ARNs of roles that still use some.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-instance-metadata
    """
    said = _deny("OnlyKeysByImdsV2", "*", "*", _but_for(_OLD_KEYS, exempt))
    return _fitting(Document(Kind.SCP, "straykey-imdsv2-keys", document_of(said)))


def keys_policy() -> Document:
    """The same, for one role: the canary."""
    said = _deny("OnlyKeysByImdsV2", "*", "*", _OLD_KEYS)
    return _fitting(Document(Kind.ROLE, "straykey-imdsv2-keys", document_of(said)))


def _deny(sid: str, action: str, resource: str, condition: Mapping[str, object]) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Deny", "Action": action, "Resource": resource, "Condition": condition}


def _but_for(condition: Mapping[str, Mapping[str, str]], exempt: Sequence[str]) -> dict[str, object]:
    if not exempt:
        return dict(condition)
    return {**condition, "ArnNotLike": {"aws:PrincipalArn": sorted(set(exempt))}}


def _hops(limit: int) -> int:
    if not 1 <= limit <= _HOPS:
        raise UsageError(f"hop limit {limit}: EC2 takes 1 to {_HOPS}")
    return limit


def _fitting(document: Document) -> Document:
    room = ROOM[document.kind]
    # IAM does not count white space, Organizations does; there is none here but what stands in a name.
    length = length_of(document.text) if document.kind is Kind.ROLE else len(document.text)
    if length > room:
        raise UsageError(
            f"{document.name}: {length} characters, and {document.kind.value} takes {room}",
            hint="exempt fewer, or name several by one pattern: arn:aws:iam::*:role/app/*",
        )
    return document
