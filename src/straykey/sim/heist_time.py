"""Thefts that differ in when the thief calls: first, after the end, in a burst, or for ever."""

from dataclasses import replace
from datetime import timedelta

from straykey.sim import grant, theft, thief
from straykey.sim.company import Instance
from straykey.sim.heist_network import outside, stranger
from straykey.sim.stage import Stage
from straykey.sim.thief import INSTANCE_INSIDE, Plot
from straykey.sim.workload import Life

_QUIET = timedelta(minutes=14)
_GRACE = timedelta(minutes=15)


def first_outside(stage: Stage) -> None:
    """The thief calls before the instance ever does, which comes minutes later from AWS."""
    vpc, is_launched = stage.vpc("public"), stage.coin()
    it = stage.instance(vpc, launched=stage.moment(0.02, 0.06) if is_launched else None)
    if is_launched:
        stage.launch(it)
    begin = it.launched if is_launched else stage.window.start
    stage.live(it, Life(begin=begin + _QUIET))
    _calls_first(stage, it, Plot(network=outside(stage), at=begin))


def first_inside(stage: Stage) -> None:
    """The same from a stranger's address in AWS: the instance's own is named by a grant, or home to its neighbours."""
    victim = _named(stage) if stage.coin() else _among_neighbours(stage)
    stage.live(victim, Life(begin=stage.window.start + _QUIET))
    begin = stage.window.start
    _calls_first(stage, victim, Plot(network=stranger(stage), at=begin, expected=INSTANCE_INSIDE))


def _named(stage: Stage) -> Instance:
    it, at = stage.instance(stage.vpc("public")), stage.window.start + timedelta(seconds=10)
    allocation, record = grant.allocate(stage.builder, at, it.vpc, str(it.public_address))
    target = {"allocationId": allocation, "instanceId": it.id}
    stage.records += [record, grant.associate(stage.builder, at + timedelta(seconds=9), it.vpc, target)]
    return it


def _among_neighbours(stage: Stage) -> Instance:
    victim, *others = stage.fleet(stage.vpc("nat"), 4)
    for it in others:
        stage.live(it)
    return victim


def _calls_first(stage: Stage, victim: Instance, plot: Plot) -> None:
    """A minute or more after `plot.at`, and over well before the instance wakes."""
    at = plot.at + timedelta(seconds=stage.rng.randint(60, 120))
    thief.steal(stage, victim, replace(plot, at=at, lasts=timedelta(minutes=6), is_turned=True))


def after_termination(stage: Stage) -> None:
    """The key outlives its instance: it is used from the home that others still have, or from outside."""
    fleet, at = stage.fleet(stage.vpc("nat"), 3), stage.moment(0.3, 0.45)
    victim, *others = fleet
    stage.records.append(grant.terminate(stage.builder, at, victim))
    stage.live(victim, Life(end=at + timedelta(seconds=8)))
    for it in others:
        stage.live(it)
    begin = at + _GRACE + timedelta(minutes=stage.rng.randint(3, 30))
    is_home = stage.coin()
    network = victim.network("s3") if is_home else outside(stage)
    expected = INSTANCE_INSIDE if is_home else thief.INSTANCE_OUTSIDE
    loot = thief.loot_of(stage, victim, at - timedelta(seconds=5))
    thief.use(stage, loot, Plot(network=network, at=begin, expected=expected))


def persistent(stage: Stage) -> None:
    """The thief goes on every hour till the end: what lasts is not learned as normal."""
    victim = stage.instance(stage.vpc("public"))
    stage.live(victim)
    at = stage.moment(0.15, 0.25)
    plot = Plot(network=outside(stage), at=at, lasts=stage.window.at(0.97) - at, count=60, calls=theft.TAKE)
    thief.steal(stage, victim, plot)


def many_keys(stage: Stage) -> None:
    """One thief, one address, the keys of a fleet in a burst: what others merely touch explains nothing."""
    fleet, at = stage.fleet(stage.vpc("nat"), stage.rng.randint(4, 6)), stage.moment()
    is_inside = stage.coin()
    network = stranger(stage) if is_inside else outside(stage)
    expected = INSTANCE_INSIDE if is_inside else thief.INSTANCE_OUTSIDE
    for place, victim in enumerate(fleet):
        stage.live(victim)
        plot = Plot(
            network=network,
            at=at + timedelta(seconds=40 * place),
            expected=expected,
            agents=thief.AGENTS[:1],
            lasts=timedelta(minutes=4),
        )
        thief.steal(stage, victim, plot)
