"""Mixed worlds for evaluation: a few thefts and a few honest changes, of all kinds by turns.

Equal seeds give equal worlds, byte for byte; over any thirty seeds in a row every kind comes up several times.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from operator import itemgetter
from random import Random

from straykey.sim import ownrole, person, service
from straykey.sim.address import CHINA_REGION, AddressPlan
from straykey.sim.change import CHANGES
from straykey.sim.company import ACCOUNTS, ATTACKERS, CHINA_ACCOUNT, Company, Window
from straykey.sim.heist import HEISTS
from straykey.sim.ranges import ip_ranges
from straykey.sim.record import Document
from straykey.sim.scenario import START, Scenario
from straykey.sim.stage import Stage, World

_HOURS = 3
_FEWEST_INSTANCES = 25
_OFFICES = 4
_LEAST, _SPREAD = 5, 5  # of thefts, and of changes
THEFT_STRIDE, CHANGE_STRIDE = 9, 11
_PLACES = tuple(zip(ACCOUNTS, ("eu-west-1", "us-east-1", "eu-central-1"), strict=True))
_CHINA = (CHINA_ACCOUNT, CHINA_REGION)

Play = Callable[[Stage], None]


def world(seed: int) -> Scenario:
    """Three hours of some thirty instances, with five to nine thefts and as many changes."""
    stages, company = _played(seed)
    window = company.window
    records = [record for stage in stages for record in stage.records]
    records += _bystanders(seed, company)
    records.sort(key=itemgetter("eventTime", "eventID"))
    accounts = (*ACCOUNTS, CHINA_ACCOUNT) if any(stage.account == CHINA_ACCOUNT for stage in stages) else ACCOUNTS
    return Scenario(
        seed=seed,
        start=window.start,
        hours=_HOURS,
        instances=len(company.instances),
        accounts=accounts,
        attacker_accounts=ATTACKERS,
        records=tuple(records),
        thefts=tuple(theft for stage in stages for theft in stage.thefts),
        sessions=tuple(session for stage in stages for session in stage.sessions()),
        ip_ranges=ip_ranges(window.start),
        changes=tuple(change for stage in stages for change in stage.changes),
        late_event_ids=frozenset(event for stage in stages for event in stage.late),
    )


def dealt(kinds: Mapping[str, Play], seed: int, stride: int) -> Iterator[tuple[str, Play]]:
    """The kinds of this seed: a stretch of the round, which begins where the seed says."""
    names, begin = tuple(kinds), seed * stride
    for place in range(_LEAST + seed % _SPREAD):
        name = names[(begin + place) % len(names)]
        yield name, kinds[name]


def _played(seed: int) -> tuple[list[Stage], Company]:
    """All episodes, and the company they were played in."""
    plays = [*dealt(HEISTS, seed, THEFT_STRIDE), *dealt(CHANGES, seed, CHANGE_STRIDE)]
    rng = Random(f"{seed}/trial")
    window = Window(START, START + timedelta(hours=_HOURS))
    plan = AddressPlan(rng)
    shared = World(seed, window, plan, plan.premises(), pace=_pace(len(plays)))
    stages = []
    for number, (kind, play) in enumerate(plays):
        place = _CHINA if kind.startswith("china") else _PLACES[(seed + number) % len(_PLACES)]
        stages.append(Stage(shared, kind, number, place))
        play(stages[-1])
    stages.append(_quiet(shared, _PLACES[seed % len(_PLACES)]))
    offices = tuple(plan.office() for _ in range(_OFFICES))
    return stages, Company(window, plan, shared.premises, offices, tuple(shared.vpcs), tuple(shared.instances))


def _pace(episodes: int) -> float:
    """Slower where there is more to tell, so that worlds are of about one size."""
    return 0.42 - 0.011 * episodes


def _quiet(shared: World, place: tuple[str, str]) -> Stage:
    """Instances that nothing happens to, until there are enough."""
    stage = Stage(shared, "quiet", 99, place)
    vpcs = [stage.vpc("public"), stage.vpc("nat"), stage.vpc("gateway", ("s3", "dynamodb"))]
    for number in range(max(3, _FEWEST_INSTANCES - len(shared.instances))):
        stage.live(stage.instance(vpcs[number % len(vpcs)]))
    return stage


def _bystanders(seed: int, company: Company) -> Iterator[Document]:
    yield from ownrole.infrastructure(Random(f"{seed}/infrastructure"), company)
    yield from person.records(Random(f"{seed}/people"), company)
    yield from service.records(Random(f"{seed}/services"), company.window, ACCOUNTS[:1])
