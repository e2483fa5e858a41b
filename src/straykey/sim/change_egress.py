"""Honest changes of the way out that many instances share.

Who leaves by which address of a pool is dealt, so that each is the home of somebody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from straykey.sim import grant, route
from straykey.sim.address import Network
from straykey.sim.company import ACCOUNTS, INTERFACE_SERVICES, Instance
from straykey.sim.stage import Stage
from straykey.sim.workload import Life

_SOON = timedelta(seconds=40)


def nat_replaced_recorded(stage: Stage) -> None:
    """A new gateway with a new address, and the route that leads to it."""
    vpc, at, after = stage.vpc("nat"), stage.moment(), stage.tenant()
    fleet = stage.fleet(vpc, 3)
    allocation, allocated = grant.allocate(stage.builder, at, vpc, after.address)
    gateway, created = grant.create_nat(stage.builder, at + _SOON, vpc, allocation)
    switched = at + 4 * _SOON
    stage.records += [allocated, created, grant.replace_route(stage.builder, switched, vpc, gateway)]
    for it in fleet:
        stage.live(it, Life(route=route.moved(route.of(it), route.steady(after), switched + timedelta(seconds=5))))
    stage.changed([it.session_arn for it in fleet], [after.address], at)


def nat_address_added(stage: Stage) -> None:
    """The gateway gets a second address; from then on instances leave by both."""
    vpc, at, second = stage.vpc("nat"), stage.moment(), stage.tenant()
    fleet, begin = stage.fleet(vpc, 3), stage.window.start + timedelta(seconds=5)
    first_allocation, allocated = grant.allocate(stage.builder, begin, vpc, str(vpc.nat_address))
    gateway, created = grant.create_nat(stage.builder, begin + timedelta(seconds=3), vpc, first_allocation)
    allocation, added = grant.allocate(stage.builder, at, vpc, second.address)
    grown = grant.add_nat_address(stage.builder, at + _SOON, vpc, gateway, allocation)
    stage.records += [allocated, created, added, grown]
    both = (Network(str(vpc.nat_address)), second)
    for it in fleet:
        later = route.pool(stage.rng, both, 0, stage.window.start)
        life = Life(route=route.moved(route.of(it), later, at + 2 * _SOON), begin=begin + 3 * _SOON)
        stage.live(it, life)
    stage.changed([it.session_arn for it in fleet], [second.address], at)


def egress_moved(stage: Stage) -> None:
    """The gateway belongs to a network account whose trail is not read: a fleet moves, and nothing says why."""
    fleet, at, after = stage.fleet(stage.vpc("nat"), stage.rng.randint(4, 5)), stage.moment(), stage.tenant()
    for it, left in leaving(stage, fleet, at):
        stage.live(it, Life(route=route.moved(route.of(it), route.steady(after), left)))
    stage.changed([it.session_arn for it in fleet], [after.address], at)


def leaving(stage: Stage, fleet: Sequence[Instance], at: datetime) -> list[tuple[Instance, datetime]]:
    """When each of a moving fleet moves: one after the other, within a minute and a half."""
    return [(it, at + timedelta(seconds=stage.rng.randrange(90))) for it in fleet]


def nat_pool(stage: Stage) -> None:
    """A gateway with three addresses, used by turns all the time."""
    vpc = stage.vpc("nat")
    pool = (Network(str(vpc.nat_address)), stage.tenant(), stage.tenant())
    fleet = stage.fleet(vpc, stage.rng.randint(4, 6))
    _pool(stage, fleet, pool, stage.window.start)
    stage.changed([it.session_arn for it in fleet], [network.address for network in pool], stage.window.start)


def central_egress(stage: Stage) -> None:
    """Instances of two accounts leave by the gateway of a third, which has two addresses."""
    hub = stage.rng.choice(ACCOUNTS)
    vpcs = [stage.vpc("nat", account=account) for account in ACCOUNTS if account != hub]
    home = stage.vpc("nat", account=hub)
    pool = (Network(str(home.nat_address)), stage.tenant())
    begin = stage.window.start
    for place, network in enumerate(pool):
        at = begin + timedelta(seconds=2 + 20 * place)
        allocation, allocated = grant.allocate(stage.builder, at, home, network.address)
        created = grant.create_nat(stage.builder, at + timedelta(seconds=4), home, allocation)[1]
        stage.records += [allocated, created]
    fleets = [stage.fleet(vpc, 3) for vpc in vpcs]
    for fleet in fleets:
        _pool(stage, fleet, pool, begin + timedelta(minutes=2))
    arns = [it.session_arn for fleet in fleets for it in fleet]
    stage.changed(arns, [network.address for network in pool], begin)


def _pool(stage: Stage, fleet: Sequence[Instance], pool: Sequence[Network], begin: datetime) -> None:
    for place, it in enumerate(fleet):
        stage.live(it, Life(route=route.pool(stage.rng, pool, place, begin), begin=begin))


def on_premises_egress(stage: Stage) -> None:
    """A fleet that leaves through the company's own lines, outside AWS; half of it calls S3 by an endpoint."""
    vpc = stage.vpc("gateway", ("s3",))
    fleet, lines = stage.fleet(vpc, 4), [Network(stage.plan.premises()) for _ in range(stage.rng.randint(1, 2))]
    for place, it in enumerate(fleet):
        way = route.pool(stage.rng, lines, place, stage.window.start)
        if place >= 2:
            way = route.split(way, ("s3",), route.through_endpoints(it))
        stage.live(it, Life(route=way))
    stage.changed([it.session_arn for it in fleet], [line.address for line in lines], stage.window.start)


def hub_endpoints(stage: Stage) -> None:
    """The VPC's interface endpoints belong to another account of the company."""
    hub = next(account for account in ACCOUNTS if account != stage.account)
    fleet = stage.fleet(stage.vpc("public"), 2)
    shared = stage.vpc("endpoint", INTERFACE_SERVICES, account=hub)
    for it in fleet:
        way = route.split(route.of(it), INTERFACE_SERVICES, route.through_endpoints(it, vpc=shared))
        stage.live(it, Life(route=way))
    stage.changed([it.session_arn for it in fleet], [it.private_address for it in fleet], stage.window.start)
