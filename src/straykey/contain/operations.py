"""The calls that a step may make, and no other: what each changes, and how one sees that it is done.

They are named here one by one, so that what straykey can change in an account can be told from this file alone.  What
each needs is in `needs`, what AWS may answer in `refusal`.
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


OPERATIONS: Mapping[str, Operation] = {
    "iam:PutRolePolicy": Operation(
        method=lambda at: at.iam.put_role_policy,
        subject=_of(Kind.INLINE_POLICY, "RoleName", "PolicyName"),
        is_done=effect.is_document("PolicyDocument"),
        restores=True,
    ),
    "iam:DeleteRolePolicy": Operation(
        method=lambda at: at.iam.delete_role_policy,
        subject=_of(Kind.INLINE_POLICY, "RoleName", "PolicyName"),
        is_done=effect.is_gone,
    ),
    "iam:AttachRolePolicy": Operation(
        method=lambda at: at.iam.attach_role_policy,
        subject=_of(Kind.ATTACHMENT, "RoleName", "PolicyArn"),
        is_done=effect.is_there,
    ),
    "iam:DetachRolePolicy": Operation(
        method=lambda at: at.iam.detach_role_policy,
        subject=_of(Kind.ATTACHMENT, "RoleName", "PolicyArn"),
        is_done=effect.is_gone,
        takes_away=True,
    ),
    "iam:PutRolePermissionsBoundary": Operation(
        method=lambda at: at.iam.put_role_permissions_boundary,
        subject=_of(Kind.BOUNDARY, "RoleName"),
        is_done=effect.is_boundary,
        restores=True,
    ),
    "iam:DeleteRolePermissionsBoundary": Operation(
        method=lambda at: at.iam.delete_role_permissions_boundary,
        subject=_of(Kind.BOUNDARY, "RoleName"),
        is_done=effect.has_no_boundary,
        restores=True,
    ),
    "iam:CreateRole": Operation(
        method=lambda at: at.iam.create_role,
        subject=_of(Kind.ROLE, "RoleName"),
        is_done=effect.is_role,
        is_seen=effect.is_there,
    ),
    "iam:DeleteRole": Operation(
        method=lambda at: at.iam.delete_role,
        subject=_of(Kind.ROLE, "RoleName"),
        is_done=effect.is_gone,
    ),
    "iam:CreateInstanceProfile": Operation(
        method=lambda at: at.iam.create_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.is_profile,
    ),
    "iam:DeleteInstanceProfile": Operation(
        method=lambda at: at.iam.delete_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.is_gone,
    ),
    "iam:AddRoleToInstanceProfile": Operation(
        method=lambda at: at.iam.add_role_to_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.holds_role,
        once=True,
    ),
    "iam:RemoveRoleFromInstanceProfile": Operation(
        method=lambda at: at.iam.remove_role_from_instance_profile,
        subject=_of(Kind.PROFILE, "InstanceProfileName"),
        is_done=effect.holds_no_role,
    ),
    "iam:CreatePolicy": Operation(
        method=lambda at: at.iam.create_policy,
        subject=_of(Kind.MANAGED_POLICY, "PolicyName"),
        is_done=effect.is_document("PolicyDocument"),
    ),
    "iam:DeletePolicy": Operation(
        method=lambda at: at.iam.delete_policy,
        subject=_managed_policy,
        is_done=effect.is_gone,
        takes_away=True,
    ),
    "ec2:AssociateIamInstanceProfile": Operation(
        method=lambda at: at.ec2.associate_iam_instance_profile,
        subject=_of(Kind.ASSOCIATION, "InstanceId"),
        is_done=effect.is_associated,
        patience_seconds=_ASSOCIATING_SECONDS,
        restores=True,
        once=True,
    ),
    "ec2:ReplaceIamInstanceProfileAssociation": Operation(
        method=lambda at: at.ec2.replace_iam_instance_profile_association,
        subject=_association,
        is_done=effect.is_associated,
        patience_seconds=_ASSOCIATING_SECONDS,
        restores=True,
        once=True,
    ),
    "ec2:DisassociateIamInstanceProfile": Operation(
        method=lambda at: at.ec2.disassociate_iam_instance_profile,
        subject=_association,
        is_done=effect.is_apart,
        patience_seconds=_ASSOCIATING_SECONDS,
        restores=True,
        takes_away=True,
    ),
    "ec2:ModifyInstanceMetadataOptions": Operation(
        method=lambda at: at.ec2.modify_instance_metadata_options,
        subject=_of(Kind.METADATA, "InstanceId"),
        is_done=effect.has_options,
        restores=True,
    ),
    "ec2:CreateSecurityGroup": Operation(
        method=lambda at: at.ec2.create_security_group,
        subject=_new_group,
        is_done=effect.is_there,
    ),
    "ec2:RevokeSecurityGroupEgress": Operation(
        method=lambda at: at.ec2.revoke_security_group_egress,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.lets_none_out,
        once=True,
    ),
    "ec2:AuthorizeSecurityGroupIngress": Operation(
        method=lambda at: at.ec2.authorize_security_group_ingress,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.lets_in,
        once=True,
    ),
    "ec2:RevokeSecurityGroupIngress": Operation(
        method=lambda at: at.ec2.revoke_security_group_ingress,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.lets_none_in,
        takes_away=True,
    ),
    "ec2:DeleteSecurityGroup": Operation(
        method=lambda at: at.ec2.delete_security_group,
        subject=_of(Kind.GROUP, "GroupId"),
        is_done=effect.is_gone,
        takes_away=True,
    ),
    "ec2:ModifyNetworkInterfaceAttribute": Operation(
        method=lambda at: at.ec2.modify_network_interface_attribute,
        subject=_of(Kind.GROUPS, "NetworkInterfaceId"),
        is_done=effect.is_in_groups,
        restores=True,
    ),
    "ec2:StopInstances": Operation(
        method=lambda at: at.ec2.stop_instances,
        subject=_one_of(Kind.RUNNING, "InstanceIds"),
        is_done=effect.is_stopped,
        patience_seconds=_STOPPING_SECONDS,
    ),
    "ec2:StartInstances": Operation(
        method=lambda at: at.ec2.start_instances,
        subject=_one_of(Kind.RUNNING, "InstanceIds"),
        is_done=effect.is_running,
        patience_seconds=_STOPPING_SECONDS,
    ),
    "ec2:CreateVpcEndpoint": Operation(
        method=lambda at: at.ec2.create_vpc_endpoint,
        subject=_new_endpoint,
        is_done=effect.is_available,
        patience_seconds=_ENDPOINT_SECONDS,
    ),
    "ec2:DeleteVpcEndpoints": Operation(
        method=lambda at: at.ec2.delete_vpc_endpoints,
        subject=_one_of(Kind.ENDPOINT, "VpcEndpointIds"),
        is_done=effect.is_gone,
        patience_seconds=_ENDPOINT_SECONDS,
        takes_away=True,
    ),
}
