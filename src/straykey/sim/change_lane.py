"""Honest changes that open a lane, or widen one: IPv6, private addresses, endpoints."""

from datetime import timedelta

from straykey.sim import grant, route
from straykey.sim.address import Network
from straykey.sim.company import DUAL_STACK_SERVICES, INTERFACE_SERVICES
from straykey.sim.stage import Stage
from straykey.sim.workload import Life

_SOON = timedelta(seconds=30)
_EVERY_ENDPOINT = (*INTERFACE_SERVICES, "s3")


def dual_stack(stage: Stage) -> None:
    """Programs begin to use the dual-stack names of some services: no record tells of it."""
    it, at = stage.instance(stage.vpc("public")), stage.moment()
    v6 = Network(stage.plan.tenant_v6(stage.region))
    later = route.split(route.of(it), DUAL_STACK_SERVICES, route.steady(v6))
    stage.live(it, Life(route=route.moved(route.of(it), later, at)))
    stage.changed([it.session_arn], [v6.address], at)


def ipv6_assigned(stage: Stage) -> None:
    """An instance that has an IPv6 address gets another, which takes over."""
    first, second = (stage.plan.tenant_v6(stage.region) for _ in range(2))
    it = stage.instance(stage.vpc("dual-stack"), launched=stage.moment(0.02, 0.06), v6=first)
    interface, at = stage.launch(it), stage.moment()
    stage.records.append(grant.assign_v6(stage.builder, at, it.vpc, interface, second))
    later = route.split(route.of(it), DUAL_STACK_SERVICES, route.steady(Network(second)))
    stage.live(it, Life(route=route.moved(route.of(it), later, at + _SOON)))
    stage.changed([it.session_arn], [second], at)


def private_added(stage: Stage) -> None:
    """A second private address; half of the services are then called from it, by the same endpoints."""
    vpc = stage.vpc("endpoint", _EVERY_ENDPOINT)
    it, neighbour = stage.instance(vpc, launched=stage.moment(0.02, 0.06)), stage.instance(vpc)
    interface, at, address = stage.launch(it), stage.moment(), stage.plan.private(vpc.prefix)
    stage.records.append(grant.assign_private(stage.builder, at, vpc, interface, address))
    later = route.split(route.of(it), _EVERY_ENDPOINT[::2], route.through_endpoints(it, address))
    stage.live(it, Life(route=route.moved(route.of(it), later, at + _SOON)))
    stage.live(neighbour)
    stage.changed([it.session_arn], [address], at)


def endpoint_added(stage: Stage) -> None:
    """The VPC gets an endpoint, and what went over the internet comes from private addresses."""
    service = stage.rng.choice(("s3", "ssm"))
    vpc, at = stage.vpc("gateway", (service,)), stage.moment()
    fleet = stage.fleet(vpc, 2)
    stage.records.append(grant.create_endpoint(stage.builder, at, vpc, service))
    for it in fleet:
        before = route.steady(Network(str(it.public_address)))
        stage.live(it, Life(route=route.moved(before, route.of(it), at + _SOON)))
    stage.changed([it.session_arn for it in fleet], [it.private_address for it in fleet], at)
