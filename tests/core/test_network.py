"""Addresses and what else stands in sourceIPAddress."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.network import Lane, is_impossible_address, network_of, parse_address


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        ("203.0.113.5", Lane.PUBLIC),
        ("198.18.0.1", Lane.PUBLIC),
        ("2001:db8::1", Lane.PUBLIC_V6),
        ("10.1.2.3", Lane.PRIVATE),
        ("172.31.255.1", Lane.PRIVATE),
        ("172.32.0.1", Lane.PUBLIC),
        ("100.64.0.1", Lane.PRIVATE),
        ("fd00::1", Lane.PRIVATE),
        ("ec2.amazonaws.com", Lane.SERVICE),
        ("ec2.amazonaws.com.cn", Lane.SERVICE),
        ("AWS Internal", Lane.SERVICE),
        ("AWS Internal/17", Lane.SERVICE),
        ("053.1.1.1", Lane.OTHER),
        ("999.1.1.1", Lane.OTHER),
        ("203.0.113.5, 10.0.0.1", Lane.OTHER),
        ("", Lane.OTHER),
        ("\x1b[31mred", Lane.OTHER),
        ("localhost", Lane.OTHER),
    ],
)
def test_the_lane_of(text: str, lane: Lane) -> None:
    assert network_of(text).lane is lane


def test_a_private_address_with_an_endpoint_is_an_endpoint() -> None:
    network = network_of("10.0.0.1", "vpce-0a", "111122223333")
    assert (network.lane, network.endpoint, network.endpoint_owner) == (Lane.ENDPOINT, "vpce-0a", "111122223333")


def test_a_public_address_through_an_endpoint_of_aws_itself_stays_public() -> None:
    """Console traffic to S3 looks so: the address is what tells the caller."""
    assert network_of("203.0.113.5", "vpce-f40dc59d", "").lane is Lane.PUBLIC
    assert network_of("203.0.113.5", "vpce-f40dc59d", "AWS Internal").lane is Lane.PUBLIC


def test_a_public_address_through_an_accounts_endpoint_is_an_endpoint() -> None:
    assert network_of("203.0.113.5", "vpce-0a", "111122223333").lane is Lane.ENDPOINT


def test_an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() -> None:
    assert network_of("::ffff:203.0.113.5") == network_of("203.0.113.5")


@pytest.mark.parametrize(("text", "impossible"), [("999.1.1.1", True), ("256.0.0.1", True), ("053.1.1.1", False),
                                                  ("1.2.3", False), ("ec2.amazonaws.com", False)])  # fmt: skip
def test_an_impossible_address_is_one_that_is_written_as_one_and_is_none(text: str, impossible: bool) -> None:
    assert is_impossible_address(text) is impossible


@given(st.text(), st.text(), st.text())
def test_any_text_has_a_network_and_a_key(address: str, endpoint: str, owner: str) -> None:
    assert network_of(address, endpoint, owner).key


@given(st.ip_addresses(), st.ip_addresses())
def test_networks_are_equal_exactly_when_addresses_are(one: object, other: object) -> None:
    assert (network_of(str(one)) == network_of(str(other))) is (parse_address(str(one)) == parse_address(str(other)))
