"""Honest workloads that are no instances, on networks that change or are shared."""

from datetime import timedelta

from straykey.sim import pod, resident, route
from straykey.sim.address import Network
from straykey.sim.resident import Resident
from straykey.sim.stage import Stage

_FUNCTIONS = ("thumbnails", "invoices", "webhooks")


def ecs_tasks(stage: Stage) -> None:
    """Tasks behind a NAT gateway that they share with an instance."""
    vpc = stage.vpc("nat")
    stage.live(stage.instance(vpc))
    way = route.steady(Network(str(vpc.nat_address)))
    _live(stage, *(resident.task(stage, way) for _ in range(2)))


def function(stage: Stage) -> None:
    """A function outside any VPC: an address of AWS for every call."""
    _live(stage, resident.function(stage, stage.rng.choice(_FUNCTIONS), resident.wandering(stage)))


def function_in_vpc(stage: Stage) -> None:
    """A function that leaves by the NAT gateway of its VPC."""
    name, way = stage.rng.choice(_FUNCTIONS), route.steady(stage.tenant())
    _live(stage, resident.function(stage, f"{name}-internal", way))


def eks_pod_identity(stage: Stage) -> None:
    node = stage.instance(stage.vpc("nat"))
    stage.live(node)
    _live(stage, *(pod.pod(stage, node, "prod") for _ in range(2)))


def irsa(stage: Stage) -> None:
    node = stage.instance(stage.vpc("nat"))
    stage.live(node)
    _live(stage, pod.web_identity(stage, node))


def _live(stage: Stage, *residents: Resident) -> None:
    begin = stage.window.start + timedelta(minutes=2)
    for place, it in enumerate(residents):
        resident.live(it, begin + timedelta(minutes=place))
    stage.changed([it.arn for it in residents], [], begin)
