"""Thefts of keys that no instance has: of tasks, functions and pods."""

from datetime import timedelta

from straykey.sim import pod, resident, route, thief
from straykey.sim.address import Network
from straykey.sim.company import Instance
from straykey.sim.heist_network import elsewhere, outside, stranger
from straykey.sim.resident import Resident
from straykey.sim.stage import Stage
from straykey.sim.thief import RESOURCE_INSIDE, RESOURCE_OUTSIDE, Plot

FUNCTION_REGION = (
    "A function calls from any address of AWS in its region: a thief who calls from there is invisible to addresses"
)


def ecs_outside(stage: Stage) -> None:
    _robbed(stage, _task(stage), Plot(network=outside(stage), at=stage.moment(), expected=RESOURCE_OUTSIDE))


def ecs_inside(stage: Stage) -> None:
    """From AWS, but another region of it."""
    _robbed(stage, _task(stage), Plot(network=elsewhere(stage), at=stage.moment(), expected=RESOURCE_INSIDE))


def lambda_outside(stage: Stage) -> None:
    plot = Plot(network=outside(stage), at=stage.moment(), expected=RESOURCE_OUTSIDE)
    _robbed(stage, resident.function(stage, "payments", resident.wandering(stage)), plot)


def lambda_inside_region(stage: Stage) -> None:
    plot = Plot(network=stranger(stage), at=stage.moment(), excluded=FUNCTION_REGION)
    _robbed(stage, resident.function(stage, "receipts", resident.wandering(stage)), plot)


def eks_outside(stage: Stage) -> None:
    plot = Plot(network=outside(stage), at=stage.moment(), expected=RESOURCE_OUTSIDE)
    _robbed(stage, pod.pod(stage, _node(stage), "staging"), plot)


def irsa_outside(stage: Stage) -> None:
    plot = Plot(network=outside(stage), at=stage.moment(), expected=RESOURCE_OUTSIDE)
    _robbed(stage, pod.web_identity(stage, _node(stage)), plot)


def _task(stage: Stage) -> Resident:
    vpc = stage.vpc("nat")
    stage.live(stage.instance(vpc))
    return resident.task(stage, route.steady(Network(str(vpc.nat_address))))


def _node(stage: Stage) -> Instance:
    node = stage.instance(stage.vpc("nat"))
    stage.live(node)
    return node


def _robbed(stage: Stage, victim: Resident, plot: Plot) -> None:
    held = resident.live(victim, stage.window.start + timedelta(minutes=2))
    thief.use(stage, thief.loot_of_resident(victim, held, plot.at), plot)
