"""Longest prefix, against the plain way of finding it."""

import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.errors import RangesError

# Few addresses and short prefixes, so that prefixes nest, touch and repeat.
v4_nets = st.builds(
    lambda host, bits: ipaddress.ip_network((int(ipaddress.ip_address("198.18.0.0")) + host, bits), strict=False),
    st.integers(0, 255),
    st.integers(24, 32),
)
v6_nets = st.builds(
    lambda host, bits: ipaddress.ip_network((int(ipaddress.ip_address("2001:db8::")) + host, bits), strict=False),
    st.integers(0, 255),
    st.integers(120, 128),
)
regions = st.sampled_from(["eu-west-1", "us-east-1", "GLOBAL"])
services = st.sampled_from(["AMAZON", "EC2", "S3"])


def ranges_of(v4: list[tuple[str, str, str]], v6: list[tuple[str, str, str]] = []) -> AwsRanges:  # noqa: B006
    document = {
        "syncToken": "1",
        "createDate": "2026-05-02-10-00-00",
        "prefixes": [{"ip_prefix": net, "region": region, "service": service} for net, region, service in v4],
        "ipv6_prefixes": [{"ipv6_prefix": net, "region": region, "service": service} for net, region, service in v6],
    }
    return parse_ranges(json.dumps(document).encode())


@given(st.lists(st.tuples(v4_nets, regions, services), max_size=12), st.integers(-3, 260))
def test_a_lookup_finds_the_longest_prefix_and_every_service(
    claims: list[tuple[ipaddress.IPv4Network, str, str]], offset: int
) -> None:
    address = ipaddress.ip_address("198.18.0.0") + offset
    around = [claim for claim in claims if address in claim[0]]
    found = ranges_of([(str(net), region, service) for net, region, service in claims]).lookup(str(address))
    if not around:
        assert found is None
        return
    longest = max(net.prefixlen for net, _, _ in around)
    candidates = {region for net, region, _ in around if net.prefixlen == longest}
    assert found is not None
    assert found.prefix == str(next(net for net, _, _ in around if net.prefixlen == longest))
    assert found.region == min(candidates, key=lambda region: (region == "GLOBAL", region))
    assert set(found.services) == {service for _, _, service in around}


@given(st.lists(st.tuples(v6_nets, regions, services), max_size=8), st.integers(-3, 260))
def test_ipv6_is_looked_up_alike(claims: list[tuple[ipaddress.IPv6Network, str, str]], offset: int) -> None:
    address = ipaddress.ip_address("2001:db8::1:0") + offset - 0x10000
    found = ranges_of([], [(str(net), region, service) for net, region, service in claims]).lookup(str(address))
    assert (found is not None) is any(address in net for net, _, _ in claims)


def test_an_ipv6_address_is_not_looked_for_among_ipv4() -> None:
    assert ranges_of([("0.0.0.0/0", "eu-west-1", "AMAZON")]).lookup("2001:db8::1") is None


@pytest.mark.parametrize("document", [b"", b"{}", b"[]", b'{"syncToken": 5}', b"nonsense", b"[" * 100_000])
def test_what_is_not_the_published_format_is_refused(document: bytes) -> None:
    with pytest.raises(RangesError):
        parse_ranges(document)


def test_a_prefix_that_is_none_is_refused() -> None:
    with pytest.raises(RangesError):
        ranges_of([("198.18.0.1/24", "eu-west-1", "EC2")])
