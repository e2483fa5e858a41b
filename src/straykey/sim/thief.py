"""What thieves of an episode do with a key, and the truth of it.

Their programs name an SDK like everybody's, unless the agent is what gives them away: one theft, one finding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from straykey.sim import identity, route, spree, theft, truth
from straykey.sim.address import Network
from straykey.sim.company import Instance
from straykey.sim.record import Call, Document, Scene
from straykey.sim.resident import Held, Resident
from straykey.sim.spree import Spree
from straykey.sim.stage import Stage
from straykey.sim.workload import scene_of

INSTANCE_OUTSIDE, INSTANCE_INSIDE = f"{theft.TYPE}.OutsideAWS", f"{theft.TYPE}.InsideAWS"
_RESOURCE = "UnauthorizedAccess:IAMUser/ResourceCredentialExfiltration"
RESOURCE_OUTSIDE, RESOURCE_INSIDE = f"{_RESOURCE}.OutsideAWS", f"{_RESOURCE}.InsideAWS"

AGENTS = (theft.CLI, theft.BOTO3)
CALLS = (*theft.LOOK_AROUND, *theft.TAKE)
_COUNT = (9, 22)


@dataclass(frozen=True, slots=True)
class Loot:
    """A stolen key: whose it is, and how records of each version show it."""

    who: Callable[[str], Document]
    session_arn: str
    scene: Scene
    instance_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """From where a thief calls, when, and what is to be said of it."""

    network: Network
    at: datetime
    expected: str = INSTANCE_OUTSIDE
    severity: str = "HIGH"
    agents: Sequence[str] = AGENTS
    calls: Sequence[Call] = CALLS
    lasts: timedelta = timedelta(minutes=9)
    count: int = 0
    delivery: str = "2.0"
    excluded: str = ""
    is_turned: bool = False


def loot_of(stage: Stage, victim: Instance, at: datetime, delivery: str = "2.0") -> Loot:
    """The key that IMDS hands out at `at`."""
    key = stage.keys(victim).newest(delivery, at)
    return Loot(
        who=lambda version: identity.instance_session(victim, key, version),
        session_arn=victim.session_arn,
        scene=scene_of(victim),
        instance_id=victim.id,
    )


def loot_of_resident(victim: Resident, held: Sequence[Held], at: datetime) -> Loot:
    """The key that the victim held at `at`."""
    who = [it.who for it in held if it.at <= at][-1]
    return Loot(spree.as_ever(who), victim.arn, victim.scene)


def steal(stage: Stage, victim: Instance, plot: Plot) -> truth.Theft:
    """Use a key of the instance as plotted."""
    return use(stage, loot_of(stage, victim, plot.at, plot.delivery), plot)


def use(stage: Stage, loot: Loot, plot: Plot) -> truth.Theft:
    """Write the thief's calls, and put the truth of them down."""
    agent, end = stage.rng.choice(plot.agents), min(plot.at + plot.lasts, stage.window.end)
    work = Spree(
        who=loot.who,
        route=route.steady(plot.network),
        agent=agent,
        scene=loot.scene,
        calls=plot.calls,
        refused=theft.REFUSED,
    )
    moments = spree.within(stage.rng, plot.at, end, plot.count or stage.rng.randint(*_COUNT))
    records = spree.made(stage.rng, work, moments)
    stage.records += records
    stage.thefts.append(_truth(stage, loot, plot, records, agent))
    return stage.thefts[-1]


def _truth(stage: Stage, loot: Loot, plot: Plot, records: Sequence[Document], agent: str) -> truth.Theft:
    network, times = plot.network, [record["eventTime"] for record in records]
    return truth.Theft(
        kind=stage.kind,
        session_arn=loot.session_arn,
        account=loot.scene.account,
        instance_id=loot.instance_id,
        access_keys=tuple(sorted({record["userIdentity"]["accessKeyId"] for record in records})),
        address=network.address,
        vpc_endpoint=network.endpoint,
        vpc_endpoint_account=network.endpoint_account,
        expected_type="" if plot.excluded else plot.expected,
        expected_severity="" if plot.excluded else plot.severity,
        first_seen=min(times),
        last_seen=max(times),
        event_ids=tuple(record["eventID"] for record in records),
        excluded=plot.excluded,
        is_turned=plot.is_turned,
        user_agent=agent,
    )
