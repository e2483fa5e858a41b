"""The address plan of the invented world, and the ranges its AWS publishes.

All addresses come from the documentation and benchmark ranges, so a record that leaks out of
a test names nobody.  AWS holds 198.18.0.0/15 and part of 2001:db8::/32; everything else that
is public lies outside AWS.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from itertools import cycle
from random import Random
from typing import Literal, TypeAlias

Lane: TypeAlias = Literal["public", "endpoint", "service"]

CHINA_REGION = "cn-north-1"
REGIONS = ("eu-west-1", "us-east-1", "eu-central-1", CHINA_REGION)

REGION_V4 = {
    "eu-west-1": "198.18.0.0/17",
    "us-east-1": "198.18.128.0/17",
    "eu-central-1": "198.19.0.0/17",
    CHINA_REGION: "198.19.160.0/19",
}
TENANT_V4 = {
    "eu-west-1": "198.18.0.0/18",
    "us-east-1": "198.18.128.0/18",
    "eu-central-1": "198.19.0.0/18",
    CHINA_REGION: "198.19.160.0/20",
}
STRANGER_V4 = {
    "eu-west-1": "198.18.64.0/19",
    "us-east-1": "198.18.192.0/19",
    "eu-central-1": "198.19.64.0/19",
    CHINA_REGION: "198.19.176.0/21",
}
STORAGE_V4 = {
    "eu-west-1": "198.18.96.0/20",
    "us-east-1": "198.18.224.0/20",
    "eu-central-1": "198.19.96.0/20",
    CHINA_REGION: "198.19.184.0/22",
}
FUNCTION_V4 = {
    "eu-west-1": "198.18.112.0/20",
    "us-east-1": "198.18.240.0/20",
    "eu-central-1": "198.19.112.0/20",
    CHINA_REGION: "198.19.188.0/22",
}
REGION_V6 = {
    "eu-west-1": "2001:db8:1000::/36",
    "us-east-1": "2001:db8:2000::/36",
    "eu-central-1": "2001:db8:3000::/36",
    CHINA_REGION: "2001:db8:5000::/36",
}
GLOBAL_V4 = "198.19.192.0/18"
GLOBAL_V6 = "2001:db8:4000::/36"

_OUTSIDE_V6 = "2001:db8:f000::/36"
_OFFICE = "203.0.113.0/26"
_OUTSIDE = ("203.0.113.64/26", "203.0.113.128/25", "192.0.2.0/24")
_PREMISES = "198.51.100.0/24"


@dataclass(frozen=True, slots=True)
class Network:
    """Where a call comes from, in the words CloudTrail writes."""

    address: str
    lane: Lane = "public"
    endpoint: str | None = None
    endpoint_account: str | None = None


class AddressPlan:
    """Hands out addresses; no address is given to two holders, except outside AWS when they run out."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._outside = _outside(rng)

    def tenant(self, region: str) -> str:
        """An EC2 address for one of the company's instances or NAT gateways."""
        return self._fresh_v4(TENANT_V4[region])

    def stranger(self, region: str) -> str:
        """An EC2 address of somebody who is not of the company."""
        return self._fresh_v4(STRANGER_V4[region])

    def tenant_v6(self, region: str) -> str:
        return self._v6(REGION_V6[region])

    def outside_v6(self) -> str:
        return self._v6(_OUTSIDE_V6)

    def private(self, prefix: str) -> str:
        """An address inside the VPC whose first two numbers are `prefix`."""
        return self._fresh(lambda: f"{prefix}.{self._rng.randrange(1, 250)}.{self._rng.randrange(4, 254)}")

    def office(self) -> str:
        return self._fresh_v4(_OFFICE)

    def premises(self) -> str:
        return self._fresh_v4(_PREMISES)

    def outside(self) -> str:
        """An address outside AWS; comes round again only after all the others."""
        return next(self._outside)

    def _v6(self, cidr: str) -> str:
        base = IPv6Network(cidr).network_address
        return str(IPv6Address(int(base) + (self._rng.getrandbits(24) << 64) + self._rng.getrandbits(62)))

    def _fresh_v4(self, cidr: str) -> str:
        network = IPv4Network(cidr)
        last = network.num_addresses - 1
        return self._fresh(lambda: str(network[self._rng.randrange(1, last)]))

    def _fresh(self, draw: Callable[[], str]) -> str:
        address = draw()
        while address in self._taken:
            address = draw()
        self._taken.add(address)
        return address


def _outside(rng: Random) -> Iterator[str]:
    hosts = [str(host) for cidr in _OUTSIDE for host in IPv4Network(cidr).hosts()]
    rng.shuffle(hosts)
    return cycle(hosts)


def function_address(rng: Random, region: str) -> str:
    """Where a function or container happens to run; the next one may run elsewhere."""
    network = IPv4Network(FUNCTION_V4[region])
    return str(network[rng.randrange(1, network.num_addresses - 1)])
