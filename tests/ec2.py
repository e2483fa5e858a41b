"""Raw records of EC2's own calls about addresses and instances, flat or wrapped as CloudTrail writes them.

A service made them all, so that they are no use of any session.  Equal arguments give equal records, ids included.
"""

import uuid
from typing import Any

from tests.records import RawRecord

I1, I2 = "i-0123456789abcdef0", "i-0fedcba9876543210"
EIP, OTHER_EIP = "eipalloc-0b1", "eipalloc-0b2"
ASSOCIATION = "eipassoc-0e1"
ENI, OTHER_ENI = "eni-0a1", "eni-0a2"
ATTACHMENT = "eni-attach-0c1"
NAT = "nat-0c1"
VPC, OTHER_VPC = "vpc-0d1", "vpc-0d2"
SUBNET = "subnet-0f1"

_IDS = uuid.UUID("6f1c3a52-0000-4000-8000-00000000ec20")
_OK = {"requestId": "r-1", "_return": True}
_Fields = dict[str, Any]


def ec2_record(
    api: str,
    request: _Fields,
    response: _Fields,
    *,
    time: str = "2026-05-04T09:00:00Z",
    account: str = "111122223333",
    region: str = "eu-west-1",
    error: str | None = None,
    event_id: str | None = None,
    is_wrapped: bool = False,
    **more: Any,
) -> RawRecord:
    """One call; with `error` it failed, and has no answer."""
    asked, answered = _wrapped(api, request, response) if is_wrapped else (request, response)
    arguments = (api, request, response, time, account, region, error, is_wrapped)
    record: RawRecord = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"},
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": api,
        "awsRegion": region,
        "sourceIPAddress": "autoscaling.amazonaws.com",
        "userAgent": "autoscaling.amazonaws.com",
        "requestParameters": asked,
        "responseElements": None if error else answered,
        "eventID": event_id or str(uuid.uuid5(_IDS, repr(arguments))),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    return record | ({"errorCode": error} if error else {}) | more


def allocate(*, address: str = "198.18.0.50", allocation: str = EIP, **more: Any) -> RawRecord:
    answer = {"publicIp": address, "allocationId": allocation, "domain": "vpc"}
    return ec2_record("AllocateAddress", {"domain": "vpc"}, answer, **more)


def associate(
    *,
    instance: str | None = I1,
    interface: str | None = None,
    address: str | None = None,
    allocation: str | None = None,
    association: str = ASSOCIATION,
    **more: Any,
) -> RawRecord:
    """By the allocation, or by the address; with an interface, to that and to no instance."""
    if address is None and allocation is None:
        allocation = EIP
    request = _told(
        allocationId=allocation,
        publicIp=address,
        instanceId=None if interface else instance,
        networkInterfaceId=interface,
    )
    return ec2_record("AssociateAddress", request, _OK | {"associationId": association}, **more)


def disassociate(*, association: str = ASSOCIATION, address: str | None = None, **more: Any) -> RawRecord:
    request = {"publicIp": address} if address else {"associationId": association}
    return ec2_record("DisassociateAddress", request, _OK, **more)


def release(*, allocation: str = EIP, address: str | None = None, **more: Any) -> RawRecord:
    request = {"publicIp": address} if address else {"allocationId": allocation}
    return ec2_record("ReleaseAddress", request, _OK, **more)


def create_interface(
    *, interface: str = ENI, addresses: tuple[str, ...] = ("10.0.1.50",), vpc: str = VPC, **more: Any
) -> RawRecord:
    answer = {"networkInterface": _interface(interface, addresses, vpc)}
    return ec2_record("CreateNetworkInterface", {"subnetId": SUBNET, "groupSet": {}}, answer, **more)


def attach(*, instance: str = I1, interface: str = ENI, attachment: str = ATTACHMENT, **more: Any) -> RawRecord:
    request = {"networkInterfaceId": interface, "instanceId": instance, "deviceIndex": 1}
    return ec2_record("AttachNetworkInterface", request, {"requestId": "r-1", "attachmentId": attachment}, **more)


def detach(*, attachment: str = ATTACHMENT, **more: Any) -> RawRecord:
    return ec2_record("DetachNetworkInterface", {"attachmentId": attachment, "force": False}, _OK, **more)


def assign_private(*, interface: str = ENI, address: str = "10.0.1.60", **more: Any) -> RawRecord:
    request = {"networkInterfaceId": interface, "secondaryPrivateIpAddressCount": 1}
    listed = {"assignedPrivateIpAddressSetType": [{"privateIpAddress": address}]}
    answer = _OK | {"networkInterfaceId": interface, "assignedPrivateIpAddressesSet": listed}
    return ec2_record("AssignPrivateIpAddresses", request, answer, **more)


def assign_ipv6(*, interface: str = ENI, address: str = "2001:db8:1000::60", **more: Any) -> RawRecord:
    request = {"networkInterfaceId": interface, "ipv6AddressCount": 1}
    answer = {"networkInterfaceId": interface, "assignedIpv6Addresses": {"items": [address]}}
    return ec2_record("AssignIpv6Addresses", request, answer, **more)


