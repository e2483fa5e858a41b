"""What straykey is allowed to do in AWS, by feature: the one list that policies are written from.

A role gets what the features it uses need, and no more.  `tests/test_permissions.py` holds the list to the code, both
ways: no call is made that is not here, and nothing is here that no call needs, unless it says why.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec


class On(StrEnum):
    """What a permission is for; whoever writes a policy knows its ARNs."""

    QUEUE = "Queue"
    LOGS = "Logs"  # objects of a trail's bucket
    BUCKETS = "Buckets"
    KEYS = "Keys"
    TOPIC = "Topic"
    BUS = "Bus"
    HUB = "Hub"
    IDENTITIES = "Identities"  # roles, instance profiles and policies of IAM
    NETWORK = "Network"  # instances, and all that EC2 has around them
    ANYTHING = "Anything"  # AWS knows no resource for it


class Permission(msgspec.Struct, frozen=True):
    """An action of IAM; `calls` are the operations of AWS that need it, as `sqs:DeleteMessageBatch`.

    Where there are none, `why` says what needs it.
    """

    action: str
    on: On
    calls: tuple[str, ...] = ()
    why: str = ""


class Feature(msgspec.Struct, frozen=True):
    """Something that may be used without the rest; `modules` are those that call AWS for it."""

    name: str
    modules: tuple[str, ...]
    permissions: tuple[Permission, ...]

    @property
    def calls(self) -> frozenset[str]:
        return frozenset(call for permission in self.permissions for call in permission.calls)

    @property
    def actions(self) -> frozenset[str]:
        return frozenset(permission.action for permission in self.permissions)


_READ = Permission("s3:GetObject", On.LOGS, ("s3:GetObject",))
_DECRYPT = Permission("kms:Decrypt", On.KEYS, why="S3 asks for it where logs are encrypted with a key of yours")


def _alike(on: On, *actions: str) -> tuple[Permission, ...]:
    """Permissions named as the calls that need them."""
    return tuple(Permission(action, on, (action,)) for action in actions)


_WHO = Permission("sts:GetCallerIdentity", On.ANYTHING, ("sts:GetCallerIdentity",))
_READ_ROLE = _alike(
    On.IDENTITIES, "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"
)
_READ_INSTANCE = _alike(
    On.ANYTHING,
    "ec2:DescribeIamInstanceProfileAssociations",
    "ec2:DescribeInstances",
    "ec2:DescribeVpcEndpoints",
)

FEATURES = (
    Feature(
        "queue",
        ("straykey.sources.queue", "straykey.sources.s3"),
        (
            Permission("sqs:ReceiveMessage", On.QUEUE, ("sqs:ReceiveMessage",)),
            Permission("sqs:DeleteMessage", On.QUEUE, ("sqs:DeleteMessageBatch",)),
            Permission("sqs:ChangeMessageVisibility", On.QUEUE, ("sqs:ChangeMessageVisibilityBatch",)),
            Permission("sqs:GetQueueAttributes", On.QUEUE, ("sqs:GetQueueAttributes",)),
            _READ,
            Permission("s3:GetObjectVersion", On.LOGS, why="S3 asks for it where a notification names a version"),
            _DECRYPT,
        ),
    ),
    Feature(
        "bucket",
        ("straykey.sources.s3",),
        (Permission("s3:ListBucket", On.BUCKETS, ("s3:ListObjectsV2",)), _READ, _DECRYPT),
    ),
    Feature(
        "history",
        ("straykey.sources.history",),
        (Permission("cloudtrail:LookupEvents", On.ANYTHING, ("cloudtrail:LookupEvents",)),),
    ),
    Feature(
        "drill-by-queue",
        ("straykey.sources.queue",),
        (Permission("sqs:SendMessage", On.QUEUE, ("sqs:SendMessage",)),),
    ),
    Feature(
        "drill-by-bucket",
        ("straykey.sources.s3",),
        (
            Permission("s3:PutObject", On.LOGS, ("s3:PutObject",)),
            Permission("s3:DeleteObject", On.LOGS, ("s3:DeleteObject",)),
        ),
    ),
    Feature("sns", ("straykey.sinks.sns",), (Permission("sns:Publish", On.TOPIC, ("sns:Publish",)),)),
    Feature(
        "eventbridge", ("straykey.sinks.eventbridge",), (Permission("events:PutEvents", On.BUS, ("events:PutEvents",)),)
    ),
    Feature(
        "securityhub",
        ("straykey.sinks.securityhub",),
        (
            Permission("securityhub:BatchImportFindings", On.HUB, ("securityhub:BatchImportFindings",)),
            _WHO,
        ),
    ),
    Feature(
        "contain",
        (
            "straykey.contain.clients",
            "straykey.contain.lookup",
            "straykey.contain.reading",
            "straykey.contain.room",
        ),
        (
            _WHO,
            *_READ_ROLE,
            *_alike(On.IDENTITIES, "iam:ListInstanceProfilesForRole"),
            *_READ_INSTANCE,
            *_alike(
                On.ANYTHING,
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeRouteTables",
                "ec2:DescribeVpcEndpointServices",
            ),
        ),
    ),
    Feature(
        "contain-apply",
        (
            "straykey.contain.clients",
            "straykey.contain.lookup",
            "straykey.contain.operations",
            "straykey.contain.permitted",
            "straykey.contain.room",
            "straykey.contain.state",
        ),
        (
            _WHO,
            *_READ_ROLE,
            *_alike(
                On.IDENTITIES,
                "iam:AddRoleToInstanceProfile",
                "iam:AttachRolePolicy",
                "iam:CreateInstanceProfile",
                "iam:CreatePolicy",
                "iam:CreateRole",
                "iam:DeleteInstanceProfile",
                "iam:DeletePolicy",
                "iam:DeleteRole",
                "iam:DeleteRolePermissionsBoundary",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:GetInstanceProfile",
                "iam:GetPolicyVersion",
                "iam:ListPolicies",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:SimulatePrincipalPolicy",
            ),
            Permission("iam:TagRole", On.IDENTITIES, why="IAM asks for it where a role has tags from the start"),
            Permission("iam:PassRole", On.IDENTITIES, why="EC2 and IAM ask for it where an instance gets a role"),
            *_READ_INSTANCE,
            *_alike(On.ANYTHING, "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"),
            *_alike(
                On.NETWORK,
                "ec2:AssociateIamInstanceProfile",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:CreateSecurityGroup",
                "ec2:CreateVpcEndpoint",
                "ec2:DeleteSecurityGroup",
                "ec2:DeleteVpcEndpoints",
                "ec2:DisassociateIamInstanceProfile",
                "ec2:ModifyInstanceMetadataOptions",
                "ec2:ModifyNetworkInterfaceAttribute",
                "ec2:ReplaceIamInstanceProfileAssociation",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
                "ec2:StartInstances",
                "ec2:StopInstances",
            ),
            Permission("ec2:CreateTags", On.NETWORK, why="EC2 asks for it where what is made has a tag from the start"),
            Permission(
                "route53:AssociateVPCWithHostedZone",
                On.ANYTHING,
                why="EC2 asks for it where an endpoint answers to the service's own name in the VPC",
            ),
        ),
    ),
    Feature(
        "harden",
        ("straykey.contain.clients", "straykey.harden.reading"),
        (
            _WHO,
            *_alike(
                On.ANYTHING,
                "cloudtrail:DescribeTrails",
                "cloudtrail:GetEventSelectors",
                "cloudtrail:GetTrailStatus",
                "ec2:DescribeInstances",
                "ec2:DescribeVpcEndpointServices",
                "ec2:DescribeVpcEndpoints",
                "ec2:GetInstanceMetadataDefaults",
                "iam:ListInstanceProfiles",
                "organizations:DescribeOrganization",
            ),
        ),
    ),
)


class Statement(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """A statement of an IAM policy."""

    sid: str
    effect: str = "Allow"
    action: list[str]
    resource: list[str]


def statements(feature: Feature, arns: Mapping[On, Sequence[str]]) -> list[Statement]:
    """What a policy for `feature` states; of what has no ARNs, nothing.  ``On.ANYTHING`` needs none."""
    of = {**arns, On.ANYTHING: ["*"]}
    return [
        Statement(
            sid=on.value,
            action=[permission.action for permission in feature.permissions if permission.on is on],
            resource=list(of[on]),
        )
        for on in dict.fromkeys(permission.on for permission in feature.permissions)
        if of.get(on)
    ]


def policy(feature: Feature, arns: Mapping[On, Sequence[str]]) -> dict[str, object]:
    """The policy as IAM takes it."""
    return {"Version": "2012-10-17", "Statement": msgspec.to_builtins(statements(feature, arns))}
