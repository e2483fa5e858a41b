"""The contract of a store, on every database it runs on: what is taken in, in any pieces, comes to what was read."""

import os
import random
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from straykey.core.codec import evidence_to_bytes
from straykey.core.evidence import Bounds
from straykey.core.folding import Folding
from straykey.core.judge import judge
from straykey.core.ledger import PackedLedger, Settled
from straykey.core.reading import decode
from straykey.core.run import Packing
from straykey.core.settings import Settings
from straykey.errors import StoreError
from straykey.formats.finding_json import to_document
from straykey.pipeline import Period, fold
from straykey.stores import schema
from straykey.stores.database import Database, shown
from straykey.stores.sql import ObjectName, SqlStore
from tests.core.test_ledger_laws import TIGHT, drawn, histories, read
from tests.records import RawRecord, allocation_record, trail, use_record
from tests.seen import RANGES

NOW = "2026-05-04T10:00:00Z"
ONE, OTHER = (ObjectName("logs", f"AWSLogs/111122223333/CloudTrail/{name}.json.gz") for name in ("one", "other"))


def folded(records: list[RawRecord], bounds: Bounds = TIGHT) -> PackedLedger:
    folding = Folding(bounds, Packing())
    fold([decode(trail(*records))], folding, Period())
    return folding.ledger()


def told(ledger: Settled) -> tuple[bytes, str]:
    """All that a settled ledger holds, and all that is judged from it; whatever its subjects are called."""
    sessions = {arn: drawn(evidence) for arn, evidence in ledger.sessions.items()}
    held = (sessions, sorted(ledger.accounts), sorted(ledger.grants), sorted(ledger.makings))
    findings = to_document(judge(ledger, Settings(), RANGES), {})
    return msgspec.json.encode(held, order="deterministic"), findings


def stored(store: SqlStore) -> tuple[bytes, str]:
    with store.ledger() as ledger:
        return told(ledger)


def plain(records: list[RawRecord]) -> tuple[bytes, str]:
    ledger = read(records)
    ledger.settle()
    return told(ledger)


def emptied(database: Database) -> SqlStore:
    with database.transaction() as connection:
        for table in (schema.sessions, schema.facts, schema.accounts, schema.objects):
            connection.execute(sqlalchemy.delete(table))
    return SqlStore(database, TIGHT)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_pieces_in_any_order_and_any_of_them_twice_come_to_what_one_reader_saw(
    database: Database, records: list[RawRecord], rng: random.Random, pieces: int
) -> None:
    store = emptied(database)
    shares: list[list[RawRecord]] = [[] for _ in range(pieces)]
    for record in records:
        for share in rng.sample(shares, k=rng.randint(1, pieces)):
            share.append(record)
    for share in shares:
        store.absorb(folded(share), [ONE], NOW)
    assert stored(store) == plain(records)


def test_a_session_is_looked_up_by_its_arn(database: Database) -> None:
    store = SqlStore(database)
    store.absorb(folded([use_record()], Bounds()), [ONE], NOW)
    with store.ledger() as ledger:
        (arn,) = ledger.sessions
        assert ledger.sessions[arn].session.arn == arn
        assert len(ledger.sessions) == 1
        assert ledger.sessions.get("arn:aws:sts::111122223333:assumed-role/nobody/i-0") is None


def test_an_object_taken_in_is_known_afterwards_and_another_is_not(database: Database) -> None:
    store = SqlStore(database)
    store.absorb(folded([use_record()], Bounds()), [ONE], NOW)
    assert store.folded([ONE, OTHER, ObjectName(ONE.bucket, ONE.key, "a version")]) == {ONE}


def test_what_fails_midway_leaves_nothing(database: Database) -> None:
    class Broken(msgspec.Struct):
        """A ledger whose facts cannot be read."""

        sessions: object

    store = SqlStore(database)
    with pytest.raises(AttributeError):
        store.absorb(Broken(folded([use_record()], Bounds()).sessions), [ONE], NOW)  # type: ignore[arg-type]
    assert store.folded([ONE]) == set()
    with store.ledger() as ledger:
        assert len(ledger.sessions) == 0


