"""The loop as a whole: what comes is stored, then acknowledged; what cannot be had is tried again or put aside."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event, Thread

import msgspec
import pytest

from straykey.core.envelope import Decoded
from straykey.core.evidence import Bounds
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.errors import SourceError, StoreError, StraykeyError
from straykey.sources.delivery import Unavailable, UnavailableError
from straykey.sources.notice import ObjectRef
from straykey.stores import evidence, progress, troubles
from straykey.stores.database import Database
from straykey.stores.progress import Worker
from straykey.stores.sql import ObjectName, SqlStore
from straykey.stores.troubles import State, Trouble
from straykey.watch.feed import Parcel
from straykey.watch.inbox import Inbox
from straykey.watch.intake import Intake, object_of
from straykey.watch.loop import Limits, Parts, Watch
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.pace import Clock
from tests.records import use_record
from tests.seen import RANGES
from tests.watch.memory_feed import MemoryFeed
from tests.watch.records_in import Shelf

NOW = "2026-05-04T12:00:00Z"
LONG = 60.0


class Breaking(Shelf):
    """Some of its objects cannot be had."""

    def __init__(self, missing: dict[str, Unavailable]) -> None:
        super().__init__()
        self.missing = missing

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        for ref in refs:
            if ref.key in self.missing:
                yield ref, 0, self._broken(ref)
            else:
                yield from super().fetch_all([ref])

    def _broken(self, ref: ObjectRef) -> Iterator[Decoded]:
        yield decode(self.contents[ref.key])  # half of it comes, say
        raise UnavailableError(ref, self.missing[ref.key], "SomeCode")


def parcels(shelf: Shelf, count: int) -> list[Parcel]:
    return [
        Parcel(f"m{n}", objects=(shelf.put(f"o{n}", [use_record(time=f"2026-05-04T10:{n:02}:00Z", event_id=f"e{n}")]),))
        for n in range(count)
    ]


@contextmanager
def running(watch: Watch) -> Iterator[None]:
    thread = Thread(target=watch.run)
    thread.start()
    try:
        yield
    finally:
        watch.stop()
        thread.join(LONG)
        assert not thread.is_alive()


def watching(
    feed: MemoryFeed,
    shelf: Shelf,
    database: Database,
    *,
    tries: int = 3,
    seconds: Callable[[], float] = time.monotonic,
) -> Watch:
    store = SqlStore(database)
    parts = Parts([feed], Intake(shelf, Bounds()), store, Mirror(Judging(Settings(), RANGES)), limits=Limits(tries))
    return Watch(parts, Clock(lambda: NOW, seconds), "one")


def in_trouble(database: Database, state: State) -> list[Trouble]:
    with SqlStore(database).reading() as connection:
        return troubles.troubles(connection, state, 100)


def count_of(database: Database) -> int:
    with SqlStore(database).ledger() as ledger:
        return sum(one.events.count(64) for evidence in ledger.sessions.values() for one in evidence.sightings.values())


def test_all_that_a_feed_gives_is_stored_and_acknowledged(database: Database) -> None:
    shelf = Shelf()
    feed = MemoryFeed(parcels(shelf, 30))
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    assert count_of(database) == 30
    assert sorted(feed.acknowledged) == sorted(f"m{n}" for n in range(30))


def test_records_in_a_message_are_stored_too(database: Database) -> None:
    shelf = Shelf()
    shelf.put("o", [use_record()])
    feed = MemoryFeed([Parcel("m", records=decode(shelf.contents["o"]))])
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    assert count_of(database) == 1


def test_a_feed_that_fails_is_asked_again(database: Database) -> None:
    shelf = Shelf()
    feed = MemoryFeed(parcels(shelf, 1), fails=1)
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    assert count_of(database) == 1


def test_an_object_that_cannot_be_had_is_put_aside_after_some_tries_and_costs_no_other(database: Database) -> None:
    shelf = Breaking({"o1": Unavailable.GONE})
    feed = MemoryFeed(parcels(shelf, 3))
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    (trouble,) = in_trouble(database, State.QUARANTINED)
    assert (trouble.name, trouble.tries) == ("s3://logs/o1", 3)
    assert Unavailable.GONE.value in trouble.reason
    assert feed.released == [("m1", 15), ("m1", 30)]
    assert count_of(database) == 2


def test_where_there_is_a_dead_letter_queue_what_fails_is_left_to_it(database: Database) -> None:
    shelf = Breaking({"o1": Unavailable.GONE})
    feed = MemoryFeed(parcels(shelf, 2), gives_up_after=2)
    with running(watching(feed, shelf, database)):
        assert feed.came_back(2, LONG)
    (trouble,) = in_trouble(database, State.QUARANTINED)
    assert trouble.name == "s3://logs/o1"
    assert "dead-letter" in trouble.reason
    assert "m1" not in feed.acknowledged


def test_what_aws_does_not_answer_is_never_put_aside(database: Database) -> None:
    shelf = Breaking({"o1": Unavailable.UNANSWERED})
    feed = MemoryFeed(parcels(shelf, 2))
    with running(watching(feed, shelf, database)):
        assert feed.came_back(5, LONG)
        shelf.missing = {}
        assert feed.is_done(LONG)
    assert in_trouble(database, State.QUARANTINED) == in_trouble(database, State.TRYING) == []
    assert count_of(database) == 2


def test_what_a_dying_process_had_in_hand_is_read_however_often_it_was_given_out(database: Database) -> None:
    shelf = Shelf()
    feed = MemoryFeed([Parcel(one.name, tries=40, objects=one.objects) for one in parcels(shelf, 20)])
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    assert [in_trouble(database, state) for state in State] == [[]] * len(State)
    assert count_of(database) == 20


class Died(BaseException):
    """What no process lives to tell of."""


class Deadly(Shelf):
    """Whoever reads `o1` dies."""

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        for ref in refs:
            if ref.key == "o1":
                raise Died
            yield from super().fetch_all([ref])


def test_of_all_a_dying_process_had_in_hand_only_what_it_died_of_is_put_aside(database: Database) -> None:
    shelf = Deadly()
    held = [Parcel(one.name, tries=40, objects=one.objects) for one in parcels(shelf, 3)]
    feed = MemoryFeed([])
    deaths = 0
    while held:
        try:
            watching(feed, shelf, database, tries=3)._take_in([(feed, one) for one in held])
        except Died:
            deaths += 1
        left = [one for one in held if one.name not in feed.acknowledged]
        held = [msgspec.structs.replace(one, tries=one.tries + 1) for one in left]
    assert deaths == 3
    assert [one.name for one in in_trouble(database, State.QUARANTINED)] == ["s3://logs/o1"]
    assert in_trouble(database, State.SUSPECTED) == []
    assert count_of(database) == 2


def test_where_there_is_a_dead_letter_queue_only_what_processes_die_of_gets_there(database: Database) -> None:
    shelf = Deadly()
    feed = MemoryFeed([], gives_up_after=6)
    held = sorted(parcels(shelf, 4), key=lambda one: one.name != "m1")  # the deadly one first
    while held and held[0].tries <= 6:
        with suppress(Died):
            watching(feed, shelf, database, tries=3)._take_in([(feed, one) for one in held])
        left = [one for one in held if one.name not in feed.acknowledged]
        held = [msgspec.structs.replace(one, tries=one.tries + 1) for one in left]
    assert sorted(feed.acknowledged) == ["m0", "m2", "m3"]
    assert count_of(database) == 3


def test_what_processes_die_of_is_not_read_again_and_left_to_the_dead_letter_queue(database: Database) -> None:
    shelf = Deadly()
    poison = parcels(shelf, 2)[1]
    feed = MemoryFeed([], gives_up_after=20)
    for tries in range(11, 14):
        with pytest.raises(Died):
            watching(feed, shelf, database)._take_in([(feed, msgspec.structs.replace(poison, tries=tries))])
    watching(feed, shelf, database)._take_in([(feed, msgspec.structs.replace(poison, tries=14))])
    assert feed.acknowledged == []
    (trouble,) = in_trouble(database, State.QUARANTINED)
    assert "dead-letter" in trouble.reason


def test_what_cannot_be_fetched_for_lack_of_credentials_is_never_put_aside(database: Database) -> None:
    shelf = Locked()
    feed = MemoryFeed([Parcel(one.name, tries=40, objects=one.objects) for one in parcels(shelf, 2)])
    with running(watching(feed, shelf, database)):
        assert feed.came_back(4, LONG)
        shelf.is_locked = False
        assert feed.is_done(LONG)
    assert [in_trouble(database, state) for state in State] == [[]] * len(State)
    assert count_of(database) == 2


class Locked(Shelf):
    """Nothing can be had of it."""

    is_locked = True

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        if self.is_locked:
            raise SourceError("no usable AWS credentials")
        yield from super().fetch_all(refs)


def test_what_cannot_be_understood_and_what_is_refused_is_named_and_acknowledged(database: Database) -> None:
    refused = (ObjectRef("elsewhere", "key"), "in a bucket that was not allowed")
    feed = MemoryFeed([Parcel("message 1", broken=("broken JSON",)), Parcel("message 2", refused=(refused,))])
    with running(watching(feed, Shelf(), database)):
        assert feed.is_done(LONG)
    named = {one.name for one in in_trouble(database, State.QUARANTINED)}
    assert named == {"message 1", "s3://elsewhere/ (in a bucket that was not allowed)"}


def test_a_damaged_object_is_folded_as_far_as_it_can_be_read_and_named(database: Database) -> None:
    shelf = Shelf()
    good, bad = use_record(event_id="e1"), use_record(event_id="e2") | {"eventTime": "no time"}
    feed = MemoryFeed([Parcel("m", objects=(shelf.put("o", [good, bad]),))])
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    (trouble,) = in_trouble(database, State.DAMAGED)
    assert (trouble.name, trouble.reason) == ("s3://logs/o", "eventTime is missing or no date: 1")
    assert count_of(database) == 1


class Broken(MemoryFeed):
    """Fails as nobody foresaw."""

    def receive(self, wait_seconds: float) -> list[Parcel]:
        raise RuntimeError("never thought of")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_process_of_which_a_part_died_ends_so_that_it_is_started_again(database: Database) -> None:
    with pytest.raises(StraykeyError, match="receiving from memory ended"):
        watching(Broken([]), Shelf(), database).run()


def test_what_another_process_could_have_is_in_trouble_no_more(database: Database) -> None:
    shelf = Shelf()
    (parcel,) = parcels(shelf, 1)
    with SqlStore(database).writing() as writing:
        trouble = Trouble("s3://logs/o0", State.TRYING, "AWS does not answer", 1, NOW, NOW)
        troubles.put_trouble(writing.connection, trouble)
        evidence.mark(writing.connection, [object_of(ref) for ref in parcel.objects], NOW)
    feed = MemoryFeed([msgspec.structs.replace(parcel, tries=2)])
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
    assert in_trouble(database, State.TRYING) == []


def test_a_process_that_has_read_nothing_yet_lets_nobody_leave(database: Database) -> None:
    watch = watching(MemoryFeed([]), Shelf(), database, seconds=count(0, 700).__next__)
    for _ in range(3):
        assert watch.turn(0) == 0


def test_a_process_tells_what_it_did(database: Database) -> None:
    shelf = Shelf()
    feed = MemoryFeed(parcels(shelf, 3))
    with running(watching(feed, shelf, database)):
        assert feed.is_done(LONG)
        with SqlStore(database).reading() as connection:
            (worker,) = progress.workers_of(connection)
            assert {(one.account, one.region, one.kind.value) for one in progress.coverage_of(connection)} == {
                ("111122223333", "eu-west-1", "read")
            }
    assert (worker.name, worker.objects, worker.records) == ("one", 3, 3)
    assert worker.newest == "2026-05-04T10:02:00Z"


def test_a_process_that_ended_in_good_order_is_none_that_went_silent(database: Database) -> None:
    with running(watching(MemoryFeed([]), Shelf(), database)):
        pass
    with SqlStore(database).reading() as connection:
        assert progress.workers_of(connection) == []


class Failing(SqlStore):
    """A store that fails some times."""

    def __init__(self, database: Database, fails: int) -> None:
        super().__init__(database)
        self._fails = fails

    @contextmanager
    def writing(self):  # type: ignore[no-untyped-def]
        with super().writing() as writing:
            yield writing
            if self._fails:
                self._fails -= 1
                raise StoreError("store: no room")


def test_what_was_fetched_stays_in_hand_until_the_store_takes_it(database: Database) -> None:
    shelf = Shelf()
    feed = MemoryFeed(parcels(shelf, 3))
    parts = Parts([feed], Intake(shelf, Bounds()), Failing(database, 1), Mirror(Judging(Settings(), RANGES)))
    with running(Watch(parts, Clock(lambda: NOW, time.monotonic), "one")):
        assert feed.is_done(LONG)
    assert count_of(database) == 3
    assert len(feed.acknowledged) == 3


class LockedOut(Shelf):
    """Nothing can be had at present."""

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        yield from ((ref, 0, self._refused()) for ref in refs)

    def _refused(self) -> Iterator[Decoded]:
        yield from ()
        raise SourceError("s3: ExpiredToken")


def test_what_credentials_did_not_open_for_long_is_read_once_they_do(database: Database) -> None:
    shelf = LockedOut()
    feed = MemoryFeed(parcels(shelf, 2))
    with running(watching(feed, shelf, database, tries=1)):
        assert feed.came_back(20, LONG)
        assert {one.state for one in in_trouble(database, State.TRYING)} == {State.TRYING}
    assert in_trouble(database, State.QUARANTINED) == []
    open_again = Shelf()
    open_again.contents = shelf.contents
    with running(watching(feed, open_again, database, tries=1)):
        assert feed.is_done(LONG)
    assert count_of(database) == 2
    assert in_trouble(database, State.QUARANTINED) == in_trouble(database, State.TRYING) == []


class Once(MemoryFeed):
    """Gives out all it has, and then stops whoever asks."""

    def __init__(self, parcels: Iterable[Parcel], stop: Event) -> None:
        super().__init__(parcels)
        self._stop = stop

    def receive(self, wait_seconds: float) -> list[Parcel]:
        found = super().receive(wait_seconds)
        if not found:
            self._stop.set()
        return found


def test_what_was_given_to_us_once_more_is_in_hand_until_that_is_done_too() -> None:
    (first,) = parcels(Shelf(), 1)
    inbox, stop = Inbox(), Event()
    feed = Once([first, msgspec.structs.replace(first, tries=2)], stop)
    inbox.receive(feed, stop)
    one, again = inbox.take(0, 9)
    inbox.let_go([one])
    assert inbox.in_hand() == {"memory": (feed, [again[1]])}
    inbox.let_go([again])
    assert inbox.in_hand() == {}


def test_what_was_received_while_it_stops_is_in_hand_and_given_back() -> None:
    stop, inbox = Event(), Inbox()

    class Last(MemoryFeed):
        def receive(self, wait_seconds: float) -> list[Parcel]:
            stop.set()
            return super().receive(wait_seconds)

    feed = Last(parcels(Shelf(), 3))
    inbox.receive(feed, stop)
    assert inbox.take(0, 9) == []
    assert len(inbox.in_hand()["memory"][1]) == 3


def test_from_time_to_time_a_process_forgets_what_nobody_asks_for(database: Database) -> None:
    store = SqlStore(database)
    with store.writing() as writing:
        progress.put_worker(writing.connection, Worker("old", "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"))
        evidence.mark(writing.connection, [ObjectName("logs", "old")], "2026-01-01T00:00:00Z")
        evidence.mark(writing.connection, [ObjectName("logs", "new")], "2026-05-01T00:00:00Z")
        old = Trouble("old", State.DAMAGED, "", 1, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        troubles.put_trouble(writing.connection, old)
    seconds = iter(range(0, 1_000_000, 1_000))
    parts = Parts([], Intake(Shelf(), Bounds()), store, Mirror(Judging(Settings(), RANGES)))
    Watch(parts, Clock(lambda: NOW, lambda: float(next(seconds))), "new").turn(0)
    with store.reading() as connection:
        assert [one.name for one in progress.workers_of(connection)] == ["new"]
        assert troubles.counts(connection) == {}
    assert store.folded([ObjectName("logs", "old"), ObjectName("logs", "new")]) == {ObjectName("logs", "new")}
