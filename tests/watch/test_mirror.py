"""What a process keeps in memory of the store is what the store holds, whoever wrote it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from straykey.core import lifecycle
from straykey.core.evidence import Bounds
from straykey.core.finding import Status
from straykey.core.grant import Grant
from straykey.core.settings import Settings
from straykey.errors import StoreError
from straykey.stores import evidence, findings
from straykey.stores.database import Database
from straykey.stores.progress import Worker
from straykey.stores.sql import SqlStore, Writing
from straykey.watch import mirror as mirrors
from straykey.watch.commit import Terms, commit
from straykey.watch.feed import Parcel
from straykey.watch.intake import Intake
from straykey.watch.mirror import Judging, Mirror
from tests.records import RawRecord, allocation_record, use_record
from tests.seen import RANGES
from tests.watch.records_in import NOW, Process, Shelf
from tests.watch.test_outcome import AT_HOME, RULE, STOLEN

SMALL = Bounds(grants=3, makings=3)


class Company:
    """Some processes that share one store."""

    def __init__(self, database: Database, bounds: Bounds | None = None) -> None:
        self.shelf = Shelf()
        self.one, self.other = (Process(database, self.shelf, name) for name in ("one", "other"))
        bounds = bounds or Bounds()
        for process in (self.one, self.other):
            process.store = SqlStore(database, bounds)
            process.mirror = Mirror(Judging(Settings(), RANGES, bounds))
            process.intake = Intake(self.shelf, bounds)
        self._objects = 0

    def sees(self, process: Process, *records: RawRecord) -> None:
        self._objects += 1
        process.take([Parcel("m", objects=(self.shelf.put(f"o{self._objects}", records),))])

    def in_turn(self, records: list[RawRecord]) -> None:
        for place, record in enumerate(records):
            self.sees((self.one, self.other)[place % 2], record)
        for process in (self.one, self.other, self.one):
            process.take([])


@pytest.fixture
def company(database: Database) -> Company:
    return Company(database)


def facts_of(mirror: Mirror) -> tuple[object, object, object]:
    return mirror._grants, mirror._makings, mirror._accounts


def held_otherwise(process: Process) -> list[str]:
    """Sessions of which the mirror holds something else than the store."""
    with process.store.reading() as connection:
        there = {one.session.arn: one for one in evidence.sessions_since(connection, -1)}
    mine = process.mirror.held
    return [
        arn
        for arn, held in mine.items()
        if not held.data == evidence.packed(held.evidence) == evidence.packed(there[arn])
    ]


def test_what_one_process_took_in_the_other_judges_with(company: Company) -> None:
    company.sees(company.one, *AT_HOME)
    company.sees(company.other, STOLEN)
    assert [one.status for one in company.other.mirror.findings.values()] == [Status.OPEN]
    company.one.take([])
    assert company.one.mirror.findings == company.other.mirror.findings
    assert company.one.mirror.stays == company.other.mirror.stays


def test_both_know_the_facts_that_either_wrote_and_those_that_fell_out_of_the_bounds(database: Database) -> None:
    company = Company(database, SMALL)
    company.in_turn(
        [
            allocation_record(time=f"2026-05-04T09:{n:02}:00Z", address=f"198.18.3.{n}", event_id=f"a{n}")
            for n in range(9)
        ]
        + [allocation_record(time=f"2026-05-04T10:{n:02}:00Z", event_id=f"b{n}") for n in range(9)]
    )
    with company.one.store.reading() as connection:
        stored = evidence.facts_since(connection, "grant", Grant, -1)
    assert facts_of(company.one.mirror) == facts_of(company.other.mirror)
    assert facts_of(company.one.mirror)[0] == stored
    assert max(len(facts) for facts in stored.by_subject.values()) == 3


def test_a_rule_and_a_word_of_a_person_reach_every_process(company: Company) -> None:
    company.in_turn([*AT_HOME, STOLEN])
    with company.one.store.writing() as writing:
        findings.put_rule(writing.connection, RULE, writing.revision)
    company.one.take([])
    company.other.take([])
    assert [one.rules for one in (company.one.mirror, company.other.mirror)] == [[RULE], [RULE]]
    assert {one.status for one in company.other.mirror.findings.values()} == {Status.SUPPRESSED}
    ended = RULE.ended(NOW)
    with company.one.store.writing() as writing:
        findings.put_rule(writing.connection, ended, writing.revision)
        known = findings.findings_since(writing.connection, -1).values()
        over = [lifecycle.acknowledged(one, "seen", "ann", NOW) for one in known]
        findings.put_findings(writing.connection, over, writing.revision)
    company.other.take([])
    assert company.other.mirror.rules == [ended]
    assert {one.status for one in company.other.mirror.findings.values()} == {Status.ACKNOWLEDGED}


def test_a_finding_that_was_taken_out_is_known_no_more(company: Company) -> None:
    company.in_turn([*AT_HOME, STOLEN])
    with company.one.store.writing() as writing:
        findings.drop_findings(writing.connection, list(company.one.mirror.findings))
        writing.let_go(list(company.one.mirror.stays))
    for process in (company.one, company.other):
        process.take([])
        assert (process.mirror.findings, process.mirror.stays) == ({}, {})


class Full(SqlStore):
    """Fails when what was written is to be committed."""

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        with super().writing() as writing:
            yield writing
            raise StoreError("store: no room")


def test_after_a_transaction_that_failed_all_is_read_anew(database: Database) -> None:
    company = Company(database)
    process = company.one
    company.sees(process, *AT_HOME)
    batch = process.intake.fold([Parcel("m", objects=(company.shelf.put("new", [STOLEN]),))], set()).batch
    with pytest.raises(StoreError):
        commit(Full(database), process.mirror, batch, Worker("one", NOW, NOW), Terms())
    assert (process.mirror.revision, process.mirror.stays, process.mirror.findings) == (-1, {}, {})
    assert process.mirror.held == {}
    process.take([])
    assert process.mirror.sessions == 1
    assert process.mirror.findings == {}
    commit(process.store, process.mirror, batch, Worker("one", NOW, NOW), Terms())
    assert len(process.mirror.findings) == 1
    assert held_otherwise(process) == []


def test_evidence_in_hand_is_what_the_store_holds_after_many_rounds(company: Company) -> None:
    records = [
        use_record(
            instance=f"i-{n % 3:017x}",
            address=f"198.18.0.{n % 5}",
            time=f"2026-05-04T{10 + n // 60:02}:{n % 60:02}:00Z",
            event_id=f"e{n}",
            event=f"List{n}",
        )
        for n in range(90)
    ]
    company.in_turn(records)
    for process in (company.one, company.other):
        assert held_otherwise(process) == []
    assert len(company.one.mirror.held) + len(company.other.mirror.held) >= 3


def test_what_is_in_hand_stays_under_its_size_and_what_changed_last_stays_longest(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = company.one
    company.sees(process, use_record(instance=f"i-{0:017x}"))
    (only,) = process.mirror.held.values()
    monkeypatch.setattr(mirrors, "_MOST_HELD", 5 * len(only.data))
    for n in range(1, 20):
        again = use_record(instance=f"i-{0:017x}", time=f"2026-05-04T10:{n:02}:00Z")
        company.sees(process, use_record(instance=f"i-{n:017x}"), again)
        assert sum(len(one.data) for one in process.mirror.held.values()) <= 5 * len(only.data)
    names = {arn.rpartition("/")[2] for arn in process.mirror.held}
    assert {f"i-{0:017x}", f"i-{19:017x}"} <= names
    assert held_otherwise(process) == []
    assert process.mirror.sessions == 20


def test_nothing_is_in_hand_outside_a_transaction_but_what_is_held(company: Company) -> None:
    company.sees(company.one, use_record())
    company.other.take([])
    (arn,) = company.other.mirror.stays
    with pytest.raises(KeyError):
        company.other.mirror.evidence_of(arn)
    assert company.one.mirror.evidence_of(arn) is company.one.mirror.held[arn].evidence
    with pytest.raises(KeyError):
        company.one.mirror.evidence_of("arn:aws:sts::111122223333:assumed-role/nobody/i-0")
