"""The outbox by itself: what is due to whom, in which order, and what is let go of."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from straykey.ports import Notification
from straykey.stores import outbox
from straykey.stores.database import Database
from straykey.stores.outbox import Posted, State
from tests.core.test_rule import theft

DAY = "2026-05-04T"
NOW, LATER, LATEST = f"{DAY}12:00:00Z", f"{DAY}12:05:00Z", f"{DAY}13:00:00Z"
THEFT = theft()


@pytest.fixture
def box(database: Database) -> Iterator[Connection]:
    with database.transaction() as connection:
        yield connection


def notification(number: int, finding: str = "f1", at: str = NOW) -> Notification:
    return Notification(f"{finding}:{number}", replace(THEFT, id=finding), at)


def posted(box: Connection, *notifications: Notification, sinks: tuple[str, ...] = ("hook",), now: str = NOW) -> None:
    for one in notifications:
        outbox.post(box, sinks, one, now)


def claimed(box: Connection, now: str = NOW, *, sink: str = "hook", most: int = 9, until: str = LATER) -> list[Posted]:
    return outbox.claim(box, sink, most, now, until)


def keys(some: list[Posted]) -> list[str]:
    return [one.notification.key for one in some]


def refuse(box: Connection, one: Posted, *, due: str = LATER, reason: str = "down", is_final: bool = False) -> None:
    outbox.refused(box, one.number, reason=reason, due=due, is_final=is_final)


def test_what_is_posted_comes_out_as_it_went_in(box: Connection) -> None:
    posted(box, notification(1))
    (one,) = claimed(box)
    assert (one.notification, one.sink, one.tries, one.posted) == (notification(1), "hook", 0, NOW)


def test_of_each_finding_the_first_comes_and_the_next_once_that_is_delivered(box: Connection) -> None:
    posted(box, notification(1), notification(2), notification(1, "f2"), notification(3))
    first = claimed(box)
    assert keys(first) == ["f1:1", "f2:1"]
    outbox.delivered(box, [one.number for one in first])
    assert keys(claimed(box)) == ["f1:2"]


def test_each_sink_has_its_own_place_in_the_order(box: Connection) -> None:
    posted(box, notification(1), notification(2), sinks=("hook", "hub"))
    outbox.delivered(box, [one.number for one in claimed(box)])
    assert keys(claimed(box)) == ["f1:2"]
    assert keys(claimed(box, sink="hub")) == ["f1:1"]


def test_no_more_are_claimed_than_asked_for_and_the_first_posted_come_first(box: Connection) -> None:
    posted(box, *(notification(1, f"f{n}") for n in range(5)))
    assert keys(claimed(box, most=2)) == ["f0:1", "f1:1"]
    assert keys(claimed(box, most=2)) == ["f2:1", "f3:1"]


def test_what_is_given_up_holds_up_nothing_behind_it(box: Connection) -> None:
    posted(box, notification(1), notification(2))
    refuse(box, claimed(box)[0], is_final=True)
    assert keys(claimed(box)) == ["f1:2"]


def test_it_is_due_when_it_is_posted_though_it_tells_of_a_time_ahead(box: Connection) -> None:
    posted(box, notification(1, at="2026-05-05T12:00:00Z"))
    assert outbox.is_due(box, "hook", NOW)
    assert keys(claimed(box)) == ["f1:1"]


def test_nothing_is_due_while_the_first_of_its_finding_is_not(box: Connection) -> None:
    posted(box, notification(1), notification(2))
    refuse(box, claimed(box)[0])
    assert not outbox.is_due(box, "hook", NOW)
    assert outbox.is_due(box, "hook", LATER)


def test_who_comes_too_late_with_a_refusal_does_not_take_back_what_another_delivered(box: Connection) -> None:
    posted(box, notification(1))
    (slow,) = claimed(box)
    (other,) = claimed(box, LATER, until=LATEST)
    outbox.delivered(box, [other.number])
    refuse(box, slow)
    assert outbox.counts(box) == {("hook", State.DELIVERED): 1}
    assert claimed(box, LATEST) == []


def test_who_comes_too_late_with_a_refusal_does_not_try_again_what_another_gave_up(box: Connection) -> None:
    posted(box, notification(1))
    (slow,) = claimed(box)
    (other,) = claimed(box, LATER, until=LATEST)
    refuse(box, other, is_final=True, reason="400: no")
    refuse(box, slow)
    (letter,) = outbox.letters(box, [State.PARKED])
    assert (letter.reason, letter.tries) == ("400: no", 1)


def test_a_reason_of_any_length_and_with_any_signs_is_kept_cut_short(box: Connection) -> None:
    posted(box, notification(1))
    refuse(box, claimed(box)[0], reason="\x00é" + "x" * 100_000)
    (letter,) = outbox.letters(box, [State.WAITING])
    assert letter.reason.startswith("\x00éx")
    assert len(letter.reason) == 500


def test_only_what_was_given_up_for_that_sink_is_tried_again(box: Connection) -> None:
    posted(box, notification(1), sinks=("hook", "hub"))
    for sink in ("hook", "hub"):
        refuse(box, claimed(box, sink=sink)[0], is_final=True)
    assert outbox.unpark(box, "hub", LATER) == 1
    assert outbox.counts(box) == {("hook", State.PARKED): 1, ("hub", State.WAITING): 1}
    assert outbox.unpark(box, "", LATER) == 1


def test_letters_of_one_finding_are_told_apart(box: Connection) -> None:
    posted(box, notification(1), notification(1, "f2"))
    assert [one.key for one in outbox.letters(box, [State.WAITING], "f2")] == ["f2:1"]


def test_nothing_is_let_go_of_but_what_was_delivered_and_is_old(box: Connection) -> None:
    posted(box, notification(1, "old"), notification(1, "parked"), notification(1, "waiting"))
    posted(box, notification(1, "new"), now=LATER)
    old, parked, _, new = claimed(box, LATER, until=LATEST)
    outbox.delivered(box, [old.number, new.number])
    refuse(box, parked, is_final=True)
    assert outbox.prune(box, LATER) == 1
    assert {one.finding for one in outbox.letters(box, list(State))} == {"parked", "waiting", "new"}
