"""Where a process that watches gets new logs from, and whom it tells that they are stored."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from straykey.core.envelope import Decoded
from straykey.sources.delivery import Delivery, delivery_of
from straykey.sources.notice import ObjectRef
from straykey.sources.queue import Message, Queue


class Parcel(msgspec.Struct, frozen=True):
    """What is acknowledged at once: objects to fetch, records that came along, and what is wrong with the rest.

    `tries` is how often it was given out, this time included.  `refused` are objects that are not fetched, and why;
    `broken` says what of it cannot be understood.  `position` is how far its source is read once this is stored.
    """

    name: str
    tries: int = 1
    objects: tuple[ObjectRef, ...] = ()
    records: Decoded | None = None
    refused: tuple[tuple[ObjectRef, str], ...] = ()
    broken: tuple[str, ...] = ()
    position: str = ""
    receipt: Message | None = None
    sent: float | None = None  # in seconds since 1970


class Feed(Protocol):
    """A source that goes on.

    `hold_seconds`: for how long a parcel is ours; whoever works on it longer must extend it in time.
    `gives_up_after`: the source itself puts a parcel aside that was given out so often; None where it never does.
    """

    name: str
    hold_seconds: int
    gives_up_after: int | None

    def receive(self, wait_seconds: float) -> list[Parcel]:
        """What is new; empty if nothing is for so long.  What is not acknowledged comes again."""

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        """Forget them: what they hold is stored.  Doing so twice is harmless."""

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        """Give them out again, after so many seconds."""

    def extend(self, parcels: Sequence[Parcel]) -> None:
        """They are still worked on."""

    def backlog(self) -> int | None:
        """How many parcels wait; None where nobody can say."""

    def is_behind(self) -> bool:
        """True while logs of long ago are still to come, and no message tells how old they are."""


class QueueFeed:
    """An SQS queue; only objects in `buckets` are fetched."""

    def __init__(self, queue: Queue, buckets: frozenset[str]) -> None:
        self._queue = queue
        self._buckets = buckets
        self.name = queue.url
        status = queue.status()
        self.hold_seconds = status.visibility_seconds
        self.gives_up_after = status.max_receives

    def receive(self, wait_seconds: float) -> list[Parcel]:
        messages = self._queue.receive(int(wait_seconds))
        return [_parcel_of(delivery_of(message, self._buckets)) for message in messages]

    def acknowledge(self, parcels: Sequence[Parcel]) -> None:
        self._queue.acknowledge(_receipts(parcels))

    def release(self, parcels: Sequence[Parcel], seconds: int) -> None:
        self._queue.release(_receipts(parcels), seconds)

    def extend(self, parcels: Sequence[Parcel]) -> None:
        self._queue.extend(_receipts(parcels), self.hold_seconds)

    def backlog(self) -> int | None:
        return self._queue.status().visible

    def is_behind(self) -> bool:
        return False


def _parcel_of(delivery: Delivery) -> Parcel:
    return Parcel(
        name=delivery.name,
        tries=delivery.message.received,
        objects=delivery.objects,
        records=delivery.records,
        refused=tuple((one, reason.value) for one, reason in delivery.refused),
        broken=tuple(reason.value for reason in delivery.broken),
        receipt=delivery.message,
        sent=None if (sent := delivery.message.sent_milliseconds) is None else sent / 1000,
    )


def _receipts(parcels: Sequence[Parcel]) -> list[Message]:
    return [one.receipt for one in parcels if one.receipt is not None]
