"""Which permissions a step needs: for its call, for what that implies, to look up ids, and to see that it is done.

An association is seen through its instance; a managed policy through all of them, as IAM finds it by its ARN only.
"""

from collections.abc import Iterator, Mapping

from straykey.contain.parts import LOOKUPS, lookups
from straykey.contain.plan import Call, Sought, Step

_INLINE, _ROLE, _PROFILE = ("iam:GetRolePolicy",), ("iam:GetRole",), ("iam:GetInstanceProfile",)
_ATTACHED, _POLICY = ("iam:ListAttachedRolePolicies",), ("iam:GetPolicyVersion", "iam:ListPolicies")
_INSTANCE, _GROUP = ("ec2:DescribeInstances",), ("ec2:DescribeSecurityGroups",)
_ASSOCIATION = ("ec2:DescribeIamInstanceProfileAssociations", *_INSTANCE)
_PASSED = ("iam:PassRole",)

# For looking up what a parameter names.
_LISTING = {sought: f"ec2:{listed[0]}" for sought, listed in LOOKUPS.items()} | {
    Sought.MANAGED_POLICY: "iam:ListPolicies"
}
# What is asked before the first change, whatever the plan; further, what its own calls need, as dry runs.
CHECKS = (
    "ec2:DescribeInstances",
    "iam:GetInstanceProfile",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:SimulatePrincipalPolicy",
    "sts:GetCallerIdentity",
)
# Beyond the call's own.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "PutRolePolicy": _INLINE,
    "DeleteRolePolicy": _INLINE,
    "AttachRolePolicy": _ATTACHED,
    "DetachRolePolicy": _ATTACHED,
    "PutRolePermissionsBoundary": _ROLE,
    "DeleteRolePermissionsBoundary": _ROLE,
    "CreatePolicy": _POLICY,
    "DeletePolicy": _POLICY,
    "CreateRole": _ROLE,
    "DeleteRole": _ROLE,
    "CreateInstanceProfile": _PROFILE,
    "DeleteInstanceProfile": _PROFILE,
    "AddRoleToInstanceProfile": _PROFILE + _PASSED,
    "RemoveRoleFromInstanceProfile": _PROFILE,
    "AssociateIamInstanceProfile": _ASSOCIATION + _PASSED,
    "DisassociateIamInstanceProfile": _ASSOCIATION,
    "ReplaceIamInstanceProfileAssociation": _ASSOCIATION + _PASSED,
    "CreateSecurityGroup": _GROUP,
    "DeleteSecurityGroup": _GROUP,
    "AuthorizeSecurityGroupIngress": _GROUP,
    "RevokeSecurityGroupIngress": _GROUP,
    "RevokeSecurityGroupEgress": _GROUP,
    "ModifyNetworkInterfaceAttribute": ("ec2:DescribeNetworkInterfaces",),
    "ModifyInstanceMetadataOptions": _INSTANCE,
    "StopInstances": _INSTANCE,
    "StartInstances": _INSTANCE,
    "CreateVpcEndpoint": ("ec2:DescribeVpcEndpoints",),
    "DeleteVpcEndpoints": ("ec2:DescribeVpcEndpoints",),
}


_TAGGED = {
    "CreateInstanceProfile": "iam:TagInstanceProfile",
    "CreatePolicy": "iam:TagPolicy",
    "CreateRole": "iam:TagRole",
}


def step_of(name: str, call: Call, *undo: Call) -> Step:
    """One step, with its permissions and those of undoing it."""
    back = tuple(sorted({one for each in undo for one in permissions_of(each)}))
    return Step(name, call, undo, permissions_of(call), back)


def permissions_of(call: Call) -> tuple[str, ...]:
    """Of IAM: for the call, for what it implies, for its lookups, and to see that it is done; sorted."""
    return tuple(sorted(set(_permissions(call))))


def _permissions(call: Call) -> Iterator[str]:
    yield f"{call.service}:{call.operation}"
    yield from NEEDS[call.operation]
    for lookup in lookups(call):
        yield _LISTING[lookup.sought]
    if call.operation in _TAGGED and call.parameters.get("Tags"):
        yield _TAGGED[call.operation]
    if call.parameters.get("TagSpecifications"):
        yield "ec2:CreateTags"
    if call.parameters.get("PrivateDnsEnabled"):
        yield "route53:AssociateVPCWithHostedZone"