def test_names_that_no_text_column_takes_are_kept_as_they_are(database: Database) -> None:
    name = "i-\x00\ufffd" + "x" * 5000
    store = SqlStore(database)
    store.absorb(folded([use_record(instance=name)], Bounds()), [ONE], NOW)
    with store.ledger() as ledger:
        (arn,) = ledger.sessions
        assert arn.endswith(name)
        assert ledger.sessions[arn].session.name == name


def test_a_store_opened_again_holds_what_it_held(url: str) -> None:
    first = Database(url)
    SqlStore(first).absorb(folded([use_record()], Bounds()), [ONE], NOW)
    first.close()
    second = Database(url)
    assert SqlStore(second).folded([ONE]) == {ONE}
    second.close()


def test_many_writers_at_once_lose_nothing(url: str) -> None:
    records = [
        use_record(event_id=f"e{n}", time=f"2026-05-04T10:{n:02}:00Z", address=f"198.18.0.{n}") for n in range(20)
    ]
    databases = [Database(url) for _ in range(4)]

    def write(place: int) -> None:
        for record in records[place::4]:
            SqlStore(databases[place], TIGHT).absorb(folded([record]), [ONE], NOW)

    together([partial(write, place) for place in range(4)])
    assert stored(SqlStore(databases[0], TIGHT)) == plain(records)
    for database in databases:
        database.close()


def together(works: list[Callable[[], None]]) -> None:
    failed: list[BaseException] = []

    def kept(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=kept, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_transaction_waits_for_the_one_before(url: str) -> None:
    first, second = Database(url), Database(url)
    entered = threading.Event()

    def enter() -> None:
        with second.transaction():
            entered.set()

    waiting = threading.Thread(target=enter)
    with first.transaction():
        waiting.start()
        assert not entered.wait(0.3)
    assert entered.wait(60)
    waiting.join()
    first.close()
    second.close()


def test_of_many_facts_about_one_subject_as_many_are_kept_as_one_reader_keeps(database: Database) -> None:
    records = [
        allocation_record(time=f"2026-05-04T10:{n:02}:00Z", account="111122223333") | {"eventID": f"e{n}"}
        for n in range(12)
    ]
    store = SqlStore(database, TIGHT)
    for record in records:
        store.absorb(folded([record]), [ONE], NOW)
    assert stored(store) == plain(records)


def test_what_is_committed_while_a_ledger_is_open_is_not_in_it(database: Database) -> None:
    store = SqlStore(database)
    store.absorb(folded([use_record()], Bounds()), [ONE], NOW)
    with store.ledger() as ledger:
        store.absorb(folded([use_record(instance="i-0bbbbbbbbbbbbbbbb")], Bounds()), [OTHER], NOW)
        assert len(list(ledger.sessions.items())) == 1
    with store.ledger() as ledger:
        assert len(ledger.sessions) == 2


def test_tables_after_all_migrations_are_those_of_the_schema(database: Database) -> None:
    with database.snapshot() as connection:
        inspected = sqlalchemy.inspect(connection)
        found = {
            name: {column["name"] for column in inspected.get_columns(name)}
            for name in inspected.get_table_names()
            if name != "alembic_version"
        }
    assert found == {table.name: {column.name for column in table.columns} for table in schema.metadata.tables.values()}


def test_who_stops_in_the_middle_of_a_transaction_holds_up_others_for_minutes_and_no_longer(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "10min"
    with database.snapshot() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "0"
    database.close()


def test_a_store_of_a_later_version_is_refused(url: str) -> None:
    database = Database(url)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StoreError, match="later version"):
        Database(url)


def test_evidence_that_an_older_version_wrote_unpacked_is_read(database: Database) -> None:
    store = SqlStore(database)
    store.absorb(folded([use_record()], Bounds()), [ONE], NOW)
    with store.ledger() as ledger:
        written = dict(ledger.sessions.items())
    (evidence,) = written.values()
    with database.transaction() as connection:
        connection.execute(sqlalchemy.update(schema.sessions).values(evidence=evidence_to_bytes(evidence)))
    with store.ledger() as ledger:
        assert dict(ledger.sessions.items()) == written


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: data[:40] + b"?" + data[41:], lambda _: b"\x01?"]
)
def test_evidence_that_is_damaged_is_told(database: Database, damage: Callable[[bytes], bytes]) -> None:
    store = SqlStore(database)
    store.absorb(folded([use_record()], Bounds()), [ONE], NOW)
    with database.transaction() as connection:
        (data,) = connection.scalars(sqlalchemy.select(schema.sessions.c.evidence))
        connection.execute(sqlalchemy.update(schema.sessions).values(evidence=damage(data)))
    with pytest.raises(StoreError, match="damaged"), store.ledger() as ledger:
        list(ledger.sessions.items())
    with pytest.raises(StoreError, match="damaged"):
        store.absorb(folded([use_record(event="GetObject")], Bounds()), [OTHER], NOW)


