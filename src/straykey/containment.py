"""Joins a finding with the evidence it came of, the account and the journal: what `straykey contain` works with."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from straykey import aws, casebook
from straykey.contain.account import Account
from straykey.contain.clients import Clients
from straykey.contain.reading import read_account
from straykey.contain.recorded import theft_of
from straykey.contain.theft import Caller, Theft
from straykey.contain.verify import Verification, Watched
from straykey.core.finding import Finding
from straykey.core.ledger import Settled
from straykey.core.session import is_instance_id
from straykey.errors import StraykeyError, UsageError
from straykey.formats.text import bounded
from straykey.pipeline import Period
from straykey.ports import Containment, Phase, Source
from straykey.stores import journal
from straykey.stores.database import Database, is_missing
from straykey.stores.journal import SqlJournal

_SHORTEST_ID = 8


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
        return read_account(clients, workload.account, workload.role, instance, clients.region), ""
    except StraykeyError as error:
        return None, f"{error}; {error.hint}" if error.hint else str(error)


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


def watched(theft: Theft, since: str) -> Watched:
    """Whom to look for in records made since then.  Where the workload was seen before that is home."""
    homes = {one.key for one in theft.homes} | {called.network.key for called in theft.workload.calls}
    heirs = {one.access_key for one in theft.created if one.access_key}
    return Watched(
        session=theft.workload.arn,
        homes=frozenset(homes - {one.key for one in theft.strays}),
        heirs=frozenset(heirs),
        since=since,
        thief_did=_succeeded(theft.thief, since),
        workload_did=_succeeded(theft.workload, since),
    )


def _succeeded(caller: Caller, before: str) -> frozenset[str]:
    return frozenset(one.call for one in caller.calls if not one.error and one.time < before)


def verification(source: Source, who: Watched, period: Period) -> Verification:
    """All records of a source, read for what became of a theft."""
    found = Verification(who)
    for batch in source.batches():
        for portion in batch.portions:
            records = [*portion.records, *(record for record, _ in portion.mended)]
            found.take(record for record in records if period.holds(record.time))
    return found
