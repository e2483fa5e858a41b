"""Thefts that differ in where the thief hides."""

from datetime import timedelta

from straykey.sim import china, identifier, operation, route, storage, theft, thief
from straykey.sim.address import CHINA_REGION, REGIONS, Network
from straykey.sim.change_address import restarted
from straykey.sim.change_egress import leaving
from straykey.sim.company import ACCOUNTS, ATTACKERS, INTERFACE_SERVICES, Instance
from straykey.sim.stage import Stage
from straykey.sim.thief import INSTANCE_INSIDE, Plot
from straykey.sim.workload import Life

_KINDS = {kind.name: kind for kind in theft.KINDS}
_S3_ONLY = (storage.LIST_BUCKETS, storage.GET_BUCKET_POLICY, *theft.TAKE)
_UNOWNED = (operation.DESCRIBE_ALARMS, operation.LIST_METRICS, operation.DESCRIBE_SCALING_INSTANCES)
SAME_NAT = "A thief behind the same NAT or on the instance itself is invisible to addresses"


def _resident(stage: Stage) -> Instance:
    """A victim that goes on living at home, by an address of its own."""
    it = stage.instance(stage.vpc("public"))
    stage.live(it)
    return it


def _as_ever(stage: Stage, victim: Instance, network: Network) -> None:
    """Steal as the kind of `theft.KINDS` that has the stage's name does."""
    kind = _KINDS[stage.kind]
    plot = Plot(
        network=network,
        at=stage.moment(),
        expected=kind.expected,
        severity=kind.severity,
        calls=kind.calls,
        delivery=kind.delivery,
    )
    thief.steal(stage, victim, plot)


def outside_aws(stage: Stage) -> None:
    _as_ever(stage, _resident(stage), outside(stage))


def inside_aws(stage: Stage) -> None:
    _as_ever(stage, _resident(stage), stranger(stage))


def foreign_endpoint(stage: Stage) -> None:
    victim = _behind_endpoints(stage)
    _as_ever(stage, victim, _rented(stage, stage.plan.private("172.31")))


def affiliated(stage: Stage) -> None:
    """From the own address of one instance of another account of the company."""
    victim, other = _resident(stage), next(it for it in ACCOUNTS if it != stage.account)
    neighbour = stage.instance(stage.vpc("public", account=other))
    stage.live(neighbour)
    _as_ever(stage, victim, neighbour.network("s3"))


def same_account(stage: Stage) -> None:
    """From the own address of one other instance of the account."""
    victim, neighbour = _resident(stage), _resident(stage)
    _as_ever(stage, victim, neighbour.network("s3"))


def outside(stage: Stage) -> Network:
    return Network(stage.plan.outside())


def stranger(stage: Stage) -> Network:
    return Network(stage.plan.stranger(stage.region))


def elsewhere(stage: Stage) -> Network:
    """A stranger's address in another region of AWS."""
    regions = [region for region in REGIONS if region not in (stage.region, CHINA_REGION)]
    return Network(stage.plan.stranger(stage.rng.choice(regions)))


def rented_endpoint(stage: Stage) -> None:
    """From the victim's very private address, but in the thief's VPC, whose owner the records name."""
    victim = _behind_endpoints(stage)
    network = _rented(stage, victim.private_address)
    thief.steal(stage, victim, Plot(network=network, at=stage.moment(), expected=INSTANCE_INSIDE, calls=_S3_ONLY))


def rented_endpoint_unowned(stage: Stage) -> None:
    """The same by services whose records name no owner, with the key that the victim never uses."""
    victim = _behind_endpoints(stage)
    network = _rented(stage, victim.private_address)
    plot = Plot(network=network, at=stage.moment(), expected=INSTANCE_INSIDE, calls=_UNOWNED, delivery="1.0")
    thief.steal(stage, victim, plot)


def _behind_endpoints(stage: Stage) -> Instance:
    fleet = stage.fleet(stage.vpc("endpoint", (*INTERFACE_SERVICES, "s3")), 3)
    for it in fleet:
        stage.live(it)
    return fleet[0]


def _rented(stage: Stage, address: str) -> Network:
    return Network(address, "endpoint", identifier.resource_id(stage.rng, "vpce"), stage.rng.choice(ATTACKERS))


def v6_outside(stage: Stage) -> None:
    """By IPv6, which the victim has not: the first of its kind is no lane of the victim's."""
    network = Network(stage.plan.outside_v6())
    thief.steal(stage, _resident(stage), Plot(network=network, at=stage.moment(), calls=_S3_ONLY))


def china_outside(stage: Stage) -> None:
    thief.steal(stage, _resident(stage), Plot(network=outside(stage), at=stage.moment()))
    china.translate(stage)


def inside_move(stage: Stage) -> None:
    """While a fleet moves to another way out, and one of it is robbed."""
    fleet, at, after = stage.fleet(stage.vpc("nat"), 5), stage.moment(), stage.tenant()
    for it, left in leaving(stage, fleet, at):
        stage.live(it, Life(route=route.moved(route.of(it), route.steady(after), left)))
    stage.changed([it.session_arn for it in fleet], [after.address], at, kind="egress-moved")
    begin = at + timedelta(seconds=stage.rng.randint(10, 80))
    thief.steal(stage, fleet[2], Plot(network=stranger(stage), at=begin, expected=INSTANCE_INSIDE))


def after_start(stage: Stage) -> None:
    """A start explains one address; the thief uses one more, in another region, and one outside AWS."""
    it, at = stage.instance(stage.vpc("public")), stage.moment(0.15, 0.25)
    again = restarted(stage, it, at)
    stage.changed([it.session_arn], [str(again.public_address)], at, kind="stop-start")
    later = stage.moment(0.5, 0.6)
    thief.steal(stage, again, Plot(network=elsewhere(stage), at=later, expected=INSTANCE_INSIDE))
    thief.steal(stage, again, Plot(network=outside(stage), at=later + timedelta(minutes=12)))


def same_nat(stage: Stage) -> None:
    """From behind the victim's own NAT gateway, with programs as the victim has them."""
    fleet = stage.fleet(stage.vpc("nat"), 3)
    for it in fleet:
        stage.live(it)
    plot = Plot(network=fleet[0].network("s3"), at=stage.moment(), calls=theft.TAKE, excluded=SAME_NAT)
    thief.steal(stage, fleet[0], plot)
