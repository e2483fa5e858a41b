"""One sink's courier: in order, again and again, and given up only for cause."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from msgspec.structs import replace

from straykey.core.moment import later, seconds
from straykey.errors import StoreError
from straykey.metrics import Delivery
from straykey.ports import Notification, Refusal
from straykey.stores import outbox
from straykey.stores.database import Database
from straykey.stores.outbox import Letter, State
from straykey.stores.sql import SqlStore, Writing
from straykey.watch.courier import Courier, Turn
from tests.core.test_rule import theft

NOON = "2026-05-04T12:00:00Z"
THEFT = theft()
LONG = 60.0

Answer = Callable[[Notification], Refusal | None]


class Told:
    """A sink that answers as it is told to, and remembers all it was given."""

    def __init__(self, answer: Answer = lambda _: None) -> None:
        self.answer = answer
        self.given: list[str] = []

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        self.given += [one.key for one in notifications]
        return [refusal for one in notifications if (refusal := self.answer(one))]


class Waiting:
    """An outbox with couriers, at a time that a test sets."""

    def __init__(self, database: Database) -> None:
        self.store = SqlStore(database)
        self.now = NOON
        self.counted: list[tuple[str, Delivery, int]] = []

    def courier(self, sink: Told, name: str = "hook", store: SqlStore | None = None) -> Courier:
        return Courier(name, sink, store or self.store, lambda: self.now, self._count)

    def _count(self, name: str, outcome: Delivery, count: int) -> None:
        if count:
            self.counted.append((name, outcome, count))

    def post(self, *keys: str, sinks: tuple[str, ...] = ("hook",)) -> None:
        with self.store.writing() as writing:
            for key in keys:
                finding = replace(THEFT, id=key.partition(":")[0])
                outbox.post(writing.connection, sinks, Notification(key, finding, self.now), self.now)

    def letters(self, *states: State) -> list[Letter]:
        with self.store.reading() as connection:
            return outbox.letters(connection, states)

    def keys(self, *states: State) -> list[str]:
        return [one.key for one in self.letters(*states)]

    def passes(self, by_seconds: int) -> None:
        self.now = later(self.now, by_seconds)

    def until_due(self) -> int:
        """Go on to when the first is due again; says how long that took."""
        due = min(one.due for one in self.letters(State.WAITING))
        waited = seconds(due) - seconds(self.now)
        self.now = due
        return waited


@pytest.fixture
def waiting(database: Database) -> Waiting:
    return Waiting(database)


def refusing(**how: object) -> Answer:
    return lambda one: Refusal(one.key, "down", **how)  # type: ignore[arg-type]


def test_what_waits_is_delivered_once(waiting: Waiting) -> None:
    waiting.post("f1:1", "f2:1")
    sink = Told()
    courier = waiting.courier(sink)
    assert [courier.turn(), courier.turn()] == [Turn(2, 0), Turn()]
    assert sink.given == ["f1:1", "f2:1"]
    assert waiting.keys(State.DELIVERED) == ["f1:1", "f2:1"]
    assert waiting.counted == [("hook", Delivery.DELIVERED, 2)]


def test_of_one_finding_the_later_is_not_given_before_the_earlier_is_taken(waiting: Waiting) -> None:
    waiting.post("f1:1", "f1:2", "f2:1")
    sink = Told(lambda one: Refusal(one.key, "down") if one.key == "f1:1" else None)
    courier = waiting.courier(sink)
    assert courier.turn() == Turn(1, 1)
    assert courier.turn() == Turn()
    waiting.passes(5)
    sink.answer = lambda _: None
    courier.turn()
    courier.turn()
    assert sink.given == ["f1:1", "f2:1", "f1:1", "f1:2"]


def test_it_is_tried_again_with_the_same_key_later_and_later(waiting: Waiting) -> None:
    waiting.post("f1:1")
    sink = Told(refusing())
    courier = waiting.courier(sink)
    waits = []
    for _ in range(12):
        assert courier.turn() == Turn(0, 1)
        assert courier.turn() == Turn()
        waits.append(waiting.until_due())
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert set(sink.given) == {"f1:1"}


def test_a_receiver_that_says_how_long_to_wait_is_not_asked_before(waiting: Waiting) -> None:
    waiting.post("f1:1")
    waiting.courier(Told(refusing(retry_after=77.9))).turn()
    assert waiting.until_due() == 77


@pytest.mark.parametrize(("asked", "waited"), [(0.5, 5), (-1.0, 5), (1e18, 86_400), (float("inf"), 86_400)])
def test_a_receiver_that_says_nonsense_is_asked_again_all_the_same(waiting: Waiting, asked: float, waited: int) -> None:
    waiting.post("f1:1")
    waiting.courier(Told(refusing(retry_after=asked))).turn()
    assert waiting.until_due() == waited


def test_what_is_to_blame_itself_is_given_up_at_once_and_seen(waiting: Waiting) -> None:
    waiting.post("f1:1")
    waiting.courier(Told(refusing(is_final=True))).turn()
    (letter,) = waiting.letters(State.PARKED)
    assert (letter.key, letter.reason, letter.tries) == ("f1:1", "down", 1)
    assert waiting.counted == [("hook", Delivery.PARKED, 1)]


def test_what_was_refused_for_days_is_given_up(waiting: Waiting) -> None:
    waiting.post("f1:1")
    courier = waiting.courier(Told(refusing()))
    while waiting.letters(State.WAITING):
        courier.turn()
        if waiting.letters(State.WAITING):
            waiting.until_due()
    assert 3 * 86_400 < seconds(waiting.now) - seconds(NOON) <= 3 * 86_400 + 900


def test_what_waited_for_days_because_nobody_tried_is_not_given_up_at_the_first_refusal(waiting: Waiting) -> None:
    waiting.post("f1:1")
    waiting.passes(10 * 86_400)
    waiting.courier(Told(refusing())).turn()
    assert waiting.keys(State.WAITING) == ["f1:1"]


def test_what_a_person_asks_for_once_more_is_tried_more_than_once(waiting: Waiting) -> None:
    waiting.post("f1:1")
    courier = waiting.courier(Told(refusing(is_final=True)))
    courier.turn()
    waiting.passes(10 * 86_400)
    with waiting.store.writing() as writing:
        outbox.unpark(writing.connection, "hook", waiting.now)
    waiting.courier(Told(refusing())).turn()
    assert waiting.keys(State.WAITING) == ["f1:1"]


def test_a_sink_that_is_down_holds_up_no_other(waiting: Waiting) -> None:
    waiting.post("f1:1", "f1:2", sinks=("hook", "hub"))
    waiting.courier(Told(refusing())).turn()
    hub = Told()
    courier = waiting.courier(hub, "hub")
    assert [courier.turn(), courier.turn()] == [Turn(1), Turn(1)]
    assert hub.given == ["f1:1", "f1:2"]


class Dead(Exception):  # noqa: N818 - of the test
    """The process ends here."""


def dying(_: Notification) -> Refusal | None:
    raise Dead


def test_what_a_courier_that_died_had_claimed_is_delivered_by_another_in_time(waiting: Waiting) -> None:
    waiting.post("f1:1")
    with pytest.raises(Dead):
        waiting.courier(Told(dying)).turn()
    other = Told()
    waiting.passes(599)
    assert waiting.courier(other).turn() == Turn()
    waiting.passes(1)
    assert waiting.courier(other).turn() == Turn(1)
    assert other.given == ["f1:1"]


class Forgetful(SqlStore):
    """Fails as often as it is told, when what was written is to be committed."""

    fails = 0

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        with super().writing() as writing:
            yield writing
            self.fails -= 1
            if self.fails == 0:
                raise StoreError("store: no room")


def test_what_was_delivered_but_could_not_be_noted_comes_again_under_the_same_key(database: Database) -> None:
    waiting = Waiting(database)
    waiting.post("f1:1")
    sink, store = Told(), Forgetful(database)
    courier = waiting.courier(sink, store=store)
    store.fails = 2  # to claim it goes well
    with pytest.raises(StoreError):
        courier.turn()
    assert waiting.keys(State.WAITING) == ["f1:1"]
    waiting.passes(600)
    assert courier.turn() == Turn(1)
    assert sink.given == ["f1:1", "f1:1"]


def test_what_could_not_be_claimed_is_not_delivered(database: Database) -> None:
    waiting = Waiting(database)
    waiting.post("f1:1")
    sink, store = Told(), Forgetful(database)
    store.fails = 1
    with pytest.raises(StoreError):
        waiting.courier(sink, store=store).turn()
    assert sink.given == []


def test_a_courier_outlives_a_store_that_fails(database: Database) -> None:
    waiting = Waiting(database)
    waiting.post("f1:1")
    delivered, store = Event(), Forgetful(database)
    store.fails = 1
    sink = Told(lambda _: delivered.set())
    courier, stop = waiting.courier(sink, store=store), Event()
    thread = Thread(target=courier.run, args=(stop,))
    thread.start()
    try:
        while not delivered.wait(0.05):
            courier.news.set()  # something was committed
            assert thread.is_alive()
    finally:
        stop.set()
        courier.news.set()
        thread.join(LONG)
    assert not thread.is_alive()
