"""What EC2's own records tell about addresses: who was given which, and what happened to an instance.

A grant is a fact of one record and joins nothing: an address that was associated by its allocation stays unnamed here.
Only what a call was answered counts, and where the answer leaves it out, what was asked; a call that failed grants
nothing, since a grant excuses a network.
"""

from collections.abc import Callable, Iterator

import msgspec
from msgspec.structs import replace

from straykey.core.moment import moment
from straykey.core.network import parse_address
from straykey.core.payload import Payload, entries, member, payload_of, text, texts
from straykey.core.record import Record, Skipped
from straykey.core.session import EC2_SERVICES


class Grant(msgspec.Struct, frozen=True, order=True, gc=False):
    """One thing an API call changed; what it does not tell is empty.  Addresses are in their one canonical form."""

    time: str
    event_id: str
    api: str
    account: str
    region: str
    instance: str = ""
    interface: str = ""
    address: str = ""
    allocation: str = ""
    association: str = ""
    attachment: str = ""
    nat: str = ""
    vpc: str = ""
    endpoint: str = ""
    was_stopped: bool = False  # of StartInstances: it did not run already

    @property
    def subject(self) -> str:
        """What it is kept under, so that a flood about one thing pushes out no witness of another."""
        things = (self.instance, self.nat, self.interface, self.allocation, self.address, self.association)
        return next(filter(None, (*things, self.endpoint, self.attachment)), "")


_Reading = Callable[[Payload, Grant], Iterator[Grant]]

_NAMES = {
    "instance": "instanceId",
    "interface": "networkInterfaceId",
    "address": "publicIp",
    "allocation": "allocationId",
    "association": "associationId",
    "attachment": "attachmentId",
    "nat": "natGatewayId",
    "vpc": "vpcId",
    "endpoint": "vpcEndpointId",
}
# `ipAddress` is what EC2 calls the public address of an instance.
_ADDRESSES = ("privateIpAddress", "publicIpAddress", "ipAddress", "publicIp", "ipv6Address")
_STOPPED = frozenset({"stopped", "stopping"})
_STOPPED_CODES = frozenset({80, 64})


def grants_of(record: Record) -> tuple[Grant, ...] | Skipped:
    """All grants of one record, each once; none for a record that is of no such call, or of one that failed."""
    reading = _READINGS.get(record.name or "")
    if reading is None or record.source not in EC2_SERVICES or record.error:
        return ()
    time = moment(record.time)
    if time is None:
        return Skipped.BAD_TIME
    payload = payload_of(record)
    if isinstance(payload, Skipped):
        return payload
    if not payload.is_answered:
        return ()
    blank = Grant(time, record.event_id or "", record.name or "", record.recipient or "", record.region or "")
    return tuple(dict.fromkeys(grant for grant in reading(payload, blank) if grant.subject))


def _address(value: object) -> str:
    written = text(value)
    parsed = parse_address(written) if written else None
    return str(parsed) if parsed else ""


def _told(field: str, *sources: object) -> str:
    """A field as the first of `sources` that has it tells."""
    read = _address if field == "address" else text
    return next(filter(None, (read(member(source, _NAMES[field])) for source in sources)), "")


def _plainly(*fields: str) -> _Reading:
    """The reading of a call about one thing, which names all it touches."""

    def read(payload: Payload, blank: Grant) -> Iterator[Grant]:
        yield replace(blank, **{field: _told(field, payload.response, payload.request) for field in fields})

    return read


def _launched(payload: Payload, blank: Grant) -> Iterator[Grant]:
    for launched in entries(member(payload.response, "instancesSet")):
        instance = replace(blank, instance=_told("instance", launched), vpc=_told("vpc", launched))
        yield from _of_instance(launched, instance)


def _of_instance(launched: object, instance: Grant) -> list[Grant]:
    interfaces = entries(member(launched, "networkInterfaceSet"))
    grants = [grant for interface in interfaces for grant in _of_interface(interface, instance)]
    named = {grant.address for grant in grants}
    grants += [replace(instance, address=one) for one in _addresses_of(launched) if one not in named]
    return grants or [instance]


def _of_interface(interface: object, blank: Grant) -> list[Grant]:
    known = replace(blank, interface=_told("interface", interface), vpc=_told("vpc", interface) or blank.vpc)
    return [replace(known, address=one) for one in _addresses_of(interface)] or [known]


