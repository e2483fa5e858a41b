"""What sinks are to be told: written with the change it tells of, and kept until each sink has it.

A sink is told of one finding in order: what is later waits for what is earlier.  Who hands something over claims it for
some seconds; if he dies, another does it again, and the key tells the receiver that it is the same.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, func, insert, select, update

from straykey.ports import Notification
from straykey.stores import schema
from straykey.stores.rows import chunks

_MOST_REASON = 500


class State(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    PARKED = "parked"


class Posted(msgspec.Struct, frozen=True):
    """A notification for one sink; `number` is its place in the outbox, `tries` how often it was refused."""

    number: int
    sink: str
    notification: Notification
    tries: int
    posted: str


class Letter(msgspec.Struct, frozen=True):
    """What there is to see of one message: whether it was delivered, and if not, why."""

    sink: str
    finding: str
    key: str
    state: State
    due: str
    posted: str
    tries: int
    reason: str


_decoder = msgspec.json.Decoder(Notification)
_encode = msgspec.json.Encoder().encode
_box = schema.outbox.c


def post(connection: Connection, sinks: Iterable[str], notification: Notification, now: str) -> None:
    """One for each of these sinks, due now: `at` may lie ahead, where a clock was set back."""
    document = _encode(notification)
    for sink in sinks:
        row = {
            "sink": sink,
            "finding": notification.finding.id,
            "key": notification.key,
            "state": State.WAITING,
            "due": now,
            "posted": now,
            "tries": 0,
            "reason": b"",
            "document": document,
        }
        connection.execute(insert(schema.outbox).values(row))


def is_due(connection: Connection, sink: str, now: str) -> bool:
    """True if there is something to claim."""
    return connection.execute(_due(sink, now).limit(1)).first() is not None


def claim(connection: Connection, sink: str, most: int, now: str, until: str) -> list[Posted]:
    """What is due for a sink, of each finding the first; nobody else is given it before `until`."""
    rows = connection.execute(_due(sink, now).order_by(_box.id).limit(most)).all()
    ids = [row.id for row in rows]
    connection.execute(update(schema.outbox).where(_box.id.in_(ids)).values(due=until))
    return [Posted(row.id, row.sink, _decoder.decode(row.document), row.tries, row.posted) for row in rows]


def _due(sink: str, now: str) -> Select[tuple[Any, ...]]:
    waiting = (_box.state == State.WAITING, _box.sink == sink)
    firsts = select(func.min(_box.id)).where(*waiting).group_by(_box.finding)
    return select(schema.outbox).where(*waiting, _box.id.in_(firsts), _box.due <= now)


def delivered(connection: Connection, numbers: Iterable[int]) -> None:
    for some in chunks(numbers):
        connection.execute(update(schema.outbox).where(_box.id.in_(some)).values(state=State.DELIVERED, reason=b""))


def refused(connection: Connection, number: int, *, reason: str, due: str, is_final: bool) -> None:
    """Try again at `due`; or never, until somebody asks for it.

    What another delivered or gave up meanwhile, because our claim was over, stays so.
    """
    connection.execute(
        update(schema.outbox)
        .where(_box.id == number, _box.state == State.WAITING)
        .values(
            state=State.PARKED if is_final else State.WAITING,
            due=due,
            tries=_box.tries + 1,
            reason=reason[:_MOST_REASON].encode(),
        )
    )


def unpark(connection: Connection, sink: str, now: str) -> int:
    """Try again what was given up for a sink, for all if it is empty; says how much that is."""
    of_sink = (_box.sink == sink,) if sink else ()
    statement = update(schema.outbox).where(_box.state == State.PARKED, *of_sink)
    return connection.execute(statement.values(state=State.WAITING, due=now, tries=0)).rowcount


def letters(connection: Connection, states: Iterable[State], finding: str = "") -> list[Letter]:
    """In order of posting."""
    of_finding = (_box.finding == finding,) if finding else ()
    statement = select(schema.outbox).where(_box.state.in_(list(states)), *of_finding).order_by(_box.id)
    return [
        Letter(
            row.sink,
            row.finding,
            row.key,
            State(row.state),
            row.due,
            row.posted,
            row.tries,
            row.reason.decode("utf-8", "replace"),
        )
        for row in connection.execute(statement)
    ]


def counts(connection: Connection) -> dict[tuple[str, State], int]:
    """By sink and state."""
    statement = select(_box.sink, _box.state, func.count()).group_by(_box.sink, _box.state)
    return {(row[0], State(row[1])): row[2] for row in connection.execute(statement)}


def told_of(connection: Connection, finding: str) -> list[Notification]:
    """What sinks are and were told of a finding, in order, each change once."""
    statement = select(_box.document).where(_box.finding == finding).order_by(_box.id)
    told = map(_decoder.decode, connection.scalars(statement))
    return list({one.key: one for one in told}.values())


def complaints(connection: Connection) -> dict[str, str]:
    """By sink: why it refused what still waits or was given up, the latest."""
    latest = select(func.max(_box.id)).where(_box.reason != b"", _box.state != State.DELIVERED).group_by(_box.sink)
    rows = connection.execute(select(_box.sink, _box.reason).where(_box.id.in_(latest)))
    return {row.sink: row.reason.decode("utf-8", "replace") for row in rows}


def oldest_waiting(connection: Connection) -> dict[str, str]:
    """By sink: when the oldest of what waits was posted."""
    statement = select(_box.sink, func.min(_box.posted)).where(_box.state == State.WAITING).group_by(_box.sink)
    return {row[0]: row[1] for row in connection.execute(statement)}


def prune(connection: Connection, before: str) -> int:
    """Let go of what was posted before then, and delivered; says how much that is."""
    old = (_box.state == State.DELIVERED, _box.posted < before)
    return connection.execute(delete(schema.outbox).where(*old)).rowcount
