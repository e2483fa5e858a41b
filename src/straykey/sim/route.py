"""Ways a workload's calls can take, and how they change while it lives."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from random import Random

from straykey.sim.address import Network
from straykey.sim.company import Instance, Vpc
from straykey.sim.workload import Route

_SETTLED = timedelta(minutes=12)


def steady(network: Network) -> Route:
    return lambda _at, _service: network


def of(instance: Instance) -> Route:
    """The instance's own networks."""
    return lambda _at, service: instance.network(service)


def moved(before: Route, after: Route, at: datetime) -> Route:
    return lambda moment, service: (before if moment < at else after)(moment, service)


def pool(rng: Random, networks: Sequence[Network], own: int, begin: datetime) -> Route:
    """Any of `networks` for each call; but the first minutes go by number `own`.

    Who starts where is dealt, not drawn: were chance to start all instances alike, nothing would tell the rest of a
    pool from a thief.
    """
    first, until = networks[own % len(networks)], begin + _SETTLED
    return lambda at, _service: first if at < until else rng.choice(networks)


def split(default: Route, services: Collection[str], special: Route) -> Route:
    """`special` for the named services, `default` for the rest."""
    return lambda at, service: (special if service in services else default)(at, service)


def through_endpoints(instance: Instance, address: str = "", vpc: Vpc | None = None) -> Route:
    """By endpoints, as a rule of the instance's own VPC, from its private address or from another one."""
    private, hub = address or instance.private_address, vpc or instance.vpc
    return lambda _at, service: Network(private, "endpoint", hub.endpoints[service], hub.account)
