"""Policies that bind the keys of instances to where their instances are.

A key that EC2 hands out says which VPC it was delivered to, and which address the instance has there.  So one sentence
fits all instances: deny what comes neither from the key's own VPC nor from an address known to be home.  What reaches
AWS through no endpoint has no `aws:SourceVpc`, which a negated operator takes for another one: that is meant.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (what EC2 puts into
keys) and https://github.com/aws-samples/data-perimeter-policy-examples (who must be exempt).
"""

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import msgspec

from straykey.contain.document import VERSION
from straykey.contain.ground import is_endpoint_id
from straykey.harden.worker import Footprint


class Level(StrEnum):
    """How tight: `network` lets the addresses through that are home today, `instance` none but endpoints of its VPC."""

    NETWORK = "network"
    INSTANCE = "instance"


class Kind(StrEnum):
    """What a document is attached to."""

    ROLE = "role-policy"
    SCP = "scp"
    RCP = "rcp"
    ENDPOINT = "endpoint-policy"


# Characters.  Organizations counts what the API is sent, IAM all but white space; ours have none.
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
ROOM: Mapping[Kind, int] = {Kind.ROLE: 10_240, Kind.SCP: 10_240, Kind.RCP: 5_120, Kind.ENDPOINT: 20_480}
# Of the 10, or 5, that may be attached in one place, one is FullAWSAccess.
ATTACHED: Mapping[Kind, int] = {Kind.SCP: 9, Kind.RCP: 4}
# These speak to their service inside the VPC, without an endpoint that would tell where from.
DATA_PLANES = (
    "dax:BatchGetItem",
    "dax:BatchWriteItem",
    "dax:ConditionCheckItem",
    "dax:DeleteItem",
    "dax:GetItem",
    "dax:PutItem",
    "dax:Query",
    "dax:Scan",
    "dax:UpdateItem",
    "elasticfilesystem:client*",
    "es:ES*",
    "kafka-cluster:*",
    "neptune-db:*",
    "rds-db:connect",
)
GUARDED = ("dynamodb:*", "ecr:*", "kms:*", "s3:*", "secretsmanager:*", "sqs:*")  # what RCPs may be about
EXEMPT_TAG = "dp:exclude:network"  # as AWS's samples name it
_INFRASTRUCTURE = "role/aws:ec2-infrastructure"

Condition = dict[str, dict[str, str | list[str]]]
Statement = dict[str, object]


class Ways(msgspec.Struct, frozen=True):
    """Public addresses, and endpoints by id, from which somebody is at home."""

    addresses: tuple[str, ...]
    endpoints: tuple[str, ...]


class Artifact(msgspec.Struct, frozen=True):
    """One document.

    `accounts` are those whose keys it is about, `role` the one role, or empty; `vpc` that of an endpoint policy.
    `roles` are the only ones of their accounts that it is about, as account and name, where an account was split.
    """

    kind: Kind
    name: str
    document: str
    accounts: tuple[str, ...]
    role: str = ""
    vpc: str = ""
    endpoints: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()

    def is_about(self, account: str, role: str) -> bool:
        """Whether it may deny anything to this role."""
        is_split = any(account == one for one, _ in self.roles)
        is_named = (account, role) in self.roles if is_split else self.role in ("", role)
        return account in self.accounts and is_named

    @property
    def is_too_long(self) -> bool:
        return len(self.document) > ROOM[self.kind]


def role_policy(of: Footprint, level: Level, spared: Sequence[str] = ()) -> Artifact:
    """What goes on the role itself; `spared` are services, by their IAM name, that no endpoint leads to."""
    statements = [
        {"Sid": sid, "Effect": "Deny", **actions, "Resource": "*", "Condition": _not_home(ways_of([of], bound))}
        for sid, (actions, bound) in zip(
            ("OwnNetwork", "KnownAddresses"), scopes(Kind.ROLE, level, spared), strict=False
        )
    ]
    if of.alone:
        statements.append(own_address())
    return Artifact(Kind.ROLE, "straykey-perimeter", document_of(statements), (of.account,), of.role)


def scopes(kind: Kind, level: Level, spared: Sequence[str]) -> list[tuple[Statement, Level]]:
    """Which actions are bound how tightly.

    What no endpoint leads to cannot be bound to a VPC; it is bound to the addresses it is called from today.  To let it
    through from anywhere would leave a thief all of IAM.
    """
    free = sorted(f"{one}:*" for one in spared) if level is Level.INSTANCE else []
    if kind is Kind.RCP:
        tight, loose = [one for one in GUARDED if one not in free], [one for one in GUARDED if one in free]
        bound: list[tuple[Statement, Level]] = [({"Action": tight}, level)] if tight else []
        return bound + ([({"Action": loose}, Level.NETWORK)] if loose else [])
    bound = [({"NotAction": sorted({*DATA_PLANES, *free})}, level)]
    return bound + ([({"Action": free}, Level.NETWORK)] if free else [])


def ways_of(footprints: Iterable[Footprint], level: Level) -> Ways:
    """Addresses and endpoints by which they are at home."""
    some = list(footprints)
    addresses = collapsed(address for one in some for address in one.addresses) if level is Level.NETWORK else ()
    endpoints = sorted({one for footprint in some for one in footprint.endpoints if is_endpoint_id(one)})
    return Ways(addresses, tuple(endpoints))


