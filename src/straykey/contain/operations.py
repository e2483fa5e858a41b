"""The calls that a step may make, and no other: what each changes, how one sees that it is done, what it needs.

They are named here one by one, so that what straykey can change in an account can be told from this file alone.
"""

from collections.abc import Callable, Mapping

import msgspec

from straykey.contain import effect
from straykey.contain.clients import Answer, Reach
from straykey.contain.effect import Effect
from straykey.contain.plan import Call, Lookup, Sought, Value
from straykey.contain.state import Kind, Subject
from straykey.errors import ContainError
from straykey.formats.text import printable

_PASSING = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable"})
_NOT_YET = frozenset({"NoSuchEntity"})  # IAM forgets for seconds what it has just been told
_IN_USE = frozenset({"DeleteConflict", "DependencyViolation", "InvalidGroup.InUse"})
# EC2 does not know a profile of IAM's yet, or is still busy with the association before.
_UNSETTLED = frozenset({"IncorrectInstanceState", "IncorrectState", "InvalidParameterValue"})
_NOT_THERE = frozenset(
    {
        "InvalidAssociationID.NotFound",
        "InvalidGroup.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidPermission.NotFound",
        "InvalidVpcEndpoint.NotFound",
        "InvalidVpcEndpointId.NotFound",
        "NoSuchEntity",
    }
)
_THERE_ALREADY = frozenset({"EntityAlreadyExists", "InvalidGroup.Duplicate", "InvalidPermission.Duplicate"})
_USUALLY_SECONDS = 60.0
_ASSOCIATING_SECONDS = 120.0
_STOPPING_SECONDS = 600.0
_ENDPOINT_SECONDS = 600.0

_MEND = "plan anew with this version"

Method = Callable[..., Answer]
Parameters = Mapping[str, Value]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """`is_done` tells from what is there whether the call, with its parameters resolved, has nothing left to do.

    `is_seen`, where given, is enough right after the call: AWS may write what it was told in another form.
    `restores`: undoing with it writes over what is there, so that must be ours.  `takes_away`: it is done, too, where
    nothing is found of what it names.  `once`: to be done again is an error.
    """

    method: Callable[[Reach], Method]
    subject: Callable[[Parameters], Subject]
    is_done: Effect
    is_seen: Effect | None = None
    needs: tuple[str, ...]
    again: frozenset[str] = frozenset()
    patience_seconds: float = _USUALLY_SECONDS
    restores: bool = False
    takes_away: bool = False
    once: bool = False


def operation_of(call: Call) -> Operation:
    """`ContainError` for what no step may do."""
    found = OPERATIONS.get(f"{call.service}:{call.operation}")
    if found is None:
        name = printable(f"{call.service}:{call.operation}")
        raise ContainError(f"{name} is no call that a containment makes", hint=_MEND)
    return found


def subject_of(call: Call) -> Subject:
    """What a call changes."""
    try:
        return operation_of(call).subject(call.parameters)
    except LookupError as error:
        raise ContainError(f"{call.operation} lacks {error}", hint=_MEND) from error


def permissions_of(call: Call) -> tuple[str, ...]:
    """Of IAM: for the call, for what it implies, and for seeing that it is done."""
    tagged = {
        "CreateRole": "iam:TagRole",
        "CreatePolicy": "iam:TagPolicy",
        "CreateInstanceProfile": "iam:TagInstanceProfile",
    }
    implied = [tagged[call.operation]] if call.operation in tagged and call.parameters.get("Tags") else []
    implied += ["ec2:CreateTags"] if call.parameters.get("TagSpecifications") else []
    return tuple(sorted({f"{call.service}:{call.operation}", *operation_of(call).needs, *implied}))


def is_not_there(code: str) -> bool:
    """Whether AWS says that what is to be undone is not there."""
    return code in _NOT_THERE


def is_there_already(code: str) -> bool:
    return code in _THERE_ALREADY


def _of(kind: Kind, *names: str) -> Callable[[Parameters], Subject]:
    return lambda parameters: Subject(kind, tuple(parameters[name] for name in names))


def _one_of(kind: Kind, listed: str) -> Callable[[Parameters], Subject]:
    """A call that takes many is made for one."""

    def subject(parameters: Parameters) -> Subject:
        values = parameters[listed]
        if not isinstance(values, tuple | list) or len(values) != 1:
            raise ContainError(f"{listed} must name one, in a plan", hint=_MEND)
        return Subject(kind, (values[0],))

    return subject


def _association(parameters: Parameters) -> Subject:
    """An association changes its id when it is replaced: it is named by its instance."""
    named = parameters["AssociationId"]
    if not isinstance(named, Lookup):
        raise ContainError("an association is named by its instance, in a plan", hint=_MEND)
    return Subject(Kind.ASSOCIATION, (named.of,))


def _managed_policy(parameters: Parameters) -> Subject:
    named = parameters["PolicyArn"]
    name = named.of if isinstance(named, Lookup) else str(named).rpartition("/")[2]
    return Subject(Kind.MANAGED_POLICY, (name,))


