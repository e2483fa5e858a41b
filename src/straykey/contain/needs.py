"""Which permissions a step needs: for its call, for what that implies, to look up ids, and to see that it is done.

An association is seen through its instance; a managed policy through all of them, as IAM finds it by its ARN only.
"""

from collections.abc import Iterator, Mapping

from straykey.contain.parts import LOOKUPS, lookups
from straykey.contain.plan import Call, Step

_INLINE, _ROLE, _PROFILE = ("iam:GetRolePolicy",), ("iam:GetRole",), ("iam:GetInstanceProfile",)
_ATTACHED, _POLICY = ("iam:ListAttachedRolePolicies",), ("iam:GetPolicyVersion", "iam:ListPolicies")
_INSTANCE, _GROUP = ("ec2:DescribeInstances",), ("ec2:DescribeSecurityGroups",)
_ASSOCIATION = ("ec2:DescribeIamInstanceProfileAssociations", *_INSTANCE)
_PASSED = ("iam:PassRole",)

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


def step_of(name: str, call: Call, *undo: Call) -> Step:
    """One step, with its permissions and those of undoing it."""
    permissions = tuple(sorted(set(_permissions(call))))
    return Step(name, call, undo, permissions, tuple(sorted({one for each in undo for one in _permissions(each)})))


def _permissions(call: Call) -> Iterator[str]:
    yield f"{call.service}:{call.operation}"
    yield from NEEDS[call.operation]
    for lookup in lookups(call):
        yield f"ec2:{LOOKUPS[lookup.sought][0]}"
    if call.parameters.get("Tags"):
        yield "iam:TagRole"
    if call.parameters.get("TagSpecifications"):
        yield "ec2:CreateTags"
    if call.parameters.get("PrivateDnsEnabled"):
        yield "route53:AssociateVPCWithHostedZone"
