"""Workers and footprints in few words; each test changes what it is about."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from straykey.contain.theft import Called, Caller
from straykey.core.network import Network, network_of
from straykey.harden.worker import Footprint, Worker

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
WEB, BATCH = "i-0123456789abcdef0", "i-0fedcba9876543210"
VPC, HUB = "vpc-0aaaaaaaaaaaaaaa1", "vpc-0bbbbbbbbbbbbbbb2"
GATE, FOREIGN = "vpce-0aaaaaaaaaaaaaaa1", "vpce-0ccccccccccccccc3"
PUBLIC, PUBLIC_V6 = network_of("198.18.0.10"), network_of("2001:db8:1000::10")
INSIDE = network_of("10.0.0.5", GATE, ACCOUNT)
BARE = network_of("10.0.0.5")
THIEF = network_of("203.0.113.66")


def called(call: str = "s3:GetObject", network: Network = PUBLIC, region: str = REGION, **fields: Any) -> Called:
    usual = Called("2026-05-04T10:00:00Z", "e", call, region, "ASIAEXAMPLEKEY000001", "", network, "")
    return replace(usual, **fields)


def worker(*calls: Called, thiefs: Sequence[Called] = (), partition: str = "aws", **fields: Any) -> Worker:
    """Of the web role; `fields` are of its caller."""
    instance = fields.get("instance", WEB)
    account, role = fields.get("account", ACCOUNT), fields.get("role", "web-role")
    usual = Caller(
        arn=f"arn:{partition}:sts::{account}:assumed-role/{role}/{instance}",
        account=account,
        role=role,
        instance=instance,
        region=REGION,
        is_delivered_by_ec2=True,
        calls=calls,
        role_arn=f"arn:{partition}:iam::{account}:role/app/{role}",
        vpc=VPC,
        private_ip="10.0.0.5",
    )
    home = replace(usual, **fields)
    return Worker(partition, home, replace(home, calls=tuple(thiefs)))


def footprint(
    account: str = ACCOUNT,
    role: str = "web-role",
    addresses: Sequence[str] | Mapping[str, tuple[str, ...]] = ("198.18.0.10",),
    **fields: Any,
) -> Footprint:
    partition = fields.get("partition", "aws")
    users = addresses if isinstance(addresses, Mapping) else dict.fromkeys(addresses, (WEB, BATCH))
    usual = Footprint(
        account=account,
        role=role,
        partition=partition,
        role_arns=(f"arn:{partition}:iam::{account}:role/app/{role}",),
        instances=(WEB, BATCH),
        addresses=users,
        endpoints=(),
        alone=False,
    )
    return replace(usual, **fields)


def scattered(count: int, net: str = "198.18") -> tuple[str, ...]:
    """So many addresses of which no two are one range."""
    return tuple(f"{net}.{2 * one // 256}.{2 * one % 256}" for one in range(count))


def account(number: int) -> str:
    return f"{111100000000 + number}"