def _new_group(parameters: Parameters) -> Subject:
    named = Lookup(Sought.SECURITY_GROUP, f"{parameters['GroupName']} {parameters['VpcId']}")
    return Subject(Kind.GROUP, (named,))


def _new_endpoint(parameters: Parameters) -> Subject:
    tags = [tag for one in _maps(parameters["TagSpecifications"]) for tag in _maps(one["Tags"])]
    named = [tag["Value"] for tag in tags if tag["Key"] == "straykey"]
    return Subject(Kind.ENDPOINT, (Lookup(Sought.ENDPOINT, str(named[0])),))


def _maps(value: Value) -> list[Parameters]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, tuple | list) else []


_AGAIN = _PASSING | _NOT_YET
_SEEN = ("iam:GetRole",)
_ASSOCIATIONS = ("ec2:DescribeIamInstanceProfileAssociations", "ec2:DescribeInstances")

OPERATIONS: Mapping[str, Operation] = {
    "iam:PutRolePolicy": Operation(
        method=lambda at: at.iam.put_role_policy,
        subject=_of(Kind.INLINE_POLICY, "RoleName", "PolicyName"),
        is_done=effect.is_document("PolicyDocument"),
        needs=("iam:GetRolePolicy",),
        again=_AGAIN,
        restores=True,
    ),
    "iam:DeleteRolePolicy": Operation(
        method=lambda at: at.iam.delete_role_policy,
        subject=_of(Kind.INLINE_POLICY, "RoleName", "PolicyName"),
        is_done=effect.is_gone,
        needs=("iam:GetRolePolicy",),
        again=_PASSING,
    ),
    "iam:AttachRolePolicy": Operation(
        method=lambda at: at.iam.attach_role_policy,
        subject=_of(Kind.ATTACHMENT, "RoleName", "PolicyArn"),
        is_done=effect.is_there,
        needs=("iam:ListAttachedRolePolicies",),
        again=_AGAIN,
    ),
    "iam:DetachRolePolicy": Operation(
        method=lambda at: at.iam.detach_role_policy,
        subject=_of(Kind.ATTACHMENT, "RoleName", "PolicyArn"),
        is_done=effect.is_gone,
        needs=("iam:ListAttachedRolePolicies",),
        again=_PASSING,
        takes_away=True,
    ),
    "iam:PutRolePermissionsBoundary": Operation(
        method=lambda at: at.iam.put_role_permissions_boundary,
        subject=_of(Kind.BOUNDARY, "RoleName"),
        is_done=effect.is_boundary,
        needs=_SEEN,
        again=_AGAIN,
        restores=True,
    ),
    "iam:DeleteRolePermissionsBoundary": Operation(
        method=lambda at: at.iam.delete_role_permissions_boundary,
        subject=_of(Kind.BOUNDARY, "RoleName"),
        is_done=effect.has_no_boundary,
        needs=_SEEN,
        again=_PASSING,
        restores=True,
    ),
    "iam:CreateRole": Operation(
        method=lambda at: at.iam.create_role,
        subject=_of(Kind.ROLE, "RoleName"),
        is_done=effect.is_role,
        is_seen=effect.is_there,
        needs=_SEEN,
        again=_PASSING,
    ),
    "iam:DeleteRole": Operation(
        method=lambda at: at.iam.delete_role,
        subject=_of(Kind.ROLE, "RoleName"),
        is_done=effect.is_gone,
        needs=_SEEN,
        again=_PASSING | _IN_USE,
    ),
    "iam:TagRole": Operation(
        method=lambda at: at.iam.tag_role,
        subject=_of(Kind.ROLE, "RoleName"),
        is_done=effect.is_tagged,
        needs=_SEEN,
        again=_AGAIN,
    ),
    "iam:CreateInstanceProfile": Operation(
        method=lambda at: at.iam.create_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.is_profile,
        needs=("iam:GetInstanceProfile",),
        again=_PASSING,
    ),
    "iam:DeleteInstanceProfile": Operation(
        method=lambda at: at.iam.delete_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.is_gone,
        needs=("iam:GetInstanceProfile",),
        again=_PASSING | _IN_USE,
    ),
    "iam:AddRoleToInstanceProfile": Operation(
        method=lambda at: at.iam.add_role_to_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.holds_role,
        needs=("iam:GetInstanceProfile", "iam:PassRole"),
        again=_AGAIN,
        once=True,
    ),
    "iam:RemoveRoleFromInstanceProfile": Operation(
        method=lambda at: at.iam.remove_role_from_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.holds_no_role,
        needs=("iam:GetInstanceProfile",),
        again=_PASSING,
    ),
    "iam:CreatePolicy": Operation(
        method=lambda at: at.iam.create_policy,
        subject=_of(Kind.MANAGED_POLICY, "PolicyName"),
        is_done=effect.is_document("PolicyDocument"),
        needs=("iam:GetPolicyVersion", "iam:ListPolicies"),
        again=_PASSING,
    ),
    "iam:DeletePolicy": Operation(
        method=lambda at: at.iam.delete_policy,
        subject=_managed_policy,
        is_done=effect.is_gone,
        needs=("iam:GetPolicyVersion", "iam:ListPolicies"),
        again=_PASSING | _IN_USE,
        takes_away=True,
    ),
    "ec2:AssociateIamInstanceProfile": Operation(
        method=lambda at: at.ec2.associate_iam_instance_profile,
        subject=_of(Kind.ASSOCIATION, "InstanceId"),
        is_done=effect.is_associated,
        needs=(*_ASSOCIATIONS, "iam:PassRole"),
        again=_UNSETTLED,
        patience_seconds=_ASSOCIATING_SECONDS,
        restores=True,
        once=True,
    ),
    "ec2:ReplaceIamInstanceProfileAssociation": Operation(
        method=lambda at: at.ec2.replace_iam_instance_profile_association,
        subject=_association,
        is_done=effect.is_associated,
        needs=(*_ASSOCIATIONS, "iam:PassRole"),
        again=_UNSETTLED | {"InvalidAssociationID.NotFound"},
        patience_seconds=_ASSOCIATING_SECONDS,
        restores=True,
        once=True,
    ),
    "ec2:DisassociateIamInstanceProfile": Operation(
        method=lambda at: at.ec2.disassociate_iam_instance_profile,
        subject=_association,
        is_done=effect.is_apart,
        needs=_ASSOCIATIONS,
        again=_UNSETTLED,
        patience_seconds=_ASSOCIATING_SECONDS,
        restores=True,
        takes_away=True,
    ),
    "ec2:ModifyInstanceMetadataOptions": Operation(
        method=lambda at: at.ec2.modify_instance_metadata_options,
        subject=_of(Kind.METADATA, "InstanceId"),
        is_done=effect.has_options,
        needs=("ec2:DescribeInstances",),
        again=_UNSETTLED - {"InvalidParameterValue"},
        restores=True,
    ),
    "ec2:CreateSecurityGroup": Operation(
        method=lambda at: at.ec2.create_security_group,
        subject=_new_group,
        is_done=effect.is_there,
        needs=("ec2:DescribeSecurityGroups",),
    ),
    "ec2:RevokeSecurityGroupEgress": Operation(
        method=lambda at: at.ec2.revoke_security_group_egress,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.lets_none_out,
        needs=("ec2:DescribeSecurityGroups",),
        again=frozenset({"InvalidGroup.NotFound"}),
        once=True,
    ),
    "ec2:AuthorizeSecurityGroupIngress": Operation(
        method=lambda at: at.ec2.authorize_security_group_ingress,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.lets_in,
        needs=("ec2:DescribeSecurityGroups",),
        again=frozenset({"InvalidGroup.NotFound"}),
        once=True,
    ),
    "ec2:RevokeSecurityGroupIngress": Operation(
        method=lambda at: at.ec2.revoke_security_group_ingress,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.lets_none_in,
        needs=("ec2:DescribeSecurityGroups",),
        takes_away=True,
    ),
    "ec2:DeleteSecurityGroup": Operation(
        method=lambda at: at.ec2.delete_security_group,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.is_gone,
        needs=("ec2:DescribeSecurityGroups",),
        again=_IN_USE,
        takes_away=True,
    ),
    "ec2:ModifyNetworkInterfaceAttribute": Operation(
        method=lambda at: at.ec2.modify_network_interface_attribute,
        subject=_of(Kind.GROUPS, "NetworkInterfaceId"),
        is_done=effect.is_in_groups,
        needs=("ec2:DescribeNetworkInterfaces",),
        again=frozenset({"InvalidGroup.NotFound"}),
        restores=True,
    ),
    "ec2:StopInstances": Operation(
        method=lambda at: at.ec2.stop_instances,
        subject=_one_of(Kind.RUNNING, "InstanceIds"),
        is_done=effect.is_stopped,
        needs=("ec2:DescribeInstances",),
        again=_UNSETTLED - {"InvalidParameterValue"},
        patience_seconds=_STOPPING_SECONDS,
    ),
    "ec2:StartInstances": Operation(
        method=lambda at: at.ec2.start_instances,
        subject=_one_of(Kind.RUNNING, "InstanceIds"),
        is_done=effect.is_running,
        needs=("ec2:DescribeInstances",),
        again=_UNSETTLED - {"InvalidParameterValue"},
        patience_seconds=_STOPPING_SECONDS,
    ),
    "ec2:CreateVpcEndpoint": Operation(
        method=lambda at: at.ec2.create_vpc_endpoint,
        subject=_new_endpoint,
        is_done=effect.is_available,
        needs=("ec2:DescribeVpcEndpoints",),
        patience_seconds=_ENDPOINT_SECONDS,
    ),
    "ec2:DeleteVpcEndpoints": Operation(
        method=lambda at: at.ec2.delete_vpc_endpoints,
        subject=_one_of(Kind.ENDPOINT, "VpcEndpointIds"),
        is_done=effect.is_gone,
        needs=("ec2:DescribeVpcEndpoints",),
        patience_seconds=_ENDPOINT_SECONDS,
        takes_away=True,
    ),
}
