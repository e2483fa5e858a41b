"""Endpoints for what the workload uses, then nothing but the home VPC.

StringNotEquals without IfExists is meant: a call that comes through no endpoint has neither key, and is denied.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourcevpc
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from straykey.contain.account import Account, Instance
from straykey.contain.broad import shared
from straykey.contain.ground import Draft, Ground, cannot, is_endpoint_id
from straykey.contain.needs import step_of
from straykey.contain.pin import joined
from straykey.contain.placing import placed
from straykey.contain.plan import Lookup, Option, Rerouted, Sought, Step, Trouble, Value
from straykey.contain.services import GLOBAL, Doorway, doorways
from straykey.contain.theft import Called
from straykey.contain.wording import Condition, deny, document_of
from straykey.core.network import PUBLIC_LANES, Lane
from straykey.formats.text import bounded

_OPTION = Option.VPC_ENDPOINT
_SHOWN = 60
_TLS = 443


class Used(msgspec.Struct, frozen=True):
    """What the workload used from home: endpoints to make, and services that none leads to, with why."""

    missing: tuple[Doorway, ...]
    without: tuple[str, ...]


def vpc_endpoint(ground: Ground) -> Draft:
    """Make the endpoints that are missing, then deny what does not come through the home VPC."""
    homes = _home_endpoints(ground)
    if ground.account is None or ground.instance is None or not ground.instance.vpc:
        # A policy that names no VPC would deny the workload everything, like deny-all, without saying so.
        text = "The instance's VPC is not known, so there is no policy to put to the recorded calls"
        return replace(cannot(text, "read the account: ec2:DescribeInstances"), notes=_used_from_home(ground))
    used = _used(ground, ground.account, ground.instance)
    placing = placed(ground, _OPTION, _document(ground.instance.vpc, homes))
    return Draft(
        (placing.deny,),
        (*_making(ground, ground.instance, ground.account, used), *placing.steps),
        _limits(ground, homes),
        (*shared(ground), *_notes(ground.account, used), *placing.notes),
        troubles=(*_hindrances(ground.instance, ground.account, used), *placing.troubles),
        rerouted=_rerouted(ground, ground.instance, ground.account, used),
    )


def _used_from_home(ground: Ground) -> tuple[str, ...]:
    """What endpoints would be needed for, as far as the logs tell."""
    calls = [one for one in ground.theft.workload.calls if one.network.lane in PUBLIC_LANES]
    led = sorted({_source(one) for one in calls if doorways(_source(one))})
    without = sorted({_source(one) for one in calls} - set(led))
    told = [("It uses on a public way, and there are endpoints for", led), ("there are none for", without)]
    said = "; ".join(f"{what} {', '.join(bounded(one, _SHOWN) for one in names)}" for what, names in told if names)
    return (f"{said[:1].upper()}{said[1:]}.", _UNRECORDED) if said else (_UNRECORDED,)


def _home_endpoints(ground: Ground) -> list[str]:
    """Those the logs show, wherever they are: in a hub VPC, say."""
    homes = ground.theft.homes
    return sorted({one.endpoint for one in homes if one.lane is Lane.ENDPOINT and is_endpoint_id(one.endpoint)})


def _document(vpc: str, endpoints: list[str]) -> str:
    allowed: dict[str, str | list[str]] = {"aws:SourceVpc": vpc}
    if endpoints:
        allowed["aws:SourceVpce"] = endpoints
    condition: Condition = {"BoolIfExists": {"aws:ViaAWSService": "false"}}
    return document_of(deny("NotFromHome", joined(condition, {"StringNotEquals": allowed})))


def _used(ground: Ground, account: Account, instance: Instance) -> Used:
    calls = [one for one in ground.theft.workload.calls if one.network.lane is not Lane.SERVICE]
    here = {_source(one) for one in calls if _may_be_in(instance.region, one)}
    there = {doorway.suffix for source in here for doorway in doorways(source)}
    had = {_suffix(one.service) for one in account.endpoints if one.vpc == instance.vpc}
    had |= {_suffix(one.service) for one in account.endpoints if one.id in _home_endpoints(ground)}
    offered = {_suffix(name) for name in account.services} or there
    missing = {one for source in here for one in doorways(source) if one.suffix in offered - had}
    return Used(tuple(sorted(missing)), tuple(sorted(_without(calls, instance.region, offered | had))))


def _rerouted(ground: Ground, instance: Instance, account: Account, used: Used) -> Rerouted:
    """Services that are reached through what is made here, as far as it can be made.

    A service that had its endpoint in the VPC before goes on as it was recorded: who did not take it then, will not.
    """
    made = {one for one in used.missing if (account.route_tables if one.is_gateway else instance.subnet)}
    sources = {_source(one) for one in ground.theft.workload.calls if _may_be_in(instance.region, one)}
    services = (one for one in sources if doorways(one) and made.issuperset(doorways(one)))
    inside = account.neighbours or ()
    outside = set(account.others).difference(inside) if account.neighbours is not None else ()
    return Rerouted(instance.vpc, instance.region, tuple(sorted(services)), inside, tuple(sorted(outside)))


def _without(calls: Iterable[Called], region: str, offered: set[str]) -> set[str]:
    """Services in use that no endpoint leads to, each with why."""
    found = set()
    for one in calls:
        source = _source(one)
        suffixes = {doorway.suffix for doorway in doorways(source)}
        if source in GLOBAL:
            found.add(f"{bounded(source, _SHOWN)} (global)")
        elif not _may_be_in(region, one):
            found.add(f"{bounded(source, _SHOWN)} in {bounded(one.region, _SHOWN)} (another region)")
        elif not suffixes & offered:
            found.add(f"{bounded(source, _SHOWN)} (no endpoint known)")
    return found


def _may_be_in(region: str, called: Called) -> bool:
    """True also where nothing is kept of a call but its time: most are of the region that the workload runs in."""
    return called.region in ("", region)


def _source(called: Called) -> str:
    return called.call.partition(":")[0].partition(".")[0]


def _suffix(service: str) -> str:
    """`ecr.api` of `com.amazonaws.eu-west-1.ecr.api`, and of `cn.com.amazonaws.cn-north-1.ecr.api`."""
    return service.removeprefix("cn.").split(".", 3)[-1]


def _making(ground: Ground, instance: Instance, account: Account, used: Used) -> list[Step]:
    group = f"{ground.name(_OPTION)} {instance.vpc}"
    lookup = Lookup(Sought.SECURITY_GROUP, group)
    needs_group = any(not one.is_gateway for one in used.missing)
    steps = [_group(ground, instance, lookup), _door(ground, lookup)] if needs_group else []
    return steps + [_endpoint(ground, instance, account, one, lookup) for one in used.missing]


def _group(ground: Ground, instance: Instance, group: Lookup) -> Step:
    name = ground.name(_OPTION)
    return step_of(
        f"make security group {name}",
        ground.ec2(
            "CreateSecurityGroup",
            GroupName=name,
            Description="VPC endpoints made by straykey",
            VpcId=instance.vpc,
            TagSpecifications=tagged("security-group", name),
        ),
        ground.ec2("DeleteSecurityGroup", GroupId=group),
    )


def _door(ground: Ground, group: Lookup) -> Step:
    """Anybody who reaches the endpoint may: it has a private address only, and IAM judges what comes through."""
    opened: Value = ({"IpProtocol": "tcp", "FromPort": _TLS, "ToPort": _TLS, "IpRanges": ({"CidrIp": "0.0.0.0/0"},)},)
    return step_of(
        "let HTTPS into the endpoints",
        ground.ec2("AuthorizeSecurityGroupIngress", GroupId=group, IpPermissions=opened),
        ground.ec2("RevokeSecurityGroupIngress", GroupId=group, IpPermissions=opened),
    )


def tagged(resource: str, value: str) -> tuple[dict[str, str | tuple[dict[str, str], ...]], ...]:
    """What tells a thing of ours from others."""
    return ({"ResourceType": resource, "Tags": ({"Key": "straykey", "Value": value},)},)


def _endpoint(ground: Ground, instance: Instance, account: Account, doorway: Doorway, group: Lookup) -> Step:
    mark = f"{ground.name(_OPTION)}-{doorway.suffix}"
    kind = "Gateway" if doorway.is_gateway else "Interface"
    reached = (
        {"RouteTableIds": account.route_tables}
        if doorway.is_gateway
        # One subnet: two in one zone are refused, and this one the instance reaches for certain.
        else {"SubnetIds": (instance.subnet,), "SecurityGroupIds": (group,), "PrivateDnsEnabled": True}
    )
    call = ground.ec2(
        "CreateVpcEndpoint",
        VpcId=instance.vpc,
        ServiceName=_service_name(ground, account, doorway),
        VpcEndpointType=kind,
        TagSpecifications=tagged("vpc-endpoint", mark),
        **reached,
    )
    undo = ground.ec2("DeleteVpcEndpoints", VpcEndpointIds=(Lookup(Sought.ENDPOINT, mark),))
    return step_of(f"make {kind.lower()} endpoint for {doorway.suffix}", call, undo)


def _service_name(ground: Ground, account: Account, doorway: Doorway) -> str:
    """As the region names it: in China some begin with `cn.`."""
    names = sorted(name for name in account.services if _suffix(name) == doorway.suffix)
    return names[0] if names else f"com.amazonaws.{ground.region}.{doorway.suffix}"


def _limits(ground: Ground, homes: list[str]) -> tuple[str, ...]:
    inside = sorted(
        {one.endpoint for one in ground.theft.strays if one.lane is Lane.ENDPOINT and one.endpoint in homes}
    )
    if not inside:
        return ()
    return (
        f"The thief called through the workload's own endpoint ({', '.join(inside[:3])}): there he is not stopped.",
    )


_UNRECORDED = (
    "Endpoints are made for services whose calls CloudTrail recorded. What it does not record here (log lines to "
    "CloudWatch Logs, Session Manager's messages; queues, objects and items where data events are off) is in no "
    "number, and is denied if its service has no endpoint in the VPC."
)


def _notes(account: Account, used: Used) -> tuple[str, ...]:
    said = [_UNRECORDED]
    if used.without:
        said.append(f"No endpoint leads from home to what the workload uses here: {', '.join(used.without)}.")
    if not account.services:
        said.append("Which endpoint services the region has was not read.")
    if any(not one.is_gateway for one in used.missing):
        said.append(
            "From then on the whole VPC reaches these services through the endpoints, in one zone; it needs DNS "
            "support and DNS hostnames switched on, and each endpoint costs money by the hour."
        )
    if any(one.is_gateway for one in used.missing):
        said.append("Connections open to S3 and DynamoDB break once when their route changes.")
    return tuple(said)


def _hindrances(instance: Instance, account: Account, used: Used) -> tuple[Trouble, ...]:
    said = []
    if any(one.is_gateway for one in used.missing) and not account.route_tables:
        said.append(Trouble("The VPC's route tables are not known", "allow ec2:DescribeRouteTables"))
    if any(not one.is_gateway for one in used.missing) and not instance.subnet:
        said.append(Trouble("The instance's subnet is not known", "allow ec2:DescribeInstances"))
    return tuple(said)
