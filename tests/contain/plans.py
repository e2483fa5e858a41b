"""Plans written by hand in the shapes of AWS's own examples, to try rehearsals on."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping

from straykey.contain.plan import Deny, Option, Plan
from straykey.contain.theft import Theft
from straykey.core.network import PUBLIC_LANES, Lane

Condition = Mapping[str, Mapping[str, object]]
NOT_BY_SERVICE: Condition = {"BoolIfExists": {"aws:ViaAWSService": "false"}}


def document(*conditions: Condition) -> str:
    """A Deny of everything under each of these conditions."""
    statements = [
        {"Effect": "Deny", "Action": "*", "Resource": "*"} | ({"Condition": one} if one else {}) for one in conditions
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def plan(theft: Theft, option: Option, *conditions: Condition, **changes: str) -> Plan:
    """One policy on the role whose keys were stolen."""
    return Plan(option, (deny(theft, document(*conditions), **changes),) if conditions else (), (), ())


def deny(theft: Theft, text: str, account: str = "", role: str = "") -> Deny:
    robbed = theft.workload
    return Deny(text, account or robbed.account, role or robbed.role, "straykey-test")


def deny_all(theft: Theft, at: str) -> Plan:
    return plan(theft, Option.DENY_ALL, {})


def revoke(theft: Theft, at: str) -> Plan:
    return plan(theft, Option.REVOKE, {"DateLessThan": {"aws:TokenIssueTime": at}})


def swap_role(theft: Theft, at: str) -> Plan:
    return plan(theft, Option.SWAP_ROLE, {})


def vpc_endpoint(theft: Theft, at: str) -> Plan:
    homes = sorted({home.endpoint for home in theft.homes} - {""})
    unless = {"StringNotEquals": {"aws:SourceVpce": homes}} if homes else {}
    return plan(theft, Option.VPC_ENDPOINT, merged(unless, NOT_BY_SERVICE))


def pin(theft: Theft, at: str) -> Plan:
    return plan(theft, Option.PIN, *pinned(theft))


def pin_everywhere(theft: Theft, at: str) -> Plan:
    """The pin; and sessions the thief made in other roles are denied by name."""
    made = plan(theft, Option.PIN_EVERYWHERE, *pinned(theft))
    more = tuple(
        deny(
            theft,
            document({"StringLike": {"aws:userid": f"AROA*:{heir.arn.split('/', 2)[2]}"}}),
            heir.account,
            heir.role,
        )
        for heir in theft.heirs
        if heir.role
    )
    return Plan(Option.PIN_EVERYWHERE, made.denies + more, (), ())


def nothing(option: Option) -> Callable[[Theft, str], Plan]:
    return lambda theft, at: plan(theft, option)


PLANS: Mapping[Option, Callable[[Theft, str], Plan]] = {
    Option.PIN: pin,
    Option.PIN_EVERYWHERE: pin_everywhere,
    Option.VPC_ENDPOINT: vpc_endpoint,
    Option.REVOKE: revoke,
    Option.SWAP_ROLE: swap_role,
    Option.DENY_ALL: deny_all,
    Option.ISOLATE: nothing(Option.ISOLATE),
    Option.IMDSV2: nothing(Option.IMDSV2),
    Option.STOP: nothing(Option.STOP),
}


def pinned(theft: Theft) -> list[Condition]:
    """Denied are: a strange public address, a strange endpoint, a strange address at one of ours, and neither."""
    public = [cidr(home.address) for home in theft.homes if home.lane in PUBLIC_LANES]
    hosts: dict[str, list[str]] = defaultdict(list)
    for home in theft.homes:
        if home.lane is Lane.ENDPOINT:
            hosts[home.endpoint].append(cidr(home.address))
    strange_hosts: list[Condition] = [
        {"StringEquals": {"aws:SourceVpce": endpoint}, "NotIpAddress": {"aws:VpcSourceIp": there}}
        for endpoint, there in hosts.items()
    ]
    strange: list[Condition] = [
        {"Null": {"aws:SourceIp": "false"}} | ({"NotIpAddress": {"aws:SourceIp": public}} if public else {}),
        {"Null": {"aws:SourceIp": "true", "aws:SourceVpce": "true"}},
        {"Null": {"aws:SourceVpce": "false"}} | ({"StringNotEquals": {"aws:SourceVpce": [*hosts]}} if hosts else {}),
        *strange_hosts,
    ]
    return [merged(one, NOT_BY_SERVICE, only_this(theft)) for one in strange]


def only_this(theft: Theft) -> Condition:
    robbed = theft.workload
    if not robbed.is_delivered_by_ec2:
        return {"StringEquals": {"aws:userid": robbed.user_id}}
    arn = f"arn:{theft.partition}:ec2:{robbed.region}:{robbed.account}:instance/{robbed.instance}"
    return {"ArnEquals": {"ec2:SourceInstanceARN": arn}}


def merged(*conditions: Condition) -> Condition:
    """All of them in one block; keys of one operator side by side."""
    found: dict[str, dict[str, object]] = defaultdict(dict)
    for one in conditions:
        for operator, keys in one.items():
            found[operator] |= keys
    return found


def cidr(address: str) -> str:
    return f"{address}/128" if ":" in address else address
