"""What drills leave behind in a queue wakes nobody."""

from datetime import UTC, datetime
from random import Random

from straykey.sim.drill import drill
from straykey.stores.database import Database
from straykey.watch import rehearsal
from straykey.watch.feed import Parcel
from straykey.watch.rehearsal import Rehearsal
from tests.records import use_record
from tests.watch.records_in import Process, Shelf

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW, LATER = "2026-05-04T12:00:00Z", "2026-05-04T13:00:00Z"
THEFT = drill(Random(1), AT, "us-east-1")


def seen_by(process: Process, shelf: Shelf, now: str) -> set[str]:
    process.take([Parcel("m", objects=(shelf.put(f"o {now}", [*THEFT.records, use_record()]),))], now)
    with process.store.ledger() as ledger:
        return set(ledger.sessions)


def test_a_drill_that_goes_on_is_seen_like_any_theft(database: Database) -> None:
    shelf = Shelf()
    process = Process(database, shelf)
    with process.store.writing() as writing:
        rehearsal.begin(writing.connection, Rehearsal(THEFT.arn, LATER))
    assert THEFT.arn in seen_by(process, shelf, NOW)
    assert any(one.finding.session.arn == THEFT.arn for one in process.mirror.findings.values())


def test_what_comes_of_a_drill_that_is_over_is_thrown_away_and_nothing_else_is(database: Database) -> None:
    shelf = Shelf()
    process = Process(database, shelf)
    with process.store.writing() as writing:
        rehearsal.begin(writing.connection, Rehearsal(THEFT.arn, LATER))
    (kept,) = seen_by(process, shelf, LATER)
    assert kept != THEFT.arn
    assert not process.mirror.findings


def test_a_drill_that_was_ended_is_over_at_once(database: Database) -> None:
    shelf = Shelf()
    process = Process(database, shelf)
    with process.store.writing() as writing:
        rehearsal.begin(writing.connection, Rehearsal(THEFT.arn, LATER))
        rehearsal.end(writing.connection)
    assert THEFT.arn not in seen_by(process, shelf, NOW)


def test_a_role_of_that_name_in_an_account_of_yours_is_no_drill(database: Database) -> None:
    shelf = Shelf()
    process = Process(database, shelf)
    process.take([Parcel("m", objects=(shelf.put("o", [use_record(role="straykey-drill")]),))], NOW)
    with process.store.ledger() as ledger:
        assert len(ledger.sessions) == 1
