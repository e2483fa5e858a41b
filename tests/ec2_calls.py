"""EC2 calls as CloudTrail records them, flat or wrapped, each with what it tells."""

from typing import Any

import msgspec

from straykey.core.record import Record

JSON = dict[str, Any]
Facts = list[JSON]

ACCOUNT = "111122223333"
I1, I2 = "i-0123456789abcdef0", "i-0fedcba9876543210"
ENI1, ENI2 = "eni-0a1", "eni-0a2"
EIP1, EIP2, EIP3 = "eipalloc-0b1", "eipalloc-0b2", "eipalloc-0b3"
OK = {"requestId": "r-1", "_return": True}


def call(api: str, request: object, response: object, **more: Any) -> Record:
    raw = {
        "eventTime": "2026-05-04T09:00:00Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": api,
        "awsRegion": "eu-west-1",
        "requestParameters": request,
        "responseElements": response,
        "eventID": "e-1",
        "recipientAccountId": ACCOUNT,
    } | more
    return msgspec.json.decode(msgspec.json.encode(raw), type=Record)


def capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def xml(value: object) -> object:
    """An answer as it looks after its conversion from XML: lists of one have collapsed."""
    if isinstance(value, dict):
        if set(value) <= {"items", "item"} and value:
            inner = [xml(one) for one in next(iter(value.values()))]
            return {"item": inner[0] if len(inner) == 1 else inner} if inner else {}
        return {name.removeprefix("_"): xml(one) for name, one in value.items()}
    return value


def numbered(value: object) -> object:
    """A request's list as it looks then: its entries are numbered, and one alone stands without a list."""
    if isinstance(value, dict) and set(value) == {"items"}:
        ids = [next(iter(one.values())) if isinstance(one, dict) else one for one in value["items"]]
        inner = [{"tag": at, "content": one} for at, one in enumerate(ids, 1)]
        return inner[0] if len(inner) == 1 else inner
    return value


def wrapped(api: str, request: JSON, response: JSON) -> Record:
    """A call as CloudTrail writes it for newer APIs."""
    asked = {capital(name): numbered(value) for name, value in request.items()}
    answered = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", **{k: xml(v) for k, v in response.items()}}
    return call(api, {f"{api}Request": asked}, {f"{api}Response": answered})


def listed(*ids: str) -> JSON:
    return {"items": [{"instanceId": one} for one in ids]}


def state(instance: str, code: int, name: str) -> JSON:
    return {
        "instanceId": instance,
        "currentState": {"code": 0, "name": "pending"},
        "previousState": {"code": code, "name": name},
    }


def addressed(*addresses: str) -> JSON:
    return {"item": [{"privateIpAddress": one, "primary": True} for one in addresses]}


def interface(eni: str, *addresses: str, v6: str | None = None) -> JSON:
    return {
        "networkInterfaceId": eni,
        "vpcId": "vpc-0d",
        "privateIpAddress": addresses[0],
        "privateIpAddressesSet": addressed(*addresses),
        "ipv6AddressesSet": {"items": [{"ipv6Address": v6}]} if v6 else {},
    }


def launched(instance: str, *interfaces: JSON, **more: Any) -> JSON:
    return {
        "instanceId": instance,
        "vpcId": "vpc-0d",
        "instanceState": {"code": 0, "name": "pending"},
        "networkInterfaceSet": {"items": list(interfaces)} if interfaces else {},
    } | more


def gateway(*addresses: JSON) -> JSON:
    return {
        "natGateway": {"natGatewayId": "nat-0c", "vpcId": "vpc-0d", "natGatewayAddressSet": {"items": [*addresses]}}
    }


ON_NAT = {"nat": "nat-0c", "vpc": "vpc-0d"}
AT_ENI1 = {"instance": I1, "interface": ENI1, "vpc": "vpc-0d"}

