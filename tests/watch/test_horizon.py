"""How far logs were read: never further than what may still come."""

from datetime import UTC, datetime

from straykey.watch.feed import Feed, Parcel
from straykey.watch.horizon import Horizon
from tests.watch.memory_feed import MemoryFeed

NEWEST = "2026-05-04T12:00:00Z"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()


class Behind(MemoryFeed):
    def is_behind(self) -> bool:
        return True


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def horizon() -> tuple[Horizon, Time]:
    """Of a process that runs for half an hour."""
    time = Time()
    one = Horizon(time)
    time.seconds = 1_800.0
    return one, time


def sent(seconds: float) -> list[tuple[Feed, Parcel]]:
    return [(MemoryFeed([]), Parcel("m", sent=seconds))]


def test_where_messages_are_fresh_logs_are_as_far_as_their_newest_record() -> None:
    one, _ = horizon()
    one.note(sent(NOON + 60))
    assert one.time(NEWEST, [], []) == NEWEST


def test_a_message_that_waited_for_days_holds_all_back_whatever_came_with_it() -> None:
    one, _ = horizon()
    one.note(sent(NOON - 2 * 86_400) + sent(NOON))
    assert one.time(NEWEST, [], []) == "2026-05-02T12:00:00Z"


def test_an_old_message_holds_back_until_none_came_for_longer_than_one_is_put_off() -> None:
    one, time = horizon()
    one.note(sent(NOON - 86_400))
    time.seconds += 901
    assert one.time(NEWEST, [], []) < NEWEST
    time.seconds += 300
    assert one.time(NEWEST, [], []) == NEWEST


def test_a_process_that_has_just_begun_does_not_know() -> None:
    time = Time()
    one = Horizon(time)
    time.seconds = 60.0
    assert one.time(NEWEST, [], []) == ""


def test_nobody_knows_while_a_source_is_behind_or_does_not_answer() -> None:
    one, _ = horizon()
    assert one.time(NEWEST, [MemoryFeed([]), Behind([])], []) == ""
    assert one.time(NEWEST, [], ["queue"]) == ""
