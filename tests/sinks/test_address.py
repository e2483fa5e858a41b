"""No webhook knocks on doors inside."""

from ipaddress import ip_address

import pytest

from straykey.sinks.address import objection


@pytest.mark.parametrize("text", ["8.8.8.8", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_a_public_address_may_be_posted_to(text: str) -> None:
    assert objection(ip_address(text)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "2002:a00:1::",
    ],
)
def test_a_private_one_only_if_that_is_allowed(text: str) -> None:
    assert objection(ip_address(text)) in {"private", "loopback"}
    assert objection(ip_address(text), allow_private=True) == ""


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "224.0.0.1",
        "ff02::1",
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
    ],
)
def test_the_metadata_service_and_what_is_no_host_never(text: str) -> None:
    assert objection(ip_address(text)) in {"link-local", "no host's"}
    assert objection(ip_address(text), allow_private=True) in {"link-local", "no host's"}


@pytest.mark.parametrize("text", ["240.0.0.1", "255.255.255.255", "192.0.2.1", "::7f00:1", "2001::1", "2001:db8::1"])
def test_reserved_ones_are_not_public(text: str) -> None:
    assert objection(ip_address(text)) == "private"