# One call of each kind and what it tells.
CALLS: list[tuple[str, JSON, JSON, Facts]] = [
    (
        "AllocateAddress",
        {"domain": "vpc"},
        {"publicIp": "198.18.0.10", "allocationId": EIP1, "domain": "vpc"},
        [{"address": "198.18.0.10", "allocation": EIP1}],
    ),
    (
        "AssociateAddress",
        {"allocationId": EIP1, "instanceId": I1, "privateIpAddress": "10.0.1.10", "allowReassociation": False},
        OK | {"associationId": "eipassoc-0e"},
        [{"instance": I1, "allocation": EIP1, "association": "eipassoc-0e"}],
    ),
    (
        "AssociateAddress",
        {"publicIp": "198.18.0.10", "networkInterfaceId": ENI1},
        OK | {"associationId": "eipassoc-0e"},
        [{"interface": ENI1, "address": "198.18.0.10", "association": "eipassoc-0e"}],
    ),
    ("DisassociateAddress", {"associationId": "eipassoc-0e"}, OK, [{"association": "eipassoc-0e"}]),
    ("DisassociateAddress", {"publicIp": "198.18.0.10"}, OK, [{"address": "198.18.0.10"}]),
    ("ReleaseAddress", {"allocationId": EIP1, "networkBorderGroup": "eu-west-1"}, OK, [{"allocation": EIP1}]),
    ("ReleaseAddress", {"publicIp": "198.18.0.10"}, OK, [{"address": "198.18.0.10"}]),
    (
        "CreateNetworkInterface",
        {"subnetId": "subnet-0f", "groupSet": {}},
        {"networkInterface": interface(ENI1, "10.0.1.10", "10.0.1.11", v6="2001:db8::10")},
        [
            {"interface": ENI1, "vpc": "vpc-0d", "address": "10.0.1.10"},
            {"interface": ENI1, "vpc": "vpc-0d", "address": "10.0.1.11"},
            {"interface": ENI1, "vpc": "vpc-0d", "address": "2001:db8::10"},
        ],
    ),
    (
        "AttachNetworkInterface",
        {"networkInterfaceId": ENI1, "instanceId": I1, "deviceIndex": 1},
        {"requestId": "r-1", "attachmentId": "eni-attach-0a"},
        [{"instance": I1, "interface": ENI1, "attachment": "eni-attach-0a"}],
    ),
    (
        "DetachNetworkInterface",
        {"attachmentId": "eni-attach-0a", "force": False},
        OK,
        [{"attachment": "eni-attach-0a"}],
    ),
    (
        "AssignPrivateIpAddresses",
        {"networkInterfaceId": ENI1, "privateIpAddressesSet": {"items": [{"privateIpAddress": "10.0.1.12"}]}},
        OK,
        [{"interface": ENI1, "address": "10.0.1.12"}],
    ),
    (
        "AssignIpv6Addresses",
        {"networkInterfaceId": ENI1, "ipv6AddressCount": 2},
        {"networkInterfaceId": ENI1, "assignedIpv6Addresses": {"items": ["2001:db8::11", "2001:db8::12"]}},
        [{"interface": ENI1, "address": "2001:db8::11"}, {"interface": ENI1, "address": "2001:db8::12"}],
    ),
    (
        "AssignIpv6Addresses",
        {"networkInterfaceId": ENI1, "ipv6Addresses": {"items": ["2001:db8::11"]}},
        OK,
        [{"interface": ENI1, "address": "2001:db8::11"}],
    ),
    (
        "RunInstances",
        {"instancesSet": {"items": [{"imageId": "ami-0a", "minCount": 1, "maxCount": 1}]}},
        {"instancesSet": {"items": [launched(I1, interface(ENI1, "10.0.1.10", v6="2001:db8::10"))]}},
        [AT_ENI1 | {"address": "10.0.1.10"}, AT_ENI1 | {"address": "2001:db8::10"}],
    ),
    (
        "RunInstances",
        {"instancesSet": {"items": [{"imageId": "ami-0a", "minCount": 2, "maxCount": 2}]}},
        {
            "instancesSet": {
                "items": [
                    launched(I1, interface(ENI1, "10.0.1.10"), interface(ENI2, "10.0.1.20")),
                    launched(I2),
                ]
            }
        },
        [
            AT_ENI1 | {"address": "10.0.1.10"},
            {"instance": I1, "interface": ENI2, "vpc": "vpc-0d", "address": "10.0.1.20"},
            {"instance": I2, "vpc": "vpc-0d"},
        ],
    ),
    (
        "StartInstances",
        {"instancesSet": listed(I1)},
        {"instancesSet": {"items": [state(I1, 80, "stopped")]}},
        [{"instance": I1, "was_stopped": True}],
    ),
    (
        "StartInstances",
        {"instancesSet": listed(I1, I2)},
        {"instancesSet": {"items": [state(I1, 16, "running"), state(I2, 64, "stopping")]}},
        [{"instance": I1}, {"instance": I2, "was_stopped": True}],
    ),
    (
        "StopInstances",
        {"instancesSet": listed(I1, I2), "force": True},
        {"instancesSet": {"items": [state(I1, 16, "running"), state(I2, 80, "stopped")]}},
        [{"instance": I1}, {"instance": I2}],
    ),
    (
        "TerminateInstances",
        {"instancesSet": listed(I1, I2)},
        {"instancesSet": {"items": [state(I1, 16, "running")]}},
        [{"instance": I1}],
    ),
    ("TerminateInstances", {"instancesSet": listed(I1, I2)}, OK, [{"instance": I1}, {"instance": I2}]),
    ("TerminateInstances", {"instancesSet": listed(I1)}, {"instancesSet": {}}, []),
    (
        "CreateNatGateway",
        {"allocationId": EIP1, "subnetId": "subnet-0f", "connectivityType": "public"},
        gateway({"allocationId": EIP1, "isPrimary": True, "status": "associating"}),
        [ON_NAT | {"allocation": EIP1}],
    ),
    (
        "CreateNatGateway",
        {"allocationId": EIP1, "secondaryAllocationId": {"items": [EIP2, EIP3]}},
        gateway({"allocationId": EIP2, "publicIp": "198.18.0.12"}, {"publicIp": "198.18.0.99"}),
        [
            ON_NAT | {"allocation": EIP2, "address": "198.18.0.12"},
            ON_NAT | {"address": "198.18.0.99"},
            ON_NAT | {"allocation": EIP1},
            ON_NAT | {"allocation": EIP3},
        ],
    ),
    ("CreateNatGateway", {"connectivityType": "private"}, gateway({"privateIp": "10.0.1.9"}), [ON_NAT]),
    ("CreateNatGateway", {"connectivityType": "private"}, gateway(), [ON_NAT]),
    (
        "AssociateNatGatewayAddress",
        {"natGatewayId": "nat-0c", "allocationId": {"items": [EIP1]}},
        OK,
        [{"nat": "nat-0c", "allocation": EIP1}],
    ),
    (
        "AssociateNatGatewayAddress",
        {"natGatewayId": "nat-0c", "allocationId": {"items": [EIP1, EIP2]}},
        {"natGatewayId": "nat-0c", "natGatewayAddressSet": {"items": [{"allocationId": EIP1}, {"allocationId": EIP2}]}},
        [{"nat": "nat-0c", "allocation": EIP1}, {"nat": "nat-0c", "allocation": EIP2}],
    ),
    (
        "CreateVpcEndpoint",
        {"vpcId": "vpc-0d", "serviceName": "com.amazonaws.eu-west-1.s3"},
        {"vpcEndpoint": {"vpcEndpointId": "vpce-0a", "vpcId": "vpc-0d", "networkInterfaceIdSet": {}}},
        [{"endpoint": "vpce-0a", "vpc": "vpc-0d"}],
    ),
]
