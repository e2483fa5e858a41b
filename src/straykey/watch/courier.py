"""Hands over what is in the outbox, each sink by itself: one that is down holds up no other, and never detection."""

from collections.abc import Callable
from threading import Event

import msgspec
import structlog

from straykey.core.moment import later, seconds
from straykey.errors import StoreError
from straykey.metrics import Delivery
from straykey.ports import Refusal, Sink
from straykey.stores import outbox
from straykey.stores.outbox import Posted
from straykey.stores.sql import SqlStore, Writing
from straykey.watch.commit import Step

_AT_ONCE = 10
_CLAIMED_SECONDS = 600  # longer than any sink takes for so many
_FIRST_WAIT_SECONDS = 5
_LONGEST_WAIT_SECONDS = 900
_LONGEST_ASKED_SECONDS = 86_400  # a receiver may ask for
_PATIENCE_SECONDS = 3 * 86_400  # after which what keeps being refused is parked,
_LEAST_TRIES = 8  # but not because nobody tried: for days no process ran, or a person asks for it once more
_IDLE_SECONDS = 5.0

_log = structlog.get_logger("straykey.watch")

Count = Callable[[str, Delivery, int], None]  # is told of a sink, an outcome and how many


class Turn(msgspec.Struct, frozen=True):
    """What one look into the outbox came to."""

    delivered: int = 0
    refused: int = 0


class Courier:
    """Delivers to one sink."""

    def __init__(
        self,
        name: str,
        sink: Sink,
        store: SqlStore,
        clock: Callable[[], str],
        count: Count = lambda *_: None,
        *,
        step: Step = lambda _: None,
    ) -> None:
        self.name = name
        self._sink = sink
        self._store = store
        self._clock = clock
        self._count = count
        self._step = step
        self.news = Event()  # set when there may be something to deliver

    def run(self, stop: Event) -> None:
        """Deliver until stopped."""
        while not stop.is_set():
            self.news.clear()
            try:
                turn = self.turn()
            except StoreError as error:
                _log.warning("outbox", sink=self.name, problem=str(error))
                turn = Turn()
            if not turn.delivered:
                self.news.wait(_IDLE_SECONDS)

    def turn(self) -> Turn:
        """Deliver what is due, once."""
        claimed = self._claim()
        if not claimed:
            return Turn()
        self._step("deliver")
        refusals = {one.key: one for one in self._sink.deliver([one.notification for one in claimed])}
        taken = [one for one in claimed if one.notification.key not in refusals]
        left = [(one, refusals[one.notification.key]) for one in claimed if one.notification.key in refusals]
        self._step("note")
        with self._store.writing() as writing:
            outbox.delivered(writing.connection, [one.number for one in taken])
            parked = sum(self._note_refusal(writing, *one) for one in left)
        self._step("noted")
        self._count(self.name, Delivery.DELIVERED, len(taken))
        self._count(self.name, Delivery.PARKED, parked)
        self._count(self.name, Delivery.RETRIED, len(left) - parked)
        self._tell(len(taken), [refusal for _, refusal in left])
        return Turn(len(taken), len(left))

    def _note_refusal(self, writing: Writing, posted: Posted, refusal: Refusal) -> bool:
        """True if it is given up."""
        now = self._clock()
        is_old = seconds(now) - seconds(posted.posted) > _PATIENCE_SECONDS and posted.tries + 1 >= _LEAST_TRIES
        is_final = refusal.is_final or is_old
        due = later(now, _wait_seconds(posted, refusal))
        outbox.refused(writing.connection, posted.number, reason=refusal.reason, due=due, is_final=is_final)
        return is_final

    def _claim(self) -> list[Posted]:
        now = self._clock()
        with self._store.reading() as connection:
            if not outbox.is_due(connection, self.name, now):
                return []
        self._step("claim")
        with self._store.writing() as writing:
            return outbox.claim(writing.connection, self.name, _AT_ONCE, now, later(now, _CLAIMED_SECONDS))

    def _tell(self, delivered: int, refusals: list[Refusal]) -> None:
        if delivered:
            _log.info("delivered", sink=self.name, findings=delivered)
        for reason in sorted({one.reason for one in refusals}):
            _log.warning("refused", sink=self.name, problem=reason)


def _wait_seconds(posted: Posted, refusal: Refusal) -> int:
    usual = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS << min(posted.tries, 10))
    return max(usual, int(min(refusal.retry_after or 0, _LONGEST_ASKED_SECONDS)))
