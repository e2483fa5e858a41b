"""Sessions leave when they were silent for long, and nothing that was judged changes by it."""

import time
from contextlib import suppress

from straykey.core.evidence import Bounds
from straykey.core.finding import Status
from straykey.core.moment import later
from straykey.core.settings import Settings
from straykey.stores import evidence, findings
from straykey.stores.database import Database
from straykey.watch.batch import Batch
from straykey.watch.feed import Parcel
from straykey.watch.intake import Intake
from straykey.watch.leaving import Leaving
from straykey.watch.loop import Limits, Parts, Watch
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.pace import Clock, Pace
from tests.core.test_fleet_explains import EGRESS, HUB, SECOND, VICTIM, call, day, fleet, name, thefts
from tests.records import RawRecord, use_record
from tests.seen import RANGES
from tests.watch.records_in import NOW, Process, Shelf

TTL_SECONDS = 6 * 3600
AFTER = "2026-05-06T00:00:00Z"
LATE = "2026-05-05T23:00:00Z"  # not silent for so long


class Fleet:
    """A process that is given records, and lets sessions leave."""

    def __init__(self, database: Database, *records: RawRecord) -> None:
        self.database = database
        self.shelf = Shelf()
        self.process = Process(database, self.shelf)
        self.leaving = Leaving(self.process.store, self.process.mirror, TTL_SECONDS)
        self._objects = 0
        self.sees(*records)

    def sees(self, *records: RawRecord, process: Process | None = None) -> None:
        self._objects += 1
        objects = (self.shelf.put(f"o{self._objects}", records),)
        (process or self.process).take([Parcel("m", objects=objects)])

    @property
    def there(self) -> set[str]:
        with self.process.store.ledger() as ledger:
            return {one.session.name for one in ledger.sessions.values()}

    @property
    def mirrored(self) -> set[str]:
        return {arn.rpartition("/")[2] for arn in self.process.mirror.stays}

    def statuses(self) -> set[Status]:
        with self.process.store.reading() as connection:
            return {one.status for one in findings.findings_since(connection, -1).values()}


def use(number: int, address: str, time: str = "2026-05-04T10:00:00Z", **more: str) -> RawRecord:
    return use_record(instance=name(number), address=address, time=time, **more)


def test_who_was_silent_for_so_long_leaves_the_store_and_who_was_not_stays(database: Database) -> None:
    watched = Fleet(database, use(1, "198.18.1.1"), use(2, "198.18.1.2", LATE))
    assert watched.leaving.let_go(AFTER) == 1
    assert watched.there == watched.mirrored == {name(2)}
    assert watched.leaving.let_go(AFTER) == 0


def test_nobody_leaves_a_moment_before_his_time(database: Database) -> None:
    watched = Fleet(database, use(1, "198.18.1.1"))
    (stay,) = watched.process.mirror.stays.values()
    assert watched.leaving.let_go(later(stay.ends, TTL_SECONDS)) == 0
    assert watched.leaving.let_go(later(stay.ends, TTL_SECONDS + 1)) == 1


def test_who_left_and_comes_back_is_there_again(database: Database) -> None:
    watched = Fleet(database, use(1, "198.18.1.1"))
    watched.leaving.let_go(AFTER)
    watched.sees(use(1, "198.18.1.1", AFTER))
    assert watched.there == watched.mirrored == {name(1)}


def test_the_latest_of_an_address_where_somebody_still_is_stay(database: Database) -> None:
    many = [use(n, EGRESS, f"2026-05-04T10:{n:02}:00Z") for n in range(1, 21)]
    watched = Fleet(database, *many, use(99, EGRESS, LATE))
    assert watched.leaving.let_go(AFTER) == 4
    assert watched.there == {name(n) for n in (*range(5, 21), 99)}


def test_where_nobody_is_any_more_all_leave(database: Database) -> None:
    watched = Fleet(database, *(use(n, EGRESS) for n in range(1, 21)))
    assert watched.leaving.let_go(AFTER) == 20
    assert watched.there == set()


def test_who_is_named_by_a_finding_stays(database: Database) -> None:
    watched = Fleet(database, *day(VICTIM, EGRESS), call(VICTIM, "203.0.113.66", "12:30"), use(1, "198.18.1.1"))
    assert watched.leaving.let_go(AFTER) == 1
    assert watched.there == {VICTIM}
    watched.process.take([])
    assert watched.statuses() == {Status.OPEN}


# What makes an address of the victim's fine: two that lived there, and of others so many since that these stay.
LATER = {"issued": "2026-05-04T20:00:00Z"}
POOL = [
    *fleet(SECOND, range(1, 3)),
    *(
        use_record(instance=name(n), address=SECOND, time="2026-05-04T21:00:00Z", account=HUB, **LATER)
        for n in range(20, 40)
    ),
    *day(VICTIM, EGRESS),
    call(VICTIM, SECOND, "12:30"),
    use_record(instance=VICTIM, address=EGRESS, time=LATE),
]


