"""What goes with a Deny and replaces none: isolate the instance, harden its metadata service, stop it."""

from straykey.contain.account import Instance
from straykey.contain.endpoints import tagged
from straykey.contain.ground import Draft, Ground, cannot
from straykey.contain.needs import step_of
from straykey.contain.plan import Call, Lookup, Option, Sought, Step, Value

_NOT_READ = "The instance was not read, so it could not be put back as it is"
_READ = "read the account: ec2:DescribeInstances"


def isolate(ground: Ground) -> Draft:
    """Give each interface a security group without rules."""
    instance = ground.instance
    if instance is None:
        return cannot(_NOT_READ, _READ)
    if not instance.interfaces:
        return cannot("The instance has no network interface")
    name = ground.name(Option.ISOLATE)
    group = Lookup(Sought.SECURITY_GROUP, f"{name} {instance.vpc}")
    steps = [_group(ground, instance.vpc, name, group)]
    steps += [_shut(ground, group, *rule) for rule in (("IPv4", _ALL_V4), ("IPv6", _ALL_V6))]
    steps += [
        step_of(
            f"give interface {one.id} the empty group",
            ground.ec2("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=one.id, Groups=(group,)),
            ground.ec2("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=one.id, Groups=one.groups),
        )
        for one in instance.interfaces
    ]
    return Draft(steps=tuple(steps))


# What AWS puts into each new group, the second where the VPC has IPv6.
_ALL_V4: dict[str, Value] = {"IpProtocol": "-1", "IpRanges": ({"CidrIp": "0.0.0.0/0"},)}
_ALL_V6: dict[str, Value] = {"IpProtocol": "-1", "Ipv6Ranges": ({"CidrIpv6": "::/0"},)}


def _group(ground: Ground, vpc: str, name: str, group: Lookup) -> Step:
    return step_of(
        f"make security group {name}",
        ground.ec2(
            "CreateSecurityGroup",
            GroupName=name,
            Description="No rules: made by straykey to isolate an instance",
            VpcId=vpc,
            TagSpecifications=tagged("security-group", name),
        ),
        ground.ec2("DeleteSecurityGroup", GroupId=group),
    )


def _shut(ground: Ground, group: Lookup, kind: str, rule: dict[str, Value]) -> Step:
    """Undone with the group itself."""
    call = ground.ec2("RevokeSecurityGroupEgress", GroupId=group, IpPermissions=(rule,))
    return step_of(f"let no {kind} out of it", call)


def imdsv2(ground: Ground) -> Draft:
    """Make the metadata service ask for a token."""
    instance = ground.instance
    if instance is None or not instance.http_tokens:
        return cannot(_NOT_READ, _READ)
    off = (
        f"To hand out no keys at all: `aws ec2 modify-instance-metadata-options --instance-id {instance.id} "
        f"--region {ground.region} --http-endpoint disabled`; the workload then fails when its keys expire."
    )
    if instance.http_endpoint == "disabled":
        return Draft(notes=("The metadata service is off already: there is nothing to do.",))
    if instance.http_tokens == "required":
        return Draft(notes=("The metadata service asks for tokens already: there is nothing to do.", off))
    step = step_of(
        f"require tokens of the metadata service of {instance.id}",
        _metadata(ground, instance, "required"),
        _metadata(ground, instance, instance.http_tokens),
    )
    return Draft(steps=(step,), notes=(off,))


def _metadata(ground: Ground, instance: Instance, tokens: str) -> Call:
    # With the endpoint named: older versions of the API refuse tokens without it.
    return ground.ec2(
        "ModifyInstanceMetadataOptions",
        InstanceId=instance.id,
        HttpTokens=tokens,
        HttpPutResponseHopLimit=instance.hop_limit,
        HttpEndpoint=instance.http_endpoint or "enabled",
    )


def stop(ground: Ground) -> Draft:
    """Stop the instance."""
    instance = ground.instance
    if instance is None:
        return cannot(_NOT_READ, _READ)
    if instance.state == "stopped":
        return Draft(notes=("The instance is stopped already: there is nothing to do.",))
    if instance.state != "running":
        return cannot(f"The instance is {instance.state}: only a running one can be stopped")
    step = step_of(
        f"stop instance {instance.id}",
        ground.ec2("StopInstances", InstanceIds=(instance.id,)),
        ground.ec2("StartInstances", InstanceIds=(instance.id,)),
    )
    return Draft(steps=(step,), notes=_of_kind(instance))


def _of_kind(instance: Instance) -> tuple[str, ...]:
    said = []
    if instance.has_instance_store:
        said.append("This instance has instance store: what is on it is lost.")
    if instance.is_spot:
        said.append("This is a Spot instance: AWS stops it only if its request is persistent, and refuses otherwise.")
    return tuple(said)
