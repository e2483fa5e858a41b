"""What is there of the things that steps change, as values that can be compared, and kept as JSON.

None stands for what is not there.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from straykey import aws
from straykey.contain.clients import Reach, ec2_pages, iam_pages
from straykey.contain.lookup import AbsentError, association_of, policy_of, resolved
from straykey.contain.plan import Value

_NOT_THERE = frozenset(
    {
        "InvalidGroup.NotFound",
        "InvalidInstanceID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "InvalidVpcEndpointId.NotFound",
        "NoSuchEntity",
    }
)
_GONE = frozenset({"deleted", "terminated"})
State = object


class Kind(StrEnum):
    """What a step may change; in brackets what it is named by."""

    INLINE_POLICY = "inline policy"  # role, policy
    ATTACHMENT = "attached policy"  # role, ARN
    BOUNDARY = "boundary"  # role
    ROLE = "role"
    PROFILE = "instance profile"
    MANAGED_POLICY = "managed policy"
    ASSOCIATION = "association"  # instance
    METADATA = "metadata options"  # instance
    RUNNING = "instance"
    GROUP = "security group"  # id
    GROUPS = "security groups of the interface"  # interface
    ENDPOINT = "endpoint"  # id


class Subject(msgspec.Struct, frozen=True):
    """One thing of a kind; what names it may have to be looked up."""

    kind: Kind
    names: tuple[Value, ...]


def state_of(reach: Reach, subject: Subject) -> State:
    """What is there; raises what botocore raises, but for what says that it is not there."""
    try:
        names = resolved(reach, {str(place): name for place, name in enumerate(subject.names)})
        return _LOOKS[subject.kind](reach, *names.values())
    except AbsentError:
        return None
    except aws.failures() as error:
        if aws.code_of(error) in _NOT_THERE:
            return None
        raise


def _inline_policy(reach: Reach, role: str, policy: str) -> State:
    return reach.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]


def _attachment(reach: Reach, role: str, arn: str) -> State:
    listed = iam_pages(reach.iam.list_attached_role_policies, "AttachedPolicies", RoleName=role)
    return any(one["PolicyArn"] == arn for one in listed) or None


def _boundary(reach: Reach, role: str) -> State:
    found = reach.iam.get_role(RoleName=role)["Role"]
    return found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")


def _role(reach: Reach, role: str) -> State:
    found = reach.iam.get_role(RoleName=role)["Role"]
    return {
        "Path": found["Path"],
        "AssumeRolePolicyDocument": found["AssumeRolePolicyDocument"],
        "Description": found.get("Description", ""),
        "MaxSessionDuration": found.get("MaxSessionDuration", 3600),
        "PermissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        "Tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
    }


def _profile(reach: Reach, profile: str) -> State:
    found = reach.iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]
    return {"Path": found["Path"], "Roles": sorted(role["RoleName"] for role in found["Roles"])}


def _managed_policy(reach: Reach, name: str) -> State:
    found = policy_of(reach, name)
    if found is None:
        return None
    version = reach.iam.get_policy_version(PolicyArn=found["Arn"], VersionId=found["DefaultVersionId"])
    return version["PolicyVersion"]["Document"]


def _association(reach: Reach, instance: str) -> State:
    """The profile's ARN and the association's state; of an instance without one, neither."""
    found = association_of(reach, instance)
    if found is None:
        return {} if _instance(reach, instance) else None
    return {"Arn": found["IamInstanceProfile"]["Arn"], "State": found["State"]}


def _metadata(reach: Reach, instance: str) -> State:
    found = _instance(reach, instance)
    return dict(found.get("MetadataOptions", {})) if found else None


def _running(reach: Reach, instance: str) -> State:
    found = _instance(reach, instance)
    return found["State"]["Name"] if found else None


def _instance(reach: Reach, instance: str) -> Mapping[str, Any] | None:
    for reservation in ec2_pages(reach.ec2.describe_instances, "Reservations", InstanceIds=[instance]):
        for one in reservation["Instances"]:
            return one if one["State"]["Name"] not in _GONE else None
    return None


def _group(reach: Reach, group: str) -> State:
    """Its rules, for what goes out and for what comes in."""
    found = next(ec2_pages(reach.ec2.describe_security_groups, "SecurityGroups", GroupIds=[group]))
    lists = {"Egress": found["IpPermissionsEgress"], "Ingress": found["IpPermissions"]}
    return {way: [rule for one in listed for rule in rules_of(one)] for way, listed in lists.items()}


def rules_of(permission: Mapping[str, Any]) -> list[list[str]]:
    """Each rule that a set of rules stands for: protocol, ports, and whither."""
    way = [str(permission.get(name, "")) for name in ("IpProtocol", "FromPort", "ToPort")]
    whither = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId"}
    whither |= {"UserIdGroupPairs": "GroupId"}
    return [[*way, str(one[name])] for listed, name in whither.items() for one in permission.get(listed, ())]


def _groups(reach: Reach, interface: str) -> State:
    asked = {"NetworkInterfaceIds": [interface]}
    found = next(ec2_pages(reach.ec2.describe_network_interfaces, "NetworkInterfaces", **asked))
    return sorted(group["GroupId"] for group in found["Groups"])


def _endpoint(reach: Reach, endpoint: str) -> State:
    found = next(ec2_pages(reach.ec2.describe_vpc_endpoints, "VpcEndpoints", VpcEndpointIds=[endpoint]), None)
    state = str(found["State"]).lower() if found else "deleted"
    return state if state not in _GONE else None


_Look = Callable[..., State]
_LOOKS: Mapping[Kind, _Look] = {
    Kind.INLINE_POLICY: _inline_policy,
    Kind.ATTACHMENT: _attachment,
    Kind.BOUNDARY: _boundary,
    Kind.ROLE: _role,
    Kind.PROFILE: _profile,
    Kind.MANAGED_POLICY: _managed_policy,
    Kind.ASSOCIATION: _association,
    Kind.METADATA: _metadata,
    Kind.RUNNING: _running,
    Kind.GROUP: _group,
    Kind.GROUPS: _groups,
    Kind.ENDPOINT: _endpoint,
}
