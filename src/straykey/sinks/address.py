"""Which addresses a webhook may have.

Who chooses a URL, or answers for its name, must not make straykey knock on doors inside: the metadata service hands out
the very keys that straykey guards.
"""

import ipaddress

from straykey.core.network import IPAddress

# An IPv4 address in the last 32 bits: how a network without IPv4 reaches one (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# AWS's own services within a VPC: instance metadata, resolver, time.
_AWS_INTERNAL = ipaddress.IPv6Network("fd00:ec2::/32")


def objection(address: IPAddress, *, allow_private: bool = False) -> str:
    """What speaks against it, in two words; empty if nothing does.

    Even where private ones are allowed, those are not where the metadata service lives or where nobody can answer.
    """
    meant = _meant(address)
    if meant.is_link_local or (meant.version == 6 and meant in _AWS_INTERNAL):
        return "link-local"
    if meant.is_multicast or meant.is_unspecified:
        return "no host's"
    if allow_private and (meant.is_private or not meant.is_global):
        return ""
    if meant.is_loopback:
        return "loopback"
    return "" if meant.is_global and not meant.is_reserved else "private"


def _meant(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address stands for, if it stands for one."""
    if address.version == 4:
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
