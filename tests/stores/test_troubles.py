"""What could not be read, as it is kept."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from straykey.stores import troubles
from straykey.stores.database import Database
from straykey.stores.troubles import State, Trouble


@pytest.fixture
def kept(database: Database) -> Iterator[Connection]:
    with database.transaction() as connection:
        yield connection


def trouble(name: str, last: int = 1, state: State = State.QUARANTINED, reason: str = "no") -> Trouble:
    return Trouble(name, state, reason, 1, "2026-05-01T00:00:00Z", f"2026-05-{last:02}T00:00:00Z")


def put(kept: Connection, *some: Trouble) -> None:
    for one in some:
        troubles.put_trouble(kept, one)


def names(kept: Connection, state: State = State.QUARANTINED, most: int = 99) -> list[str]:
    return [one.name for one in troubles.troubles(kept, state, most)]


def test_the_latest_come_first_and_no_more_than_asked_for(kept: Connection) -> None:
    put(kept, trouble("a", 1), trouble("b", 3), trouble("c", 2))
    assert names(kept, most=2) == ["b", "c"]


def test_of_one_object_the_last_trouble_is_kept(kept: Connection) -> None:
    put(kept, trouble("a", state=State.TRYING), trouble("a", 2))
    assert troubles.trouble_of(kept, "a") == trouble("a", 2)
    assert troubles.counts(kept) == {State.QUARANTINED: 1}


def test_what_is_mended_is_in_trouble_no_more(kept: Connection) -> None:
    put(kept, trouble("a"))
    troubles.drop_trouble(kept, "a")
    troubles.drop_trouble(kept, "never was")
    assert troubles.trouble_of(kept, "a") is None


def test_names_with_any_signs_are_kept_as_they_are(kept: Connection) -> None:
    put(kept, trouble("s3://b/\x00\x1b[2J\u202e"))
    assert names(kept) == ["s3://b/\x00\x1b[2J\u202e"]


def test_a_name_or_a_reason_as_long_as_a_message_is_cut_and_names_no_other(kept: Connection) -> None:
    put(kept, trouble("x" * 1_000_000 + "a", reason="y" * 1_000_000), trouble("x" * 1_000_000 + "b"))
    first, second = troubles.troubles(kept, State.QUARANTINED, 9)
    assert {len(one.name) for one in (first, second)} == {2_000}
    assert max(len(first.reason), len(second.reason)) == 2_000


def test_of_many_names_those_in_trouble_are_told(kept: Connection) -> None:
    put(kept, trouble("a", state=State.TRYING), trouble("b"), trouble("c", state=State.TRYING))
    assert troubles.among(kept, ["a", "b", *map(str, range(500))], State.TRYING) == {"a": 1}


def test_what_is_old_is_let_go_of_and_so_is_all_beyond_so_many(kept: Connection) -> None:
    put(kept, *(trouble(f"t{day}", day) for day in range(1, 10)))
    assert troubles.prune(kept, "2026-05-04T00:00:00Z", 99) == 3
    assert troubles.prune(kept, "2026-05-04T00:00:00Z", 2) == 4
    assert names(kept) == ["t9", "t8"]