def collapsed(addresses: Iterable[str]) -> tuple[str, ...]:
    """As few ranges as hold exactly these; a single v4 address without its length, as people write it."""
    found = [ipaddress.ip_network(one) for one in addresses]
    four = ipaddress.collapse_addresses(one for one in found if isinstance(one, ipaddress.IPv4Network))
    six = ipaddress.collapse_addresses(one for one in found if isinstance(one, ipaddress.IPv6Network))
    return (*(str(one).removesuffix("/32") for one in four), *map(str, six))


def _not_home(ways: Ways) -> Condition:
    condition: Condition = {"Null": {"ec2:SourceInstanceARN": "false"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}
    if ways.addresses:
        condition["NotIpAddressIfExists"] = {"aws:SourceIp": _listed(ways.addresses)}
    condition["StringNotEquals"] = {"aws:SourceVpc": "${aws:Ec2InstanceSourceVpc}"}
    if ways.endpoints:
        condition["StringNotEquals"]["aws:SourceVpce"] = _listed(ways.endpoints)
    return condition


def own_address() -> Statement:
    """Through an endpoint only from the instance's own primary address; a statement of its own, for keys in one are
    joined by and."""
    condition: Condition = {
        "Null": {"ec2:SourceInstanceARN": "false", "aws:VpcSourceIp": "false"},
        "BoolIfExists": {"aws:ViaAWSService": "false"},
        "StringNotEquals": {"aws:Ec2InstanceSourcePrivateIPv4": "${aws:VpcSourceIp}"},
    }
    actions: Statement = {"NotAction": list(DATA_PLANES)}
    return {"Sid": "OwnAddress", "Effect": "Deny", **actions, "Resource": "*", "Condition": condition}


def controlling(
    kind: Kind, whose: Footprint | Sequence[str], footprints: Sequence[Footprint], level: Level, spared: Sequence[str]
) -> list[Statement]:
    """The statements of an SCP or RCP about the keys of these accounts, or of one role, that have these footprints."""
    return [
        _controlled(kind, whose, actions, ways_of(footprints, bound), footprints[0].partition)
        for actions, bound in scopes(kind, level, spared)
    ]


def _controlled(
    kind: Kind, whose: Footprint | Sequence[str], actions: Statement, ways: Ways, partition: str
) -> Statement:
    condition = _not_home(ways)
    condition["ArnNotLikeIfExists"] = {"aws:PrincipalArn": f"arn:{partition}:iam::*:{_INFRASTRUCTURE}"}
    condition["StringNotEqualsIfExists"] = {f"aws:PrincipalTag/{EXEMPT_TAG}": "true"}
    if isinstance(whose, Footprint):
        condition["ArnLike"] = {"aws:PrincipalArn": _listed(_arns(whose))}
    else:
        condition["StringEquals"] = {"aws:PrincipalAccount": _listed(whose)}
    everybody: Statement = {}
    if kind is Kind.RCP:
        # A key of EC2's own service may be asked for where an identity is judged; this one everywhere.
        condition["Null"] = {"aws:Ec2InstanceSourceVpc": "false"}
        condition["BoolIfExists"]["aws:PrincipalIsAWSService"] = "false"
        everybody = {"Principal": "*"}
    return {"Effect": "Deny", **everybody, **actions, "Resource": "*", "Condition": condition}


def _arns(of: Footprint) -> list[str]:
    """A role whose path no record tells has it at the root, or anywhere else."""
    begin = f"arn:{of.partition}:iam::{of.account}:role/"
    return list(of.role_arns) or [f"{begin}{of.role}", f"{begin}*/{of.role}"]


def endpoint_policy(vpc: str, endpoints: Sequence[str], vpcs: Sequence[str], accounts: Sequence[str]) -> Artifact:
    """What goes on the endpoints of one VPC: of these accounts' instance keys only those of these VPCs, its own among
    them.

    It is about no others: services of AWS, vendors' agents and package managers use keys of their own, or none, through
    the same endpoints, and an allowance for all of them is another perimeter, and no matter of stolen keys.
    """
    everybody = {"Principal": "*", "Action": "*", "Resource": "*"}
    elsewhere: Condition = {
        "Null": {"aws:Ec2InstanceSourceVpc": "false"},
        "StringEquals": {"aws:PrincipalAccount": _listed(accounts)},
        "StringNotEquals": {"aws:Ec2InstanceSourceVpc": _listed(sorted({vpc, *vpcs}))},
    }
    statements: list[Statement] = [
        {"Sid": "Everybody", "Effect": "Allow", **everybody},
        {"Sid": "ButKeysOfOtherVpcs", "Effect": "Deny", **everybody, "Condition": elsewhere},
    ]
    name = f"straykey-endpoint-{vpc}"
    return Artifact(Kind.ENDPOINT, name, document_of(statements), tuple(accounts), "", vpc, tuple(endpoints))


def _listed(values: Sequence[str]) -> str | list[str]:
    """One value alone, to save room."""
    return values[0] if len(values) == 1 else list(values)


def document_of(statements: Sequence[Mapping[str, object]]) -> str:
    """The policy as JSON without white space, in ASCII."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)}, separators=(",", ":"))