def launch(
    *,
    instance: str = I1,
    interface: str = ENI,
    addresses: tuple[str, ...] = ("10.0.1.10",),
    vpc: str = VPC,
    time: str = "2026-05-04T08:00:00Z",
    **more: Any,
) -> RawRecord:
    launched = {
        "instanceId": instance,
        "vpcId": vpc,
        "subnetId": SUBNET,
        "instanceState": {"code": 0, "name": "pending"},
        "privateIpAddress": addresses[0],
        "networkInterfaceSet": {"items": [_interface(interface, addresses, vpc)]},
    }
    request = {"instancesSet": {"items": [{"imageId": "ami-0a1", "minCount": 1, "maxCount": 1}]}}
    return ec2_record("RunInstances", request, {"instancesSet": {"items": [launched]}}, time=time, **more)


def start(*, instance: str = I1, before: str = "stopped", **more: Any) -> RawRecord:
    """`before`: the state the instance was in."""
    return _changed("StartInstances", instance, before, "pending", **more)


def stop(*, instance: str = I1, **more: Any) -> RawRecord:
    return _changed("StopInstances", instance, "running", "stopping", **more)


def terminate(*, instance: str = I1, **more: Any) -> RawRecord:
    return _changed("TerminateInstances", instance, "running", "shutting-down", **more)


def create_nat(*, nat: str = NAT, allocation: str = EIP, vpc: str = VPC, **more: Any) -> RawRecord:
    """Wrapped unless told otherwise, as CloudTrail writes it; it never tells the public address."""
    gateway = {
        "natGatewayId": nat,
        "vpcId": vpc,
        "subnetId": SUBNET,
        "state": "pending",
        "natGatewayAddressSet": {"items": [{"allocationId": allocation, "isPrimary": True, "status": "associating"}]},
    }
    request = {"allocationId": allocation, "subnetId": SUBNET, "connectivityType": "public"}
    return ec2_record("CreateNatGateway", request, {"natGateway": gateway}, **{"is_wrapped": True, **more})


def associate_nat_address(*, nat: str = NAT, allocation: str = EIP, **more: Any) -> RawRecord:
    request = {"natGatewayId": nat, "allocationId": {"items": [allocation]}}
    answer = {"natGatewayId": nat, "natGatewayAddressSet": {"items": [{"allocationId": allocation}]}}
    return ec2_record("AssociateNatGatewayAddress", request, answer, **{"is_wrapped": True, **more})


def create_endpoint(*, endpoint: str = "vpce-0aaaabbbbccccdddd", vpc: str = VPC, **more: Any) -> RawRecord:
    request = {"vpcId": vpc, "serviceName": "com.amazonaws.eu-west-1.s3", "vpcEndpointType": "Interface"}
    answer = {"vpcEndpoint": {"vpcEndpointId": endpoint, "vpcId": vpc, "state": "pending"}}
    return ec2_record("CreateVpcEndpoint", request, answer, **{"is_wrapped": True, **more})


def _interface(interface: str, addresses: tuple[str, ...], vpc: str) -> _Fields:
    v4 = [one for one in addresses if ":" not in one]
    v6 = [{"ipv6Address": one} for one in addresses if ":" in one]
    return {
        "networkInterfaceId": interface,
        "vpcId": vpc,
        "subnetId": SUBNET,
        "privateIpAddress": v4[0],
        "privateIpAddressesSet": {"item": [{"privateIpAddress": one, "primary": one == v4[0]} for one in v4]},
        "ipv6AddressesSet": {"items": v6} if v6 else {},
    }


def _changed(api: str, instance: str, before: str, after: str, **more: Any) -> RawRecord:
    codes = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
    states = {
        "instanceId": instance,
        "currentState": {"code": codes[after], "name": after},
        "previousState": {"code": codes[before], "name": before},
    }
    asked = {"instancesSet": {"items": [{"instanceId": instance}]}}
    return ec2_record(api, asked, {"instancesSet": {"items": [states]}}, **more)


def _told(**fields: str | None) -> _Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _wrapped(api: str, request: _Fields, response: _Fields) -> tuple[_Fields, _Fields]:
    """A call as CloudTrail writes it for newer APIs, after a conversion from XML."""
    asked = {name[:1].upper() + name[1:]: _numbered(value) for name, value in request.items()}
    answered = {"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15/", **{k: _xml(v) for k, v in response.items()}}
    return {f"{api}Request": asked}, {f"{api}Response": answered}


def _numbered(value: object) -> object:
    """A request's list: its entries are numbered, and one alone stands without a list."""
    if not (isinstance(value, dict) and set(value) == {"items"}):
        return value
    numbered = [{"tag": at, "content": one} for at, one in enumerate(value["items"], 1)]
    return numbered[0] if len(numbered) == 1 else numbered


def _xml(value: object) -> object:
    """An answer: lists of one have collapsed."""
    if not isinstance(value, dict):
        return value
    if value and set(value) <= {"items", "item"}:
        inner = [_xml(one) for one in next(iter(value.values()))]
        return {"item": inner[0] if len(inner) == 1 else inner}
    return {name: _xml(one) for name, one in value.items()}
