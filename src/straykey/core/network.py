"""Where a call came from.

CloudTrail's `sourceIPAddress` is a free string: an address, a service's DNS name, `AWS Internal`, or nothing
that can be read.  `network_of` takes all of them; nothing in this module fails on text from a log.
"""

import ipaddress
import re
from enum import StrEnum

import msgspec

from straykey.core.cache import remembered

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Lane(StrEnum):
    """Kinds of network that run side by side: one session may have a home in each."""

    PUBLIC = "public"
    PUBLIC_V6 = "public-v6"
    ENDPOINT = "endpoint"
    PRIVATE = "private"
    SERVICE = "service"
    OTHER = "other"


PUBLIC_LANES = frozenset({Lane.PUBLIC, Lane.PUBLIC_V6})
LOCKABLE = PUBLIC_LANES | {Lane.ENDPOINT, Lane.PRIVATE}  # lanes in which a session can be at home


class Network(msgspec.Struct, frozen=True, order=True, gc=False, array_like=True):
    """One place calls come from; equal places are equal however the log wrote them.

    `endpoint_owner` is the account that owns the VPC endpoint, where the record says so (eventVersion 1.09).
    """

    lane: Lane
    address: str
    endpoint: str
    endpoint_owner: str
    key: str  # equal exactly when the place is: an endpoint is one place whether its owner is named or not


def _network(lane: Lane, address: str, endpoint: str = "", endpoint_owner: str = "") -> Network:
    return Network(lane, address, endpoint, endpoint_owner, f"{lane.value} {endpoint} {address}")


# Not `ipaddress.is_private`: that also holds for the documentation ranges, and those are a stranger's address.
_PRIVATE = tuple(
    (net.version, int(net.network_address), int(net.broadcast_address))
    for net in map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
            "::1/128",
        ),
    )
)
_ACCOUNT = re.compile(r"[0-9]{12}")
_DNS_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)
_AWS_INTERNAL = re.compile(r"AWS Internal(?:/.*)?", re.DOTALL)
_DOTTED_QUAD = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){3}")


@remembered(8192)
def parse_address(text: str) -> IPAddress | None:
    """Read an IP address; an IPv4 address mapped into IPv6 is the IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def is_impossible_address(text: str) -> bool:
    """True for what is written as an IPv4 address and can be none, such as 999.1.1.1.

    A leading zero (053.1.1.1) is odd, not impossible: such records exist, their network is `other`.
    """
    return _DOTTED_QUAD.fullmatch(text) is not None and any(int(part) > 255 for part in text.split("."))


def is_account(text: str) -> bool:
    """True for a twelve-digit account id."""
    return _ACCOUNT.fullmatch(text) is not None


@remembered(32768)
def network_of(address: str, endpoint: str = "", endpoint_owner: str = "") -> Network:
    """Return the network a record's `sourceIPAddress`, `vpcEndpointId` and `vpcEndpointAccountId` describe.

    A public address that came through an endpoint counts as `endpoint` only where an account is named as its
    owner (a VPC may use public ranges): console traffic passes endpoints of AWS's own, and there the address
    is what tells.  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    parsed = parse_address(address)
    if parsed is None:
        return _network(_lane_of_name(address), address)
    text = str(parsed)
    number = int(parsed)
    private = any(parsed.version == version and first <= number <= last for version, first, last in _PRIVATE)
    if endpoint and (private or is_account(endpoint_owner)):
        return _network(Lane.ENDPOINT, text, endpoint, endpoint_owner)
    if private:
        return _network(Lane.PRIVATE, text)
    return _network(Lane.PUBLIC if parsed.version == 4 else Lane.PUBLIC_V6, text)


def neighbourhood(network: Network) -> str:
    """The first two numbers of its address: what one cloud region or one provider has in common, more or less."""
    separator = ":" if ":" in network.address else "."
    return separator.join(network.address.split(separator, 2)[:2])


def _lane_of_name(text: str) -> Lane:
    if _AWS_INTERNAL.fullmatch(text) or _DNS_NAME.fullmatch(text):
        return Lane.SERVICE
    return Lane.OTHER
