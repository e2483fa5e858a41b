"""Fetch, fold, one transaction, acknowledge: over and over, until told to stop.

A source is told that something was read only once it is stored.  So whenever this process dies, what it had in hand
comes again, to it or to another; and what was stored before that is stored but once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from typing import TypeVar

import msgspec
import structlog

from straykey.errors import SourceError, StoreError, StraykeyError
from straykey.sources.delivery import name_of
from straykey.stores import outbox, progress, troubles
from straykey.stores.sql import ObjectName, SqlStore
from straykey.stores.troubles import State, Trouble
from straykey.watch.batch import Batch
from straykey.watch.commit import Committed, Terms, commit
from straykey.watch.courier import Courier
from straykey.watch.feed import Feed, Parcel
from straykey.watch.horizon import WINDOW_SECONDS, Horizon
from straykey.watch.inbox import Held, Inbox
from straykey.watch.intake import Intake, object_of
from straykey.watch.leaving import Leaving
from straykey.watch.mirror import Mirror
from straykey.watch.pace import Clock, Pace
from straykey.watch.pruning import prune
from straykey.watch.report import Report
from straykey.watch.sorting import deadly, sort_out, suspected

_AT_ONCE = 500  # objects in one transaction
_IDLE_SECONDS = 1.0
_KEEPING_SECONDS = 5.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_NOTHING_SECONDS = 30  # until it is tried again, where nothing can be fetched at all
_THREADS_SECONDS = 20.0  # all of them together: whoever stops a process waits but so long

_log = structlog.get_logger("straykey.watch")
_T = TypeVar("_T")


class Limits(msgspec.Struct, frozen=True):
    """`tries`: so often is an object asked for that cannot be had, before it is put aside.

    Sessions leave `ttl_seconds` after their last key expired, looked for every `leaving_seconds`; for `window_seconds`
    see `Horizon`.
    """

    tries: int = 5
    ttl_seconds: int = 6 * 3600
    leaving_seconds: float = 600.0
    window_seconds: float = WINDOW_SECONDS


class Parts(msgspec.Struct, frozen=True):
    """What a process that watches is made of."""

    feeds: Sequence[Feed]
    intake: Intake
    store: SqlStore
    mirror: Mirror
    couriers: Sequence[Courier] = ()
    terms: Terms = Terms()
    limits: Limits = Limits()
    report: Report = Report()


class Watch:
    """One process that watches."""

    def __init__(self, parts: Parts, clock: Clock, name: str) -> None:
        self._parts = parts
        self._clock = clock
        self._inbox = Inbox()
        self._pace = Pace(name, clock)
        self._stop = Event()
        self._kept = self._left = self._committed = clock.seconds()
        self._horizon = Horizon(clock.seconds, parts.limits.window_seconds)
        self._leaving = Leaving(parts.store, parts.mirror, parts.limits.ttl_seconds)

    def stop(self) -> None:
        """Finish what is in hand, and return from `run`; may be called from a signal."""
        self._stop.set()

    def seconds_since_commit(self) -> float:
        """How long ago something was committed; something is every few seconds, though nothing comes."""
        return self._clock.seconds() - self._committed

    def problems(self) -> list[str]:
        """Which sources do not answer."""
        return [f"source {name} does not answer" for name in sorted(self._inbox.failing)]

    def run(self) -> None:
        """Watch until stopped; then nothing is in hand, and what was not read comes again at once."""
        parts, stop = self._parts, self._stop
        works: dict[str, Callable[[], None]] = {"holding on": self._hold_on}
        works |= {f"receiving from {feed.name}": partial(self._inbox.receive, feed, stop) for feed in parts.feeds}
        works |= {f"delivering to {courier.name}": partial(courier.run, stop) for courier in parts.couriers}
        # Daemons: one that hangs must not keep the process.
        threads = [Thread(name=name, target=work, daemon=True) for name, work in works.items()]
        for thread in threads:
            thread.start()
        try:
            while not stop.is_set():
                self.turn(_IDLE_SECONDS)
                _look_after(threads, stop)
        finally:
            stop.set()
            for courier in parts.couriers:
                courier.news.set()
            late = self._clock.seconds() + _THREADS_SECONDS
            for thread in threads:
                thread.join(max(0.0, late - self._clock.seconds()))
            self._release_all()
            self._take_leave()

    def _take_leave(self) -> None:
        """Who ends in good order is no process that went silent."""
        with suppress(StoreError), self._parts.store.writing() as writing:
            progress.drop_worker(writing.connection, self._pace.name)

    def turn(self, wait_seconds: float) -> int:
        """Take in what waits, or see to what is due; says how many parcels were taken."""
        held = self._inbox.take(wait_seconds, _AT_ONCE)
        if held:
            self._take_in(held)
        if self._clock.seconds() - self._kept >= _KEEPING_SECONDS:
            self._keep()
        return len(held)

    def _take_in(self, held: list[Held]) -> None:
        self._horizon.note(held)
        self._parts.terms.step("fetch")
        known = self._insist(lambda: self._known_of(held))
        together: list[Held] = []
        alone: list[Held] = []
        for one in held:
            (alone if suspected(one, self._parts.limits.tries, known.told) else together).append(one)
        if together and not self._fold_in(together, known):
            self._give_back([(one, _NOTHING_SECONDS) for one in alone])
            return
        # What somebody died of comes last: or nobody would live to read the others.
        alone.sort(key=lambda one: one[1].name in known.suspected)
        while alone and self._take_alone(alone[0], known):
            alone = alone[1:]
        self._give_back([(one, _NOTHING_SECONDS) for one in alone])

    def _fold_in(self, held: list[Held], known: "_Known", acquitted: Collection[str] = ()) -> bool:
        """Fold, commit and acknowledge; False if nothing can be fetched at all."""
        step, now = self._parts.terms.step, self._clock.now()
        try:
            taken = self._parts.intake.fold([parcel for _, parcel in held], known.folded)
        except SourceError as error:  # credentials, say
            _log.warning("fetch", problem=str(error), hint=error.hint)
            self._give_back([(one, _NOTHING_SECONDS) for one in held])
            self._stop.wait(_FIRST_PAUSE_SECONDS)
            return False
        outcome = sort_out(held, taken.failed, self._parts.limits.tries, now)
        taken.batch.troubles = outcome.troubles
        # What was in trouble here another process may have had meanwhile.
        taken.batch.mended.update(acquitted, _had(held, known.folded).intersection(known.told))
        taken.batch.positions = {feed.name: one.position for feed, one in outcome.done if one.position}
        step("fold")
        self._finish(taken.batch, outcome.done, outcome.again)
        return True

    def _finish(self, batch: Batch, done: list[Held], again: list[tuple[Held, int]]) -> None:
        began = self._clock.seconds()
        committed = self._insist(lambda: self._commit(batch))
        took = self._clock.seconds() - began
        self._parts.terms.step("acknowledge")
        self._acknowledge(done)
        self._give_back(again)
        self._parts.terms.step("acknowledged")
        lags = [self._clock.since_1970() - one.sent for _, one in done if one.sent is not None]
        sessions, messages = self._parts.mirror.sessions, len(done)
        self._parts.report.committed(batch, committed, seconds=took, lags=lags, messages=messages, sessions=sessions)

    def _take_alone(self, held: Held, known: "_Known") -> bool:
        """Take in what may kill whoever reads it: that is noted before, so that in the end it is put aside.

        False if nothing can be fetched at all.
        """
        feed, parcel = held
        deaths = self._insist(lambda: self._suspect(parcel))
        if deaths >= self._parts.limits.tries:
            batch = Batch.empty(self._parts.store.bounds)
            batch.troubles = deadly(held, deaths, self._clock.now())
            if feed.gives_up_after is None:
                batch.mended = {parcel.name}
                self._finish(batch, [held], [])
            else:
                self._finish(batch, [], [(held, _NOTHING_SECONDS)])
            return True
        if self._fold_in([held], known, {parcel.name}):
            return True
        self._insist(lambda: self._acquit(parcel))
        return False

    def _suspect(self, parcel: Parcel) -> int:
        """Note that it is about to be read, by itself; says how often that was noted before."""
        now = self._clock.now()
        with self._parts.store.writing() as writing:
            before = troubles.trouble_of(writing.connection, parcel.name)
            deaths, first = (before.tries, before.first) if before else (0, now)
            noted = Trouble(
                parcel.name, State.SUSPECTED, "whoever read it did not live to tell", deaths + 1, first, now
            )
            troubles.put_trouble(writing.connection, noted)
        return deaths

    def _acquit(self, parcel: Parcel) -> None:
        with self._parts.store.writing() as writing:
            troubles.drop_trouble(writing.connection, parcel.name)

    def _known_of(self, held: list[Held]) -> "_Known":
        refs = [ref for _, parcel in held for ref in parcel.objects]
        folded = self._parts.store.folded([*map(object_of, refs)])
        with self._parts.store.reading() as connection:
            told = troubles.among(connection, map(name_of, refs), State.TRYING)
            begun = troubles.among(connection, [parcel.name for _, parcel in held], State.SUSPECTED)
        return _Known(folded, told, set(begun))

    def _commit(self, batch: Batch) -> Committed:
        parts = self._parts
        backlog = self._backlog() if batch.is_empty else None
        parts.report.behind(backlog)
        worker = self._pace.worker(batch, backlog)
        done = commit(parts.store, parts.mirror, batch, worker, parts.terms)
        self._pace.note(batch)
        self._committed = self._clock.seconds()
        for courier in parts.couriers:
            courier.news.set()
        return done

    def _insist(self, call: Callable[[], _T]) -> _T:
        """Ask the store again until it answers: what was fetched stays in hand meanwhile.  When stopped, it fails."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return call()
            except StoreError as error:
                _log.error("store", problem=str(error), hint=error.hint)
                if self._stop.wait(pause):
                    raise
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _keep(self) -> None:
        """What is due from time to time."""
        self._kept = self._clock.seconds()
        self._insist(self._commit_nothing)
        self._insist(self._look_around)
        if self._kept - self._left >= self._parts.limits.leaving_seconds:
            self._left = self._kept
            self._insist(self._let_go)
            self._insist(lambda: prune(self._parts.store, self._clock.now()))

    def _commit_nothing(self) -> None:
        """What people and other processes did since is judged and told, too."""
        parts, nothing = self._parts, Batch.empty(self._parts.store.bounds)
        done = self._commit(nothing)
        parts.report.committed(nothing, done, seconds=0.0, lags=(), messages=0, sessions=parts.mirror.sessions)

    def _look_around(self) -> None:
        with self._parts.store.reading() as connection:
            waiting, aside = outbox.counts(connection), troubles.counts(connection).get(State.QUARANTINED, 0)
        self._parts.report.stands(waiting, [one.name for one in self._parts.couriers], aside)

    def _let_go(self) -> None:
        now = self._horizon.time(self._pace.newest(), self._parts.feeds, self._inbox.failing)
        if not now:
            return  # nobody knows how far the logs were read
        if left := self._leaving.let_go(now):
            _log.info("left", sessions=left)

    def _acknowledge(self, done: list[Held]) -> None:
        self._each(done, lambda feed, parcels: feed.acknowledge(parcels))
        self._inbox.let_go(done)

    def _give_back(self, again: list[tuple[Held, int]]) -> None:
        by_delay: dict[int, list[Held]] = defaultdict(list)
        for held, delay in again:
            by_delay[delay].append(held)
        self._inbox.let_go([held for held, _ in again])  # first, or it might be held on to right after
        for delay, some in by_delay.items():
            self._release(some, delay)

    def _release(self, held: list[Held], delay: int) -> None:
        self._each(held, lambda feed, parcels: feed.release(parcels, delay))

    def _each(self, held: list[Held], do: Callable[[Feed, list[Parcel]], None]) -> None:
        """What fails here comes again: that costs time, and nothing else."""
        by_feed: dict[str, tuple[Feed, list[Parcel]]] = {}
        for feed, parcel in held:
            by_feed.setdefault(feed.name, (feed, []))[1].append(parcel)
        for feed, parcels in by_feed.values():
            try:
                do(feed, parcels)
            except SourceError as error:
                _log.warning("source", name=feed.name, problem=str(error))

    def _hold_on(self) -> None:
        """Tell each feed in time that what is in hand is still worked on."""
        shortest = min((feed.hold_seconds for feed in self._parts.feeds), default=30)
        while not self._stop.wait(max(0.5, shortest / 3)):
            held = [(feed, one) for feed, parcels in self._inbox.in_hand().values() for one in parcels]
            self._each(held, lambda feed, parcels: feed.extend(parcels))

    def _release_all(self) -> None:
        left = [(feed, one) for feed, parcels in self._inbox.in_hand().values() for one in parcels]
        self._release(left, 0)

    def _backlog(self) -> int | None:
        found: list[int] = []
        for feed in self._parts.feeds:
            try:
                waiting = feed.backlog()
            except SourceError as error:
                self._inbox.failing[feed.name] = str(error)
                continue
            if waiting is not None:
                found.append(waiting)
        return sum(found) if found else None


class _Known(msgspec.Struct, frozen=True):
    """What the store knows: which objects are folded already; by name at which try somebody told that one could not be
    had; and the names of parcels that are suspected."""

    folded: set[ObjectName]
    told: dict[str, int]
    suspected: set[str]


def _had(held: list[Held], known: set[ObjectName]) -> set[str]:
    """The names of what somebody folded already."""
    return {name_of(ref) for _, parcel in held for ref in parcel.objects if object_of(ref) in known}


def _look_after(threads: list[Thread], stop: Event) -> None:
    """A process of which a part died must not look as if it watched: it ends, and is started again."""
    dead = [thread.name for thread in threads if not thread.is_alive()]
    if dead and not stop.is_set():
        raise StraykeyError(f"watch: {dead[0]} ended by itself", hint="start it again: nothing is lost")
