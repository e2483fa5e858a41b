"""AWS's published address ranges: is this address inside AWS, and in which region?

The answer says "some AWS customer", never "ours".  Prefixes nest and repeat for each service: all that cover an
address count, and the longest names the region.
https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-syntax.html
"""

import ipaddress
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from straykey.core.network import IPNetwork
from straykey.errors import RangesError


class AwsPrefix(msgspec.Struct, frozen=True):
    """The longest published prefix around an address, and every service that claims the address."""

    prefix: str
    region: str
    services: tuple[str, ...]


class _V4(msgspec.Struct, frozen=True):
    ip_prefix: str
    region: str
    service: str


class _V6(msgspec.Struct, frozen=True):
    ipv6_prefix: str
    region: str
    service: str


class _Published(msgspec.Struct, frozen=True, rename="camel"):
    sync_token: str
    create_date: str
    prefixes: list[_V4]
    ipv6_prefixes: list[_V6] = msgspec.field(name="ipv6_prefixes", default_factory=list)


class _Segments:
    """Disjoint stretches of one address family, each with the prefix that is longest there."""

    def __init__(self, claims: dict[IPNetwork, list[tuple[str, str]]]) -> None:
        self.starts: list[int] = []
        self.prefixes: list[AwsPrefix | None] = []
        around: list[tuple[int, AwsPrefix]] = []  # the prefixes we stand in, outermost first
        for net in sorted(claims, key=lambda n: (int(n.network_address), n.prefixlen)):
            self._close(around, before=int(net.network_address))
            outer = around[-1][1].services if around else ()
            prefix = AwsPrefix(
                prefix=str(net),
                region=min((region for region, _ in claims[net]), key=lambda region: (region == "GLOBAL", region)),
                services=tuple(sorted({*outer, *(service for _, service in claims[net])})),
            )
            self._begin(int(net.network_address), prefix)
            around.append((int(net.broadcast_address), prefix))
        self._close(around, before=None)

    def _close(self, around: list[tuple[int, AwsPrefix]], before: int | None) -> None:
        while around and (before is None or around[-1][0] < before):
            end, _ = around.pop()
            self._begin(end + 1, around[-1][1] if around else None)

    def _begin(self, start: int, prefix: AwsPrefix | None) -> None:
        if self.starts and self.starts[-1] == start:
            self.prefixes[-1] = prefix
            return
        self.starts.append(start)
        self.prefixes.append(prefix)

    def find(self, address: int) -> AwsPrefix | None:
        at = bisect_right(self.starts, address) - 1
        return self.prefixes[at] if at >= 0 else None


class AwsRanges:
    """A copy of `ip-ranges.json`, ready to be asked; `token` and `created` say which copy."""

    def __init__(self, published: _Published) -> None:
        self.token = published.sync_token
        self.created = published.create_date
        claims: dict[IPNetwork, list[tuple[str, str]]] = defaultdict(list)
        for text, region, service in _claims(published):
            claims[ipaddress.ip_network(text)].append((region, service))
        self._v4 = _Segments({net: who for net, who in claims.items() if net.version == 4})
        self._v6 = _Segments({net: who for net, who in claims.items() if net.version == 6})
        self.lookup = lru_cache(maxsize=8192)(self._lookup)

    @property
    def created_at(self) -> datetime | None:
        """When AWS made this copy, where that can be read."""
        try:
            return datetime.strptime(self.created, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
        except ValueError:
            return None

    def _lookup(self, address: str) -> AwsPrefix | None:
        """The longest AWS prefix around `address`, or None outside AWS.  `address` must be an IP address."""
        parsed = ipaddress.ip_address(address)
        return (self._v4 if parsed.version == 4 else self._v6).find(int(parsed))


def _claims(published: _Published) -> Iterable[tuple[str, str, str]]:
    for v4 in published.prefixes:
        yield v4.ip_prefix, v4.region, v4.service
    for v6 in published.ipv6_prefixes:
        yield v6.ipv6_prefix, v6.region, v6.service


def parse_ranges(document: bytes) -> AwsRanges:
    """Read the published format; anything else raises `RangesError`."""
    try:
        return AwsRanges(msgspec.json.decode(document, type=_Published))
    except (ValueError, RecursionError) as error:  # msgspec's errors and ipaddress's are ValueErrors
        raise RangesError(
            f"not AWS's ip-ranges.json: {error}",
            hint="fetch https://ip-ranges.amazonaws.com/ip-ranges.json and name that file",
        ) from error