def test_who_is_needed_to_explain_an_address_of_another_stays(database: Database) -> None:
    watched = Fleet(database, *POOL)
    assert thefts(watched.process.mirror.docket.judged().findings) == set()
    watched.leaving.let_go(AFTER)
    assert thefts(watched.process.mirror.docket.judged().findings) == set()
    assert {name(1), name(2), VICTIM} <= watched.there == watched.mirrored
    watched.process.take([])
    assert watched.statuses() <= {Status.OPEN}


def test_who_is_needed_keeps_nobody_else_from_leaving(database: Database) -> None:
    free = [use(n, f"198.18.2.{n}", "2026-05-04T19:00:00Z", **LATER) for n in range(100, 140)]
    watched = Fleet(database, *POOL, *free)
    left = sum(watched.leaving.let_go(AFTER) for _ in range(4))
    assert watched.there.isdisjoint(name(n) for n in range(100, 140))
    assert left >= 40
    assert {name(1), name(2)} <= watched.there


def test_who_was_needed_leaves_once_he_is_not(database: Database) -> None:
    watched = Fleet(database, *POOL)
    watched.leaving.let_go(AFTER)
    watched.leaving.let_go("2026-05-09T00:00:00Z")  # the victim, too
    for _ in range(3):
        watched.leaving.let_go("2026-05-09T00:00:00Z")
    assert watched.there == set()


def test_a_mirror_after_a_leaving_holds_what_a_new_one_would_read(database: Database) -> None:
    watched = Fleet(database, *POOL)
    watched.leaving.let_go(AFTER)
    fresh = Process(database, watched.shelf, "fresh")
    fresh.take([])
    assert fresh.mirror.stays == watched.process.mirror.stays
    assert fresh.mirror.docket.judged().findings == watched.process.mirror.docket.judged().findings


def test_another_process_hears_who_left(database: Database) -> None:
    watched = Fleet(database, use(1, "198.18.1.1"), use(2, "198.18.1.2", LATE))
    other = Process(database, watched.shelf, "other")
    other.take([])
    assert other.mirror.sessions == 2
    watched.leaving.let_go(AFTER)
    other.take([])
    assert [arn.rpartition("/")[2] for arn in other.mirror.stays] == [name(2)]


def test_a_finding_whose_sessions_left_stays_as_it_is(database: Database) -> None:
    watched = Fleet(database, *day(VICTIM, EGRESS), call(VICTIM, "203.0.113.66", "12:30"))
    with watched.process.store.writing() as writing:
        writing.let_go(list(watched.process.mirror.stays))
    watched.process.take([], now=AFTER)
    watched.sees(use(1, "198.18.1.1"))
    assert watched.there == {name(1)}
    assert watched.statuses() == {Status.OPEN}


def test_what_informs_of_many_is_not_over_because_some_of_them_left(database: Database) -> None:
    old = [use(n, f"198.18.1.{n}", delivery="1.0") for n in range(1, 4)]
    watched = Fleet(database, *old, use(9, "198.18.1.9", LATE))
    assert watched.statuses() == {Status.OPEN}
    assert watched.leaving.let_go(AFTER) == 3
    watched.process.take([], now=AFTER)
    watched.sees(use(9, "198.18.1.9", LATE, event_id="another"))
    assert watched.statuses() == {Status.OPEN}


def test_a_leaving_that_fails_changes_nothing(database: Database) -> None:
    watched = Fleet(database, use(1, "198.18.1.1"))
    with suppress(ZeroDivisionError), watched.process.store.writing() as writing:
        watched.process.mirror.catch_up(writing)
        writing.let_go(list(watched.process.mirror.stays))
        raise ZeroDivisionError
    watched.process.mirror.forget()
    watched.process.take([])
    assert watched.there == watched.mirrored == {name(1)}


def pace_at(now: str) -> Pace:
    return Pace("one", Clock(lambda: now, time.monotonic))


def read_up_to(newest: str) -> Batch:
    batch = Batch.empty(Bounds())
    batch.newest = newest
    return batch


def test_nobody_knows_how_far_logs_are_of_which_none_was_read() -> None:
    assert pace_at(NOW).newest() == ""


def test_logs_are_as_far_as_their_newest_record_and_never_ahead_of_the_clock() -> None:
    pace = pace_at(NOW)
    pace.note(read_up_to("2026-05-04T09:00:00Z"))
    assert pace.newest() == "2026-05-04T09:00:00Z"
    pace.note(read_up_to("9999-12-31T23:59:59Z"))
    assert pace.newest() == NOW
    assert pace.worker(read_up_to(""), None).newest == NOW


def test_a_process_that_has_read_nothing_lets_nobody_leave_and_goes_on(database: Database) -> None:
    Fleet(database, use(1, "198.18.1.1"))
    seconds = iter(range(0, 1_000_000, 1_000))  # each look at the clock is a quarter of an hour later
    process = Process(database, Shelf())
    mirror = Mirror(Judging(Settings(), RANGES))
    parts = Parts([], Intake(Shelf(), Bounds()), process.store, mirror, limits=Limits())
    watch = Watch(parts, Clock(lambda: AFTER, lambda: float(next(seconds))), "one")
    assert watch.turn(0) == 0
    with process.store.reading() as connection:
        assert len(list(evidence.sessions_since(connection, -1))) == 1
