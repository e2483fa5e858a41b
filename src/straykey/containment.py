"""Joins a finding with the evidence it came of, the account and the journal: what `straykey contain` works with."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from straykey import aws, casebook
from straykey.contain.account import Account
from straykey.contain.clients import Clients
from straykey.contain.ground import name_of
from straykey.contain.offshoot import offshoots_of
from straykey.contain.plan import Option
from straykey.contain.reading import read_account
from straykey.contain.recorded import theft_of
from straykey.contain.stored import steps_read
from straykey.contain.theft import Called, Caller, Theft
from straykey.contain.verify import Verification, Watched, used
from straykey.core.finding import Finding
from straykey.core.ledger import Settled
from straykey.core.moment import later
from straykey.core.session import is_instance_id
from straykey.errors import StraykeyError, UsageError
from straykey.formats.text import bounded
from straykey.pipeline import Period
from straykey.ports import Containment, Phase, Source
from straykey.sources.history import GLOBAL
from straykey.stores import journal
from straykey.stores.database import Database, is_missing
from straykey.stores.journal import SqlJournal

_SHORTEST_ID = 8
_LONGEST_KEY_SECONDS = 7 * 3600  # EC2's live six hours and some


def picked(findings: Iterable[Finding], name: str) -> Finding:
    """The one whose id begins so.  Raises `UsageError` if none does, or several do."""
    beginning = name.strip().lower()
    found = [one for one in findings if beginning and one.id.startswith(beginning)]
    if len(found) != 1:
        told = "no finding begins" if not found else f"{len(found)} findings begin"
        raise UsageError(f"{told} with {bounded(name, 40)}", hint="straykey scan --format json shows the ids")
    return found[0]


def in_store(where: str, name: str) -> tuple[Finding, Theft]:
    """From what `watch` keeps."""
    with casebook.opened(where) as store:
        finding = casebook.followed(store, name).tracked.finding
        with store.ledger() as ledger:
            return finding, theft_of(finding, ledger)


def in_logs(findings: Iterable[Finding], ledger: Settled, name: str) -> tuple[Finding, Theft]:
    """From a scan, or from what an earlier one found and the logs it read."""
    finding = picked(findings, name)
    return finding, theft_of(finding, ledger)


def clients_for(theft: Theft) -> Clients:
    """With the credentials that every AWS tool would use, in the region of the workload."""
    session = aws.session()
    return Clients(session, theft.workload.region or session.region_name or "us-east-1")


def account_of(theft: Theft) -> tuple[Account | None, str]:
    """What the account says; or nothing, and why."""
    workload = theft.workload
    instance = workload.instance if is_instance_id(workload.instance) else ""
    try:
        clients = clients_for(theft)
        elsewhere = {caller.region for caller in theft.sisters}
        read = read_account(clients, workload.account, workload.role, instance, clients.region, elsewhere=elsewhere)
    except StraykeyError as error:
        return None, f"{error}; {error.hint}" if error.hint else str(error)
    return read, ""


@contextmanager
def journal_in(where: str) -> Iterator[SqlJournal]:
    """In the store; it is made if there is none."""
    database = Database(where)
    try:
        yield SqlJournal(database)
    finally:
        database.close()


def begun_for(where: str, name: str) -> list[Containment]:
    """What was begun for the finding whose id begins so, the first first.  Raises `UsageError` if it names several."""
    beginning = name.strip().lower()
    if len(beginning) < _SHORTEST_ID:
        raise UsageError(f"{bounded(name, 40)}: too short an id", hint=f"give {_SHORTEST_ID} letters of it, or more")
    if is_missing(where):
        return []
    with casebook.opened(where) as store, store.reading() as connection:
        there = [one for one in journal.containments_for(connection, "") if one.finding.startswith(beginning)]
    if len({one.finding for one in there}) > 1:
        raise UsageError(f"several findings begin with {bounded(name, 40)}", hint="give more of the id")
    return there


def standing(begun: Iterable[Containment]) -> list[Containment]:
    """Those that are not rolled back."""
    return [one for one in begun if one.phase is not Phase.ROLLED_BACK]


def good_until(begun: Iterable[Containment], now: str) -> str:
    """Until when keys that were stolen before may still be good; empty if none of these denied any, or all are over."""
    denying = [one.begun for one in begun if not Option(one.option).is_companion]
    until = later(max(denying), _LONGEST_KEY_SECONDS) if denying else ""
    return until if until > now else ""


def regions_of(theft: Theft) -> list[str]:
    """Where what the thief, the workload and its sisters do is recorded; what is of no region is in the global one."""
    callers = (theft.workload, theft.thief, *theft.sisters, *theft.heirs)
    used = {called.region for caller in callers for called in caller.calls}
    main = GLOBAL.get(theft.partition, theft.workload.region)
    return sorted(({theft.workload.region, main} | used | {one.region for one in theft.created}) - {""})


def watched(theft: Theft, since: str, applied: Iterable[Containment] = ()) -> Watched:
    """Whom to look for in records made since then.  Where the workload was seen before that is home.

    `applied` is what the journal says; a copy of the role that was made by other means is known by its name.
    """
    homes = {one.key for one in theft.homes} | {called.network.key for called in theft.workload.calls}
    strays = {one.key for one in theft.strays}
    workloads = {called.access_key for called in theft.workload.calls}
    roles = {name_of(Option.SWAP_ROLE, theft.finding)}.union(*map(_roles_made, applied))
    session = theft.workload.arn.rpartition("/")[2]
    return Watched(
        session=theft.workload.arn,
        homes=frozenset(homes - strays),
        strays=frozenset(strays),
        stolen=frozenset({called.access_key for called in theft.thief.calls} - workloads - {""}),
        made=offshoots_of(theft, since),
        since=since,
        thief_did=_succeeded(theft.thief, since) | {name for heir in theft.heirs for name in _succeeded(heir, since)},
        workload_did=_succeeded(theft.workload, since),
        copies=frozenset(
            f"arn:{theft.partition}:sts::{theft.workload.account}:assumed-role/{role}/{session}" for role in roles
        ),
        sisters_did={sister.arn: _succeeded(sister, since) for sister in theft.sisters},
        thief_used=frozenset(
            used(thief.arn, one.access_key, one.network.key, one.call)
            for thief in (theft.thief, *theft.heirs)
            for one in _successes(thief, since)
        ),
    )


def _roles_made(containment: Containment) -> set[str]:
    """The names of roles that its plan makes: whether it came so far does not matter here."""
    calls = (step.call for step in steps_read(containment.plan))
    return {str(call.parameters["RoleName"]) for call in calls if call.operation == "CreateRole"}


def _successes(caller: Caller, before: str) -> Iterator[Called]:
    return (one for one in caller.calls if not one.error and one.time < before)


def _succeeded(caller: Caller, before: str) -> frozenset[str]:
    return frozenset(one.call for one in _successes(caller, before))


def verification(source: Source, who: Watched, period: Period) -> Verification:
    """All records of a source, read for what became of a theft."""
    found = Verification(who)
    for batch in source.batches():
        for portion in batch.portions:
            records = [*portion.records, *(record for record, _ in portion.mended)]
            found.take(record for record in records if period.holds(record.time))
    return found
