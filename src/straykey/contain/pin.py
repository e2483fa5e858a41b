"""A Deny for one workload only, unless it calls from home.

A call is denied exactly if it names an address that is no home, or an endpoint that is none, or neither of both;
services that act for the workload are let through.  Each is a statement of its own: an absent key makes a negated
operator true, so whether the key is there is asked first.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from straykey.contain.ground import Draft, Ground, is_endpoint_id, is_user_id
from straykey.contain.placing import placed
from straykey.contain.plan import Option, Trouble
from straykey.contain.wording import Condition, deny, document_of
from straykey.core.network import LOCKABLE, PUBLIC_LANES, Lane, Network, parse_address
from straykey.formats.text import bounded

_SHOWN = 60
_IP, _PRIVATE_IP, _ENDPOINT = "aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpce"
# EC2 puts into its keys which VPC they were delivered to, and the primary address of the instance there.
_OWN_VPC: Condition = {"StringNotEquals": {"aws:SourceVpc": "${aws:Ec2InstanceSourceVpc}"}}
_OWN_IP: Condition = {"StringNotEquals": {"aws:Ec2InstanceSourcePrivateIPv4": "${aws:VpcSourceIp}"}}
_HERE, _ABSENT = "false", "true"  # what Null asks

_NOT_BY_SERVICE: Condition = {"BoolIfExists": {"aws:ViaAWSService": "false"}}


class Homes(msgspec.Struct, frozen=True):
    """Where calls may come from.

    `within` are all private addresses, `unnamed` those of them for which some log names no endpoint.  `barred` are
    addresses of `within` that the thief had at an endpoint where the workload has not: as another VPC may use them too.
    `own`: the instance's own primary address, through any endpoint of its own VPC, is home too, though no log shows it:
    what is not recorded (data events, as of S3's objects) may take that way and no other.
    """

    public: frozenset[str]
    endpoints: frozenset[str]
    within: frozenset[str]
    unnamed: frozenset[str]
    barred: Mapping[str, frozenset[str]]
    own: bool = False


def pin(ground: Ground) -> Draft:
    """Deny the workload's own keys all but calls from home."""
    homes = homes_of(ground)
    placing = placed(ground, Option.PIN, document_of(*pinned(about_workload(ground), homes)))
    return Draft(
        (placing.deny,),
        placing.steps,
        limits_of(ground, homes),
        (*notes_of(ground, homes), *placing.notes),
        troubles=(*unusable(ground), *placing.troubles),
    )


def pinned(about: Condition, homes: Homes, by: str = "") -> list[dict[str, object]]:
    """The statements; `about` says whose calls, `by` ends their names."""
    said: list[tuple[str, Condition]] = [
        ("OtherAddress", _other_address(homes)),
        ("OtherEndpoint", _other_endpoint(homes)),
        ("OtherPrivateAddress", _other_private_address(homes)),
        ("NoNetwork", _but(_not_in(_PRIVATE_IP, homes.unnamed), _ABSENT, _IP, _ENDPOINT)),
        *((f"Thief{number}", lines) for number, lines in enumerate(_barred(homes), start=1)),
    ]
    return [deny(f"{sid}{by}", joined(_NOT_BY_SERVICE, about, lines)) for sid, lines in said]


def homes_of(ground: Ground) -> Homes:
    """The homes that a policy can name; with the account at hand, also endpoints of its VPC that it has not used.

    Any home endpoint may be used from any private home, as one machine uses them all.
    """
    usable = [one for one in ground.theft.homes if is_usable(one)]
    within = frozenset(one.address for one in usable if one.lane in (Lane.ENDPOINT, Lane.PRIVATE))
    unnamed = frozenset(one.address for one in usable if one.lane is Lane.PRIVATE)
    endpoints = frozenset(one.endpoint for one in usable if one.lane is Lane.ENDPOINT)
    if within:
        endpoints |= _of_vpc(ground)
    strays = _strays(ground)
    barred = {one: strays[one] & (within if one in endpoints else unnamed) for one in sorted(strays)}
    return Homes(
        frozenset(one.address for one in usable if one.lane in PUBLIC_LANES),
        endpoints,
        within,
        unnamed,
        {endpoint: addresses for endpoint, addresses in barred.items() if addresses},
        own=_is_named(ground) and not any(one.lane in (Lane.ENDPOINT, Lane.PRIVATE) for one in ground.theft.strays),
    )


def _is_named(ground: Ground) -> bool:
    """Whether the keys, the stolen ones too, name the instance they were delivered to."""
    theft, workload = ground.theft, ground.theft.workload
    return workload.is_delivered_by_ec2 and theft.thief.is_delivered_by_ec2 and bool(workload.instance)


def is_usable(network: Network) -> bool:
    """Whether a policy can let this network through by naming it."""
    if parse_address(network.address) is None:
        return False
    if network.lane is Lane.ENDPOINT:
        return is_endpoint_id(network.endpoint)
    return network.lane in PUBLIC_LANES or network.lane is Lane.PRIVATE


def _of_vpc(ground: Ground) -> frozenset[str]:
    vpc = ground.instance.vpc if ground.instance else ""
    if ground.account is None or not vpc:
        return frozenset()
    return frozenset(one.id for one in ground.account.endpoints if one.vpc == vpc and is_endpoint_id(one.id))


def _strays(ground: Ground) -> Mapping[str, frozenset[str]]:
    """The private addresses the thief had, by endpoint."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in ground.theft.strays:
        if one.lane is Lane.ENDPOINT and is_usable(one):
            found[one.endpoint].add(one.address)
    return {endpoint: frozenset(addresses) for endpoint, addresses in found.items()}


def about_workload(ground: Ground) -> Condition:
    """Whose calls: an instance's by the key that EC2 puts into its sessions, else a session's by its name.

    The policy is on one role, so any session of that name is the one meant; its id is named where it is known.
    """
    theft, workload = ground.theft, ground.theft.workload
    # A thief who got himself a key under the instance's name has one that does not name the instance.
    if _is_named(ground):
        # Of any region: ids are unique, and where the logs name no region it is a guess.
        arn = f"arn:{theft.partition}:ec2:*:{workload.account}:instance/{workload.instance}"
        return {"ArnLike": {"ec2:SourceInstanceARN": arn}}
    return whose([user_id(ground)])


def user_id(ground: Ground) -> str:
    """`aws:userid` of the workload's session; `*` stands for a role's id that nobody knows."""
    said = ground.theft.workload.user_id
    if is_user_id(said) and said.endswith(f":{ground.session}"):
        return said
    return f"{ground.role.id if ground.role else '*'}:{ground.session}"


def whose(users: list[str]) -> Condition:
    """The lines that match any of these `aws:userid`; `*` is any text."""
    said = users[0] if len(users) == 1 else users
    return {"StringLike" if any("*" in user for user in users) else "StringEquals": {"aws:userid": said}}


def _other_address(homes: Homes) -> Condition:
    # Private addresses too: a service inside the VPC may see one here, and no stranger can have it.
    return _but(_not_in(_IP, homes.public | homes.unnamed), _HERE, _IP)


def _other_endpoint(homes: Homes) -> Condition:
    others: Condition = {"StringNotEquals": {_ENDPOINT: sorted(homes.endpoints)}} if homes.endpoints else {}
    return _but(joined(others, _OWN_VPC if homes.own else {}, _not_in(_PRIVATE_IP, homes.unnamed)), _HERE, _ENDPOINT)


def _other_private_address(homes: Homes) -> Condition:
    return _but(joined(_not_in(_PRIVATE_IP, homes.within), _OWN_IP if homes.own else {}), _HERE, _PRIVATE_IP)


def _barred(homes: Homes) -> list[Condition]:
    return [
        {"StringEquals": {_ENDPOINT: endpoint}, "IpAddress": {_PRIVATE_IP: ranges_of(addresses)}}
        for endpoint, addresses in homes.barred.items()
    ]


def _not_in(key: str, addresses: frozenset[str]) -> Condition:
    """Any other address; without one to name the line is left out, and the rest decides."""
    return {"NotIpAddress": {key: ranges_of(addresses)}} if addresses else {}


def _but(lines: Condition, there: str, *keys: str) -> Condition:
    """The same, where these keys are there, or absent."""
    return joined(lines, {"Null": dict.fromkeys(keys, there)})


def ranges_of(addresses: Iterable[str]) -> list[str]:
    """The fewest ranges that hold exactly these addresses."""
    found = [parsed for parsed in map(parse_address, addresses) if parsed is not None]
    v4 = [ipaddress.IPv4Network(one) for one in found if isinstance(one, ipaddress.IPv4Address)]
    v6 = [ipaddress.IPv6Network(one) for one in found if isinstance(one, ipaddress.IPv6Address)]
    return [*map(str, ipaddress.collapse_addresses(v4)), *map(str, ipaddress.collapse_addresses(v6))]


def joined(*lines: Condition) -> Condition:
    """All of them, operator by operator."""
    operators = sorted({operator for one in lines for operator in one})
    return {
        operator: {key: said for one in lines for key, said in one.get(operator, {}).items()} for operator in operators
    }


def unusable(ground: Ground) -> tuple[Trouble, ...]:
    """Homes that no policy can name."""
    named = [one for one in ground.theft.homes if one.lane in LOCKABLE and not is_usable(one)]
    if not named:
        return ()
    shown = ", ".join(bounded(f"{one.address} {one.endpoint}".strip(), _SHOWN) for one in named[:3])
    text = f"{len(named)} of the workload's homes cannot be named in a policy, so it would be locked out there: {shown}"
    return (Trouble(text, "use another option"),)


def limits_of(ground: Ground, homes: Homes) -> tuple[str, ...]:
    """What of this theft a pin does not stop."""
    hidden = [one for one in ground.theft.strays if one.lane in (Lane.SERVICE, Lane.OTHER)]
    alike = [one.address for one in ground.theft.strays if one.lane is Lane.PRIVATE and one.address in homes.within]
    said = []
    if homes.unnamed:
        shown = ", ".join(sorted(homes.unnamed)[:3])
        said.append(
            f"For some private addresses of the workload ({shown}) no log names the endpoint, so any may be used from "
            "them but those the thief has used: one who gives a machine of his own such an address passes."
        )
    if hidden:
        said.append("Some of the thief's calls name no address, such as those a service made for him: they may pass.")
    if alike:
        shown = ", ".join(sorted(alike)[:3])
        said.append(f"The thief too called from a private address the workload has ({shown}): he may pass.")
    return tuple(said)


def notes_of(ground: Ground, homes: Homes) -> tuple[str, ...]:
    """What must be known of this pin."""
    workload = ground.theft.workload
    said = []
    if not homes.public and not homes.within:
        said.append("No home of the workload is known: it is denied everything, like the thief.")
    if any(one.lane is Lane.OTHER for one in ground.theft.homes):
        said.append("Some calls of the workload name no readable address; such calls may be denied.")
    if not homes.own:
        said.append(
            "Calls through VPC endpoints that no log shows are denied: where data events are off, as for objects of S3 "
            "behind a gateway endpoint, or messages of SQS, look first which endpoints the workload's VPC has."
        )
    if not workload.is_delivered_by_ec2:
        said.append("The keys do not name an instance, so the session is known by its name, in `aws:userid`.")
    if not workload.instance:
        said.append(
            "The workload runs on no instance of yours. Where it has no VPC, as many a Lambda function, its address "
            "changes at any time, and then it is locked out."
        )
    return tuple(said)
