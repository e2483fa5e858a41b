"""How far things are, as it is kept."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from straykey.core.coverage import Covered, Kind, Seen
from straykey.stores import evidence, progress
from straykey.stores.database import Database
from straykey.stores.evidence import ObjectName
from straykey.stores.progress import Worker

HOURS = [f"2026-05-04T{hour:02}:00:00Z" for hour in range(24)]
READ, WRITE = (Covered("111122223333", "eu-west-1", kind) for kind in (Kind.READ, Kind.WRITE))
OTHER = Covered("444455556666", "eu-west-1", Kind.READ)


@pytest.fixture
def kept(database: Database) -> Iterator[Connection]:
    with database.transaction() as connection:
        yield connection


def test_what_is_covered_grows_at_either_end_and_shrinks_at_none(kept: Connection) -> None:
    progress.widen(kept, {READ: Seen(HOURS[5], HOURS[6]), OTHER: Seen(HOURS[1], HOURS[1])})
    progress.widen(kept, {READ: Seen(HOURS[4], HOURS[5])})
    progress.widen(kept, {READ: Seen(HOURS[5], HOURS[9]), WRITE: Seen(HOURS[2], HOURS[2])})
    progress.widen(kept, {})
    assert progress.coverage_of(kept) == {
        READ: Seen(HOURS[4], HOURS[9]),
        WRITE: Seen(HOURS[2], HOURS[2]),
        OTHER: Seen(HOURS[1], HOURS[1]),
    }


def test_thousands_of_accounts_are_covered_at_once(kept: Connection) -> None:
    many = {Covered(f"{n:012}", "eu-west-1", Kind.READ): Seen(HOURS[1], HOURS[2]) for n in range(1_000)}
    progress.widen(kept, many)
    progress.widen(kept, dict.fromkeys(many, Seen(HOURS[0], HOURS[1])))
    assert progress.coverage_of(kept) == dict.fromkeys(many, Seen(HOURS[0], HOURS[2]))


def test_a_position_that_was_never_stored_is_empty_and_the_last_one_counts(kept: Connection) -> None:
    assert progress.position_of(kept, "history:eu-west-1") == ""
    for position in ("one", "\x00two é"):
        progress.put_position(kept, "history:eu-west-1", position)
    assert progress.position_of(kept, "history:eu-west-1") == "\x00two é"
    assert progress.position_of(kept, "history:us-east-1") == ""


def test_of_each_process_the_last_word_is_kept(kept: Connection) -> None:
    first = Worker("a", HOURS[0], HOURS[1])
    last = Worker("a", HOURS[0], HOURS[2], 7, 2, HOURS[1], "s3://b/\x00\x1b[2J", 1.5, 3)
    other = Worker("b", HOURS[0], HOURS[1])
    for one in (other, first, last):
        progress.put_worker(kept, one)
    assert progress.workers_of(kept) == [last, other]
    progress.drop_worker(kept, "a")
    assert progress.workers_of(kept) == [other]


def test_processes_that_were_silent_are_let_go_of(kept: Connection) -> None:
    for name, hour in (("a", 1), ("b", 2), ("c", 3)):
        progress.put_worker(kept, Worker(name, HOURS[0], HOURS[hour]))
    assert progress.prune_workers(kept, HOURS[2]) == 1
    assert [one.name for one in progress.workers_of(kept)] == ["b", "c"]


def test_objects_are_forgotten_that_were_folded_long_ago(kept: Connection) -> None:
    old, new = ObjectName("logs", "old"), ObjectName("logs", "new")
    evidence.mark(kept, [old], HOURS[1])
    evidence.mark(kept, [new], HOURS[2])
    assert evidence.prune_marks(kept, HOURS[2]) == 1
    assert evidence.marked(kept, [old, new]) == {new}
