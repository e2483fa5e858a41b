"""The EC2 records that give an instance, or a VPC, an address.

Where it is not known which of its two encodings EC2 uses for a call, half of the records have the one and half the
other.
"""

from datetime import datetime
from random import Random
from typing import Any

from straykey.sim import identifier, launch
from straykey.sim.company import Instance, Vpc
from straykey.sim.launch import XMLNS, Builder
from straykey.sim.record import Body, Document

_STATES = {"running": 16, "stopped": 80, "pending": 0, "stopping": 64, "shutting-down": 32}


def allocate(builder: Builder, at: datetime, vpc: Vpc, address: str) -> tuple[str, Document]:
    """AllocateAddress, and the allocation it made."""
    allocation = identifier.resource_id(builder.rng, "eipalloc")
    return allocation, launch.allocated(builder, at, vpc, address, allocation)


def associate(builder: Builder, at: datetime, vpc: Vpc, target: dict[str, str]) -> Document:
    """AssociateAddress of an `allocationId` or `publicIp` to an `instanceId` or `networkInterfaceId`."""
    association = identifier.resource_id(builder.rng, "eipassoc")
    body = _either(builder.rng, "AssociateAddress", target, {"associationId": association})
    return builder.record(at, vpc, "AssociateAddress", body)


def start(builder: Builder, at: datetime, instance: Instance) -> Document:
    return _switched(builder, at, instance, "StartInstances", ("stopped", "pending"))


def stop(builder: Builder, at: datetime, instance: Instance) -> Document:
    return _switched(builder, at, instance, "StopInstances", ("running", "stopping"))


def terminate(builder: Builder, at: datetime, instance: Instance) -> Document:
    return _switched(builder, at, instance, "TerminateInstances", ("running", "shutting-down"))


def create_interface(builder: Builder, at: datetime, vpc: Vpc, address: str) -> tuple[str, Document]:
    """CreateNetworkInterface, and the interface it made."""
    interface = identifier.resource_id(builder.rng, "eni")
    made = {
        "networkInterfaceId": interface,
        "subnetId": vpc.subnet,
        "vpcId": vpc.id,
        "availabilityZone": f"{vpc.region}a",
        "ownerId": vpc.account,
        "requesterManaged": False,
        "status": "pending",
        "privateIpAddress": address,
        "privateIpAddressesSet": {"item": [{"privateIpAddress": address, "primary": True}]},
        "ipv6AddressesSet": {},
    }
    body = _flat(builder.rng, {"subnetId": vpc.subnet, "groupSet": {}}, {"networkInterface": made})
    return interface, builder.record(at, vpc, "CreateNetworkInterface", body)


def attach_interface(builder: Builder, at: datetime, instance: Instance, interface: str) -> Document:
    request = {"networkInterfaceId": interface, "instanceId": instance.id, "deviceIndex": 1}
    body = _flat(builder.rng, request, {"attachmentId": identifier.resource_id(builder.rng, "eni-attach")})
    return builder.record(at, instance.vpc, "AttachNetworkInterface", body)


def assign_private(builder: Builder, at: datetime, vpc: Vpc, interface: str, address: str) -> Document:
    """AssignPrivateIpAddresses; flat, its list of one has a name that no other list has."""
    rng, name = builder.rng, "AssignPrivateIpAddresses"
    request, given = (
        {"networkInterfaceId": interface, "secondaryPrivateIpAddressCount": 1},
        {"privateIpAddress": address},
    )
    if builder.rng.random() < 0.5:
        held = {"networkInterfaceId": interface, "assignedPrivateIpAddressesSet": {"item": given}}
        return builder.record(at, vpc, name, _wrapped(rng, name, request, held))
    held = {
        "networkInterfaceId": interface,
        "assignedPrivateIpAddressesSet": {"assignedPrivateIpAddressSetType": [given]},
    }
    return builder.record(at, vpc, name, _flat(rng, request, {**held, "_return": True}))