def _addresses_of(holder: object) -> list[str]:
    """All addresses an instance or an interface is said to have, each once."""
    parts = [
        holder,
        *entries(member(holder, "privateIpAddressesSet")),
        *entries(member(holder, "ipv6AddressesSet")),
    ]
    parts += [member(part, "association") for part in parts]
    found = (_address(member(part, name)) for part in parts for name in _ADDRESSES)
    return list(dict.fromkeys(filter(None, found)))


def _created_interface(payload: Payload, blank: Grant) -> Iterator[Grant]:
    yield from _of_interface(member(payload.response, "networkInterface"), blank)


def _assigned(payload: Payload, blank: Grant) -> Iterator[Grant]:
    """Private or v6 addresses, of which the answer tells those that EC2 chose itself."""
    known = replace(blank, interface=_told("interface", payload.response, payload.request))
    listed = member(payload.response, "assignedPrivateIpAddressesSet", "assignedIpv6Addresses")
    asked = member(payload.request, "privateIpAddressesSet", "privateIpAddress", "ipv6Addresses", "ipv6AddressesSet")
    for values in (listed, asked):
        told = texts(values, "assignedPrivateIpAddressSetType", *_ADDRESSES)
        addresses = list(filter(None, map(_address, told)))
        if addresses:
            yield from (replace(known, address=one) for one in addresses)
            return
    yield known


def _changed(payload: Payload, blank: Grant) -> Iterator[Grant]:
    """Instances that were started, stopped or terminated, as the answer lists them; as asked, if it has no list."""
    listed = member(payload.response, "instancesSet")
    if listed is None:
        asked = texts(member(payload.request, "instancesSet", "instanceId"), "instanceId")
        yield from (replace(blank, instance=one) for one in asked)
        return
    for entry in entries(listed):
        was_stopped = blank.api == "StartInstances" and _is_stopped(member(entry, "previousState"))
        yield replace(blank, instance=_told("instance", entry), was_stopped=was_stopped)


def _is_stopped(state: object) -> bool:
    code = text(member(state, "code"))
    # Only the low byte is the state; the other one is for EC2's own use.
    is_code = code.isdecimal() and int(code) & 255 in _STOPPED_CODES
    return is_code or text(member(state, "name")).lower() in _STOPPED


def _gateway(payload: Payload, blank: Grant) -> Iterator[Grant]:
    """A NAT gateway that was made or got more addresses; a private one has none, and then it is known by its VPC."""
    request = payload.request
    answer = member(payload.response, "natGateway") or payload.response
    known = replace(blank, nat=_told("nat", answer, request), vpc=_told("vpc", answer, request))
    if not known.nat:
        return
    told = [
        replace(known, allocation=_told("allocation", entry), address=_told("address", entry))
        for entry in entries(member(answer, "natGatewayAddressSet"))
    ]
    named = {grant.allocation for grant in told}
    told += [replace(known, allocation=one) for one in _asked_allocations(request) if one not in named]
    yield from told or [known]


def _asked_allocations(request: object) -> list[str]:
    zones = entries(member(request, "AvailabilityZoneAddress", "AvailabilityZoneAddresses"), "AvailabilityZoneAddress")
    lists = [member(request, "AllocationId", "AllocationIds")]
    lists += [member(request, "SecondaryAllocationId", "SecondaryAllocationIds")]
    lists += [member(zone, "AllocationId", "AllocationIds") for zone in zones]
    return [one for asked in lists for one in texts(asked, "AllocationId")]


def _created_endpoint(payload: Payload, blank: Grant) -> Iterator[Grant]:
    answer = member(payload.response, "vpcEndpoint")
    yield replace(blank, endpoint=_told("endpoint", answer), vpc=_told("vpc", answer, payload.request))


_READINGS: dict[str, _Reading] = {
    "AllocateAddress": _plainly("address", "allocation"),
    "AssociateAddress": _plainly("instance", "interface", "address", "allocation", "association"),
    "DisassociateAddress": _plainly("address", "association"),
    "ReleaseAddress": _plainly("address", "allocation"),
    "AttachNetworkInterface": _plainly("instance", "interface", "attachment"),
    "DetachNetworkInterface": _plainly("attachment"),
    "CreateNetworkInterface": _created_interface,
    "AssignPrivateIpAddresses": _assigned,
    "AssignIpv6Addresses": _assigned,
    "RunInstances": _launched,
    "StartInstances": _changed,
    "StopInstances": _changed,
    "TerminateInstances": _changed,
    "CreateNatGateway": _gateway,
    "AssociateNatGatewayAddress": _gateway,
    "CreateVpcEndpoint": _created_endpoint,
}

GRANTING = frozenset(_READINGS)