def test_evidence_of_a_later_version_is_refused(database: Database) -> None:
    store = SqlStore(database)
    store.absorb(folded([use_record()], Bounds()), [ONE], NOW)
    with database.transaction() as connection:
        connection.execute(sqlalchemy.update(schema.sessions).values(evidence=b"\xff"))
    with pytest.raises(StoreError, match="later version"), store.ledger() as ledger:
        list(ledger.sessions.items())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://somebody@host/db", "not supported"),
        ("://", "no address"),
        ("postgresql://somebody:secret@127.0.0.1:1/db", "connection"),
        ("postgresql://somebody:se@cret:s3cret@host/db", "no address"),
        ("postgresql://somebody:se@s3cret@host/db", "no address"),
        ("postgresql://somebody:se@c/s3cret@host/db", "no address"),
        ("postgresql://somebody:secret@host:s3cret/db", "no address"),
        ("postgresql://somebody:secret@[::1/db", "no address"),
        ("postgresql://somebody:secret@host..name/db", "no address"),
        ("postgresql://somebody@127.0.0.1:1/db?password=secret", "postgresql://127.0.0.1/db: connection"),
        ("postgresql://somebody@127.0.0.1:1/db?host=s3cret&port=s3cret", "no address"),
        ("sqlite://somebody:secret@host/db", "no address"),
        ("sqlite:////nowhere/store.db?timeout=secret", "no address"),
        ("/nowhere/\0", "no address"),
    ],
)
def test_a_store_that_cannot_be_opened_is_told_without_its_password(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as told_of:
        Database(url)
    assert "cret" not in f"{told_of.value} {told_of.value.hint}"


def test_a_complaint_about_an_address_does_not_carry_it_along() -> None:
    with pytest.raises(StoreError) as told_of:
        Database("postgresql://somebody:se@cret:s3cret@host/db")
    assert told_of.value.__cause__ is None
    assert told_of.value.__suppress_context__


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Database(str(tmp_path / "notes.txt"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        Database(str(tmp_path / "none" / "store.db"))


def test_a_file_is_told_without_what_stands_behind_its_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none/store\.db: unable to open") as told_of:
        Database(f"sqlite:///{tmp_path}/none/store.db?timeout=7&uri=true&password=secret")
    assert "secret" not in str(told_of.value)
    assert shown(f"sqlite:///{tmp_path}/store.db?password=secret") == f"{tmp_path}/store.db"


def test_a_new_file_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        database = Database(str(tmp_path / "store.db"))
        with database.transaction():
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        database.close()
    finally:
        os.umask(before)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_a_file_that_is_there_stays_as_readable_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.touch()
    file.chmod(0o640)
    Database(str(file)).close()
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_file_that_is_not_there_makes_it_readable_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    Database(str(tmp_path / "link.db")).close()
    assert (tmp_path / "store.db").stat().st_mode & 0o777 == 0o600