def assign_v6(builder: Builder, at: datetime, vpc: Vpc, interface: str, address: str) -> Document:
    rng, name, request = builder.rng, "AssignIpv6Addresses", {"networkInterfaceId": interface, "ipv6AddressCount": 1}
    held: Document = {"networkInterfaceId": interface, "assignedIpv6Addresses": {"item": address}}
    if rng.random() < 0.5:
        return builder.record(at, vpc, name, _wrapped(rng, name, request, held))
    held["assignedIpv6Addresses"] = {"item": [address]}
    return builder.record(at, vpc, name, _flat(rng, request, held))


def create_nat(builder: Builder, at: datetime, vpc: Vpc, allocation: str) -> tuple[str, Document]:
    """CreateNatGateway, and the gateway it made."""
    gateway = identifier.resource_id(builder.rng, "nat")
    body = launch.nat_gateway_body(builder.rng, at, vpc, allocation, gateway)
    return gateway, builder.record(at, vpc, "CreateNatGateway", body)


def replace_route(builder: Builder, at: datetime, vpc: Vpc, gateway: str) -> Document:
    table = identifier.resource_id(builder.rng, "rtb")
    request = {"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": gateway}
    return builder.record(at, vpc, "ReplaceRoute", _flat(builder.rng, request, {"_return": True}))


def add_nat_address(builder: Builder, at: datetime, vpc: Vpc, gateway: str, allocation: str) -> Document:
    """AssociateNatGatewayAddress: the gateway keeps the addresses it has."""
    request = {"natGatewayId": gateway, "allocationId": {"tag": 1, "content": allocation}}
    address = {"allocationId": allocation, "isPrimary": False, "status": "associating"}
    response = {"natGatewayId": gateway, "natGatewayAddressSet": {"item": address}}
    name = "AssociateNatGatewayAddress"
    return builder.record(at, vpc, name, _wrapped(builder.rng, name, request, response))


def create_endpoint(builder: Builder, at: datetime, vpc: Vpc, service: str) -> Document:
    """CreateVpcEndpoint, of the endpoint the VPC has for `service`."""
    name, service_name = "CreateVpcEndpoint", f"com.amazonaws.{vpc.region}.{service}"
    kind = "Gateway" if service in ("s3", "dynamodb") else "Interface"
    made = {
        "vpcEndpointId": vpc.endpoints[service],
        "vpcEndpointType": kind,
        "vpcId": vpc.id,
        "serviceName": service_name,
        "state": "available",
        "ownerId": vpc.account,
        "creationTimestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    }
    request = {"vpcId": vpc.id, "serviceName": service_name, "vpcEndpointType": kind}
    return builder.record(at, vpc, name, _wrapped(builder.rng, name, request, {"vpcEndpoint": made}))


def _switched(builder: Builder, at: datetime, instance: Instance, name: str, states: tuple[str, str]) -> Document:
    before, after = ({"code": _STATES[state], "name": state} for state in states)
    one = {"instanceId": instance.id}
    switched = {"items": [{**one, "currentState": after, "previousState": before}]}
    request_id = instance.launch_request if name == "StartInstances" else ""
    body = _flat(builder.rng, {"instancesSet": {"items": [one]}}, {"instancesSet": switched}, request_id)
    return builder.record(at, instance.vpc, name, body)


def _either(rng: Random, name: str, request: Document, response: Document) -> Body:
    if rng.random() < 0.5:
        return _wrapped(rng, name, request, {"return": True, **response})
    return _flat(rng, request, {"_return": True, **response})


def _flat(rng: Random, request: Document, response: Document, request_id: str = "") -> Body:
    request_id = request_id or identifier.guid(rng)
    return Body(request, {"requestId": request_id, **response}, request_id=request_id)


def _wrapped(rng: Random, name: str, request: Document, response: Document) -> Body:
    request_id = identifier.guid(rng)
    asked: dict[str, Any] = {key[0].upper() + key[1:]: value for key, value in request.items()}
    given = {"xmlns": XMLNS, "requestId": request_id, **response}
    return Body({f"{name}Request": asked}, {f"{name}Response": given}, request_id=request_id)
