"""Plans written by hand, of every shape that applying must be able to do; by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from straykey.contain.plan import Call, Lookup, Option, Plan, Sought, Step, Value
from tests.contain.grounds import DENY_ALL, OLD_BOUNDARY, READ, REGION, ROLE, SSM, TRUST, Scene, client

NAME = "straykey-test-0123456789ab"
DENY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}, separators=(",", ":")
)


def iam(operation: str, **parameters: Value) -> Call:
    return Call("iam", operation, parameters)


def ec2(operation: str, **parameters: Value) -> Call:
    return Call("ec2", operation, parameters, REGION)


def step(name: str, call: Call, *undo: Call) -> Step:
    return Step(name, call, undo, (f"{call.service}:{call.operation}",))


def plan(option: Option, *steps: Step) -> Plan:
    return Plan(option, (), steps, ())


def deny(role: str = ROLE, document: str = DENY) -> Step:
    undo = iam("DeleteRolePolicy", RoleName=role, PolicyName=NAME)
    return step("deny", iam("PutRolePolicy", RoleName=role, PolicyName=NAME, PolicyDocument=document), undo)


def inline(_: Scene) -> Plan:
    return plan(Option.PIN, deny())


def attach(_: Scene) -> Plan:
    named: dict[str, Value] = {"RoleName": ROLE, "PolicyArn": DENY_ALL}
    return plan(Option.DENY_ALL, step("deny all", iam("AttachRolePolicy", **named), iam("DetachRolePolicy", **named)))


def boundary(_: Scene) -> Plan:
    """A policy of our own, as the boundary in the place of an old one."""
    ours = Lookup(Sought.MANAGED_POLICY, NAME)
    return plan(
        Option.DENY_ALL,
        step(
            "make policy",
            iam("CreatePolicy", PolicyName=NAME, PolicyDocument=DENY),
            iam("DeletePolicy", PolicyArn=ours),
        ),
        step(
            "set boundary",
            iam("PutRolePermissionsBoundary", RoleName=ROLE, PermissionsBoundary=ours),
            iam("PutRolePermissionsBoundary", RoleName=ROLE, PermissionsBoundary=OLD_BOUNDARY),
        ),
    )


def new_boundary(scene: Scene) -> Plan:
    """A boundary for a role that has none: a copy of the role."""
    made = [*swap(scene).steps[:1]]
    return plan(
        Option.DENY_ALL,
        *made,
        step(
            "bind copy",
            iam("PutRolePermissionsBoundary", RoleName=NAME, PermissionsBoundary=DENY_ALL),
            iam("DeleteRolePermissionsBoundary", RoleName=NAME),
        ),
    )


def swap(scene: Scene) -> Plan:
    association = Lookup(Sought.ASSOCIATION, scene.instance)
    return plan(
        Option.SWAP_ROLE,
        *copy(),
        step(
            "hand over",
            ec2("ReplaceIamInstanceProfileAssociation", AssociationId=association, IamInstanceProfile={"Name": NAME}),
            ec2(
                "ReplaceIamInstanceProfileAssociation",
                AssociationId=association,
                IamInstanceProfile={"Arn": scene.profile},
            ),
        ),
        deny(),
    )


def swap_stopped(scene: Scene) -> Plan:
    """As for an instance that does not run: the old profile off, the new one on."""
    association = Lookup(Sought.ASSOCIATION, scene.instance)
    off = ec2("DisassociateIamInstanceProfile", AssociationId=association)
    on, back = (
        ec2("AssociateIamInstanceProfile", InstanceId=scene.instance, IamInstanceProfile=profile)
        for profile in ({"Name": NAME}, {"Arn": scene.profile})
    )
    return plan(Option.SWAP_ROLE, *copy(), step("take off", off, back), step("put on", on, off), deny())


def copy() -> list[Step]:
    trust: dict[str, Value] = {"RoleName": NAME, "Path": "/app/", "AssumeRolePolicyDocument": json.dumps(TRUST)}
    trust["Tags"] = ({"Key": "team", "Value": "web"},)
    in_profile: dict[str, Value] = {"InstanceProfileName": NAME, "RoleName": NAME}
    read: dict[str, Value] = {"RoleName": NAME, "PolicyName": "read"}
    attached: dict[str, Value] = {"RoleName": NAME, "PolicyArn": SSM}
    return [
        step("make role", iam("CreateRole", **trust), iam("DeleteRole", RoleName=NAME)),
        step(
            "copy read", iam("PutRolePolicy", **read, PolicyDocument=json.dumps(READ)), iam("DeleteRolePolicy", **read)
        ),
        step("attach", iam("AttachRolePolicy", **attached), iam("DetachRolePolicy", **attached)),
        step(
            "make profile",
            iam("CreateInstanceProfile", InstanceProfileName=NAME),
            iam("DeleteInstanceProfile", InstanceProfileName=NAME),
        ),
        step(
            "fill profile",
            iam("AddRoleToInstanceProfile", **in_profile),
            iam("RemoveRoleFromInstanceProfile", **in_profile),
        ),
    ]


def group_of(scene: Scene) -> tuple[Lookup, list[Step]]:
    """A group without rules."""
    group = Lookup(Sought.SECURITY_GROUP, f"{NAME} {scene.vpc}")
    made = ec2("CreateSecurityGroup", GroupName=NAME, Description="none", VpcId=scene.vpc)
    rules: Value = ({"IpProtocol": "-1", "IpRanges": ({"CidrIp": "0.0.0.0/0"},)},)
    return group, [
        step("make group", made, ec2("DeleteSecurityGroup", GroupId=group)),
        step("empty group", ec2("RevokeSecurityGroupEgress", GroupId=group, IpPermissions=rules)),
    ]


def isolate(scene: Scene) -> Plan:
    group, steps = group_of(scene)
    old = held(scene)
    for interface in scene.interfaces:
        before, after = (
            ec2("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface, Groups=groups)
            for groups in (old[interface], (group,))
        )
        steps.append(step(f"cut off {interface}", after, before))
    return plan(Option.ISOLATE, *steps)


def held(scene: Scene) -> dict[str, tuple[str, ...]]:
    found = client("ec2").describe_network_interfaces(NetworkInterfaceIds=list(scene.interfaces))
    return {
        one["NetworkInterfaceId"]: tuple(group["GroupId"] for group in one["Groups"])
        for one in found["NetworkInterfaces"]
    }


def imdsv2(scene: Scene) -> Plan:
    def options(tokens: str) -> Call:
        return ec2(
            "ModifyInstanceMetadataOptions",
            InstanceId=scene.instance,
            HttpTokens=tokens,
            HttpPutResponseHopLimit=2,
            HttpEndpoint="enabled",
        )

    return plan(Option.IMDSV2, step("require tokens", options("required"), options("optional")))


def stop(scene: Scene) -> Plan:
    named: dict[str, Value] = {"InstanceIds": (scene.instance,)}
    return plan(Option.STOP, step("stop", ec2("StopInstances", **named), ec2("StartInstances", **named)))


def endpoint(scene: Scene) -> Plan:
    """A gateway and an interface with its own group, then a Deny."""
    group, (made, _) = group_of(scene)
    https: Value = ({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ({"CidrIp": "10.0.0.0/16"},)},)
    rules: dict[str, Value] = {"GroupId": group, "IpPermissions": https}
    return plan(
        Option.VPC_ENDPOINT,
        made,
        step("open group", ec2("AuthorizeSecurityGroupIngress", **rules), ec2("RevokeSecurityGroupIngress", **rules)),
        door(scene, "s3", VpcEndpointType="Gateway", RouteTableIds=(scene.route_table,)),
        door(scene, "sqs", VpcEndpointType="Interface", SubnetIds=(scene.subnet,), SecurityGroupIds=(group,)),
        deny(),
    )


def door(scene: Scene, service: str, **parameters: Value) -> Step:
    tag = f"{NAME}-{service}"
    tags: Value = ({"ResourceType": "vpc-endpoint", "Tags": ({"Key": "straykey", "Value": tag},)},)
    call = ec2(
        "CreateVpcEndpoint",
        VpcId=scene.vpc,
        ServiceName=f"com.amazonaws.{REGION}.{service}",
        TagSpecifications=tags,
        **parameters,
    )
    return step(f"open {service}", call, ec2("DeleteVpcEndpoints", VpcEndpointIds=(Lookup(Sought.ENDPOINT, tag),)))


PLANS: Mapping[str, Callable[[Scene], Plan]] = {
    "inline": inline,
    "attach": attach,
    "boundary": boundary,
    "new-boundary": new_boundary,
    "swap": swap,
    "swap-stopped": swap_stopped,
    "isolate": isolate,
    "imdsv2": imdsv2,
    "stop": stop,
    "endpoint": endpoint,
}


def all_calls(scene: Scene) -> Plan:
    """One plan with every call that a plan may have: not for use."""
    off, on = swap_stopped(scene).steps[-3:-1]
    named: dict[str, Value] = {"InstanceId": scene.instance, "IamInstanceProfile": {"Name": NAME}}
    off = step(off.name, off.call, ec2("AssociateIamInstanceProfile", **named))
    return plan(
        Option.SWAP_ROLE,
        *boundary(scene).steps,
        *attach(scene).steps,
        *new_boundary(scene).steps,
        *swap(scene).steps[1:-1],
        off,
        on,
        *isolate(scene).steps,
        *endpoint(scene).steps[1:],
        *imdsv2(scene).steps,
        *stop(scene).steps,
    )
