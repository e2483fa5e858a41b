"""An account with a role, its instance and what is around them, on moto; and all of its state that can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import msgspec

from straykey import aws
from straykey.contain.clients import Clients

REGION = "us-east-1"
ACCOUNT = "123456789012"  # moto's
ROLE, PROFILE = "web-role", "web-profile"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
READ = {"Version": "2012-10-17", "Statement": [ALLOW]}
# Policies of AWS itself are not there on moto.
SSM, DENY_ALL = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("ssm", "deny-all"))
_HOPS = "HttpPutResponseHopLimit"
IMAGE = "ami-12c6146b"  # moto has it
OLD_BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


class Scene(msgspec.Struct, frozen=True):
    """What the account holds: one instance with two interfaces, and its sister with the same profile."""

    instance: str
    sister: str
    vpc: str
    subnet: str
    route_table: str
    interfaces: tuple[str, ...]
    groups: tuple[str, ...]
    profile: str


def scene() -> Scene:
    """Make all of it in an empty account."""
    iam = client("iam")
    for name in ("ssm", "deny-all"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(READ))
    iam.create_role(
        RoleName=ROLE,
        Path="/app/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Description="of the web servers",
        MaxSessionDuration=7200,
        PermissionsBoundary=OLD_BOUNDARY,
        Tags=[{"Key": "team", "Value": "web"}],
    )
    iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(READ))
    iam.attach_role_policy(RoleName=ROLE, PolicyArn=SSM)
    profile = iam.create_instance_profile(InstanceProfileName=PROFILE, Path="/app/")["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName=PROFILE, RoleName=ROLE)
    return _in_a_vpc(profile)


def _in_a_vpc(profile: str) -> Scene:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("web", "admin")
    ]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    instance, sister = (_instance(ec2, subnet, groups) for _ in range(2))
    second = ec2.create_network_interface(SubnetId=subnet, Groups=groups[:1])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(DeviceIndex=1, InstanceId=instance, NetworkInterfaceId=second)
    for one in (instance, sister):
        ec2.associate_iam_instance_profile(InstanceId=one, IamInstanceProfile={"Arn": profile})
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return Scene(
        instance,
        sister,
        vpc,
        subnet,
        tables[0]["RouteTableId"],
        tuple(sorted(one["NetworkInterfaceId"] for one in found["NetworkInterfaces"])),
        tuple(sorted(groups)),
        profile,
    )


def _instance(ec2: Any, subnet: str, groups: list[str]) -> str:
    # Its interface is made first: of one that it makes itself, moto says that it has the instance's groups, always.
    made = ec2.create_network_interface(SubnetId=subnet, Groups=groups)["NetworkInterface"]["NetworkInterfaceId"]
    asked = {"MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": made}]}
    started = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", **asked)["Instances"][0]["InstanceId"]
    options = {"HttpTokens": "optional", "HttpEndpoint": "enabled", _HOPS: 2}
    ec2.modify_instance_metadata_options(InstanceId=started, **options)
    return str(started)


@cache
def client(service: str) -> Any:
    """One for all tests, as there is one server: to make one takes longer than a test should."""
    return boto3.client(service)  # type: ignore[call-overload]


@cache
def clients() -> Clients:
    return Clients(aws.session(), REGION)


def snapshot() -> str:
    """The account's whole state, but for what AWS itself gives anew: ids of associations, and when things happened."""
    return json.dumps(dict(_state()), indent=1, sort_keys=True, default=str)


def _state() -> Iterator[tuple[str, object]]:
    iam, ec2 = client("iam"), client("ec2")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        yield f"role {name}", iam.get_role(RoleName=name)["Role"]
        policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
        yield (
            f"inline {name}",
            [iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"] for one in policies],
        )
        yield f"attached {name}", iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    yield "profiles", iam.list_instance_profiles()["InstanceProfiles"]
    yield "policies", iam.list_policies(Scope="Local")["Policies"]
    associations = ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    held = (
        {key: one[key] for key in ("InstanceId", "State")} | {"Arn": one["IamInstanceProfile"]["Arn"]}
        for one in associations
    )
    yield "associations", sorted(held, key=lambda one: str(one["InstanceId"]))
    for reservation in ec2.describe_instances()["Reservations"]:
        for one in reservation["Instances"]:
            # moto forgets what a call does not name of these options; AWS does not.
            options = {name: one["MetadataOptions"][name] for name in ("HttpTokens", "HttpEndpoint", _HOPS)}
            yield f"instance {one['InstanceId']}", {key: one[key] for key in one if key not in _ANEW} | options
    yield "groups", ec2.describe_security_groups()["SecurityGroups"]
    yield "interfaces", ec2.describe_network_interfaces()["NetworkInterfaces"]
    yield "route tables", ec2.describe_route_tables()["RouteTables"]
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    yield "endpoints", [one for one in endpoints if one["State"] != "deleted"]


# The instance's own list of its profile has the association's id; of starting and stopping it keeps reasons and times;
# an address by which it is reached from outside is another after each start.
_ANEW = frozenset(
    {
        "IamInstanceProfile",
        "MetadataOptions",
        "LaunchTime",
        "StateTransitionReason",
        "StateReason",
        "PublicDnsName",
        "PublicIpAddress",
    }
)
