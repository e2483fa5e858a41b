"""Who calls with keys that EC2 handed out, and what is known of where: a perimeter is planned and rehearsed on these.

Values only.  A worker is a session of an instance, an instance's name and its role; what thieves did with its keys is
apart from what it did itself, as the findings say.
"""

from collections.abc import Mapping

import msgspec

from straykey.contain.theft import Caller
from straykey.core.network import PUBLIC_LANES, Lane


class Worker(msgspec.Struct, frozen=True):
    """One session.  `home` holds its own calls and those of services that act for it; `thief` those from strays."""

    partition: str
    home: Caller
    thief: Caller

    @property
    def whose(self) -> tuple[str, str]:
        """Account and role."""
        return self.home.account, self.home.role


class Places(msgspec.Struct, frozen=True):
    """Where things are, as far as records or the account tell: the VPC and the primary private IPv4 address of an
    instance, the VPC of an endpoint, each by id.
    """

    vpcs: Mapping[str, str] = {}
    private_ips: Mapping[str, str] = {}
    endpoints: Mapping[str, str] = {}


class Footprint(msgspec.Struct, frozen=True):
    """Where the sessions of one role call from when they are at home.

    `addresses` are public, each with the instances that use it.  `endpoints` are VPC endpoints by id.  `alone`: every
    call through an endpoint came from the primary address of its instance, and each of these is known.
    """

    account: str
    role: str
    partition: str
    role_arns: tuple[str, ...]  # as it was recorded; where it never was, none
    instances: tuple[str, ...]
    addresses: Mapping[str, tuple[str, ...]]
    endpoints: tuple[str, ...]
    alone: bool


def footprint_of(workers: list[Worker]) -> Footprint:
    """Of workers of one role, at least one."""
    first = workers[0]
    calls = [(worker.home, called) for worker in workers for called in worker.home.calls]
    addresses: dict[str, set[str]] = {}
    for home, called in calls:
        if called.network.lane in PUBLIC_LANES:
            addresses.setdefault(called.network.address, set()).add(home.instance)
    inside = [(home, called) for home, called in calls if called.network.lane in (Lane.ENDPOINT, Lane.PRIVATE)]
    return Footprint(
        account=first.home.account,
        role=first.home.role,
        partition=first.partition,
        role_arns=tuple(sorted({worker.home.role_arn for worker in workers} - {""})),
        instances=tuple(sorted({worker.home.instance for worker in workers})),
        addresses={one: tuple(sorted(users)) for one, users in sorted(addresses.items())},
        endpoints=tuple(sorted({called.network.endpoint for _, called in inside} - {""})),
        alone=bool(inside) and all(home.private_ip == called.network.address for home, called in inside),
    )
