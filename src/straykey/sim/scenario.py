"""A company, its thieves, and everything CloudTrail wrote about them.

Equal arguments give equal scenarios, byte for byte: each part draws from its own stream of the
seed, so that one more theft does not change what honest instances do.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random

from straykey.sim import launch, ownrole, person, service, truth, workload
from straykey.sim.company import ACCOUNTS, ATTACKERS, Company, Instance, Window, found
from straykey.sim.keyring import Keyring, keyring
from straykey.sim.ranges import ip_ranges
from straykey.sim.record import Document
from straykey.sim.theft import robberies

START = datetime(2026, 5, 4, 10, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scenario:
    """The world as it was; `records` are in order of time and must not be edited.

    `late_event_ids` are records that CloudTrail delivers hours after the rest.
    """

    seed: int
    start: datetime
    hours: int
    instances: int
    accounts: tuple[str, ...]
    attacker_accounts: tuple[str, ...]
    records: tuple[Document, ...]
    thefts: tuple[truth.Theft, ...]
    sessions: tuple[truth.Session, ...]
    ip_ranges: Document
    changes: tuple[truth.Change, ...] = ()
    late_event_ids: frozenset[str] = frozenset()


def simulate(*, seed: int, hours: int = 1, instances: int = 12, thefts: int = 2, start: datetime = START) -> Scenario:
    """Let `hours` pass.  ValueError if there are not enough instances for so many thefts."""
    _check(hours, instances, thefts, start)
    window = Window(start, start + timedelta(hours=hours))
    company = found(_stream(seed, "company"), window, instances)
    keyrings = {it.id: keyring(_stream(seed, "keys", it.id), it, window) for it in company.instances}
    robbed = list(robberies(_stream(seed, "thefts"), company, keyrings, thefts))
    records = [record for _, stolen in robbed for record in stolen]
    sessions = []
    for instance in company.instances:
        records += workload.issuances(_stream(seed, "issue", instance.id), instance, keyrings[instance.id], window)
        for arn, honest in _honest(seed, company, instance, keyrings[instance.id]):
            sessions.append(truth.session(window, instance, arn, honest))
            records += honest
    records += launch.built(_stream(seed, "launch"), company)
    records += ownrole.infrastructure(_stream(seed, "infrastructure"), company)
    records += person.records(_stream(seed, "people"), company)
    records += service.records(_stream(seed, "services"), window)
    records.sort(key=itemgetter("eventTime", "eventID"))
    return Scenario(
        seed=seed,
        start=start,
        hours=hours,
        instances=instances,
        accounts=ACCOUNTS,
        attacker_accounts=ATTACKERS,
        records=tuple(records),
        thefts=tuple(theft for theft, _ in robbed),
        sessions=tuple(sessions),
        ip_ranges=ip_ranges(start),
    )


def _honest(seed: int, company: Company, instance: Instance, keys: Keyring) -> list[tuple[str, list[Document]]]:
    """Each session of the instance, with the calls rightly made in it."""
    rng = _stream(seed, "workload", instance.id)
    own = list(workload.calls(rng, instance, keys, company.window))
    managed = list(ownrole.host_management(rng, instance, company.window))
    return [(instance.session_arn, own), *((it["userIdentity"]["arn"], managed) for it in managed[:1])]


def _stream(seed: int, *names: str) -> Random:
    return Random("/".join((str(seed), *names)))


def _check(hours: int, instances: int, thefts: int, start: datetime) -> None:
    if hours < 1 or instances < 1 or thefts < 0:
        raise ValueError("a simulation needs at least one hour and one instance, and no negative thefts")
    if start.utcoffset() != timedelta(0):
        raise ValueError("the start of a simulation must be an aware time in UTC")
