"""How the company builds: NAT gateways, launches, elastic addresses.

Each record comes before the first call it makes possible, and names the address it gives in
the way the real one does: often only through an allocation id.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier, identity
from straykey.sim.address import Network
from straykey.sim.company import Company, Instance, Vpc
from straykey.sim.record import Body, Call, Document, Scene, Sender, always, written

_AGENT = (
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.44.0 "
    "(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.1 os/linux lang/go#1.21.8"
)
_NAT_SECONDS = 60  # after the start of the window
XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"


@dataclass(frozen=True, slots=True)
class Builder:
    """The pipeline's user, who builds from the company's own premises."""

    rng: Random
    network: Network
    access_key: str

    def record(self, at: datetime, vpc: Vpc, name: str, body: Body) -> Document:
        who = identity.user(vpc.account, "terraform", self.access_key)
        call = Call("ec2", name, always(body), read_only=False)
        scene = Scene(vpc.account, vpc.region)
        return written(self.rng, at, Sender(who, self.network, _AGENT), call, scene)


def built(rng: Random, company: Company) -> Iterator[Document]:
    """All that was built inside the window."""
    key = f"AKIAEXAMPLE{identifier.base32(rng, 9)}"
    builder = Builder(rng, Network(company.premises), key)
    used = {instance.vpc.id for instance in company.instances}
    for vpc in company.vpcs:
        if vpc.is_new and vpc.id in used:
            yield from _nat_gateway(builder, company.window.start + timedelta(seconds=_NAT_SECONDS), vpc)
    for instance in company.instances:
        if instance.launched >= company.window.start:
            yield launched(builder, instance)
            if instance.has_elastic_ip:
                yield from _elastic_address(builder, instance)


def _nat_gateway(builder: Builder, at: datetime, vpc: Vpc) -> Iterator[Document]:
    allocation = identifier.resource_id(builder.rng, "eipalloc")
    gateway = identifier.resource_id(builder.rng, "nat")
    yield allocated(builder, at, vpc, str(vpc.nat_address), allocation)
    later = at + timedelta(seconds=4)
    yield builder.record(later, vpc, "CreateNatGateway", nat_gateway_body(builder.rng, later, vpc, allocation, gateway))
    route = {"routeTableId": identifier.resource_id(builder.rng, "rtb"), "destinationCidrBlock": "0.0.0.0/0"}
    done = {"requestId": identifier.guid(builder.rng), "_return": True}
    body = Body({**route, "natGatewayId": gateway}, done, request_id=str(done["requestId"]))
    yield builder.record(later + timedelta(seconds=75), vpc, "CreateRoute", body)


def nat_gateway_body(rng: Random, at: datetime, vpc: Vpc, allocation: str, gateway: str) -> Body:
    """CreateNatGateway, which names its address through the allocation only."""
    request_id = identifier.guid(rng)
    request = {
        "AllocationId": allocation,
        "SubnetId": vpc.subnet,
        "ConnectivityType": "public",
        "ClientToken": f"terraform-{identifier.hexadecimal(rng, 26)}",
    }
    created = {
        "natGatewayId": gateway,
        "vpcId": vpc.id,
        "subnetId": vpc.subnet,
        "state": "pending",
        "connectivityType": "public",
        "createTime": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "natGatewayAddressSet": {"item": {"allocationId": allocation, "isPrimary": True, "status": "associating"}},
    }
    response = {"xmlns": XMLNS, "requestId": request_id, "natGateway": created}
    return Body({"CreateNatGatewayRequest": request}, {"CreateNatGatewayResponse": response}, request_id=request_id)


def allocated(builder: Builder, at: datetime, vpc: Vpc, address: str, allocation: str) -> Document:
    request_id = identifier.guid(builder.rng)
    response = {
        "requestId": request_id,
        "publicIp": address,
        "domain": "vpc",
        "allocationId": allocation,
        "publicIpv4Pool": "amazon",
        "networkBorderGroup": vpc.region,
    }
    body = Body({"domain": "vpc"}, response, request_id=request_id)
    return builder.record(at, vpc, "AllocateAddress", body)


def _elastic_address(builder: Builder, instance: Instance) -> Iterator[Document]:
    allocation = identifier.resource_id(builder.rng, "eipalloc")
    at = instance.launched + timedelta(seconds=10)
    yield allocated(builder, at, instance.vpc, str(instance.public_address), allocation)
    request_id = identifier.guid(builder.rng)
    request = {"allocationId": allocation, "instanceId": instance.id, "allowReassociation": False}
    association = identifier.resource_id(builder.rng, "eipassoc")
    response = {"requestId": request_id, "_return": True, "associationId": association}
    body = Body(request, response, request_id=request_id)
    yield builder.record(at + timedelta(seconds=5), instance.vpc, "AssociateAddress", body)


def launched(builder: Builder, instance: Instance, interface: str = "") -> Document:
    """RunInstances; it names the instance's interface, but no public address."""
    rng, image = builder.rng, identifier.resource_id(builder.rng, "ami")
    interface = interface or identifier.resource_id(rng, "eni")
    profile = instance.role.name.replace("-role", "-profile")
    tokens = "required" if instance.is_token_required else "optional"
    request = {
        "instancesSet": {"items": [{"imageId": image, "minCount": 1, "maxCount": 1}]},
        "instanceType": "m6i.large",
        "iamInstanceProfile": {"name": profile},
        "networkInterfaceSet": {"items": [{"deviceIndex": 0, "subnetId": instance.vpc.subnet}]},
        "metadataOptions": {"httpTokens": tokens, "httpEndpoint": "enabled"},
        "blockDeviceMapping": {},
        "disableApiTermination": False,
        "clientToken": f"terraform-{identifier.hexadecimal(rng, 26)}",
    }
    started = {
        "instanceId": instance.id,
        "imageId": image,
        "instanceState": {"code": 0, "name": "pending"},
        "instanceType": "m6i.large",
        "launchTime": int(instance.launched.timestamp()) * 1000,
        "vpcId": instance.vpc.id,
        "subnetId": instance.vpc.subnet,
        "privateIpAddress": instance.private_address,
        "iamInstanceProfile": _profile(rng, instance.vpc.account, profile),
        "networkInterfaceSet": {"items": [_interface(instance, interface)]},
        "metadataOptions": _metadata_options(tokens),
    }
    response = {
        "requestId": instance.launch_request,
        "reservationId": identifier.resource_id(rng, "r"),
        "ownerId": instance.vpc.account,
        "groupSet": {},
        "instancesSet": {"items": [started]},
    }
    body = Body(request, response, request_id=instance.launch_request)
    return builder.record(instance.launched, instance.vpc, "RunInstances", body)


def _profile(rng: Random, account: str, name: str) -> Document:
    profile = f"arn:aws:iam::{account}:instance-profile/{name}"
    return {"arn": profile, "id": f"AIPAEXAMPLE{identifier.base32(rng, 10)}"}


def _interface(instance: Instance, interface: str) -> Document:
    v6 = {"item": [{"ipv6Address": instance.v6_address}]} if instance.v6_address else {}
    return {
        "networkInterfaceId": interface,
        "subnetId": instance.vpc.subnet,
        "vpcId": instance.vpc.id,
        "privateIpAddress": instance.private_address,
        "privateIpAddressesSet": {"item": [{"privateIpAddress": instance.private_address, "primary": True}]},
        "ipv6AddressesSet": v6,
    }


def _metadata_options(tokens: str) -> Document:
    return {
        "state": "pending",
        "httpTokens": tokens,
        "httpPutResponseHopLimit": 2,
        "httpEndpoint": "enabled",
        "httpProtocolIpv4": "enabled",
        "httpProtocolIpv6": "disabled",
        "instanceMetadataTags": "disabled",
    }
