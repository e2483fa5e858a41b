"""What could not be read, or not all of it: tried again, put aside, or read with losses; each with its reason."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, delete, func, select

from straykey.stores import schema
from straykey.stores.rows import chunks, digest, put

_MOST_NAME, _MOST_REASON = 2_000, 2_000


class State(StrEnum):
    """What is suspected is read by itself: those who read it with others did not live to tell."""

    TRYING = "trying"
    QUARANTINED = "quarantined"
    DAMAGED = "damaged"
    SUSPECTED = "suspected"


class Trouble(msgspec.Struct, frozen=True):
    """`name` is the object's, or the message's id.  `tries` counts how often it was tried and could not be read.

    Of what is suspected it counts how often it was begun to be read; then `name` is the message's.
    """

    name: str
    state: State
    reason: str
    tries: int
    first: str
    last: str


_decoder = msgspec.json.Decoder(Trouble)
_encode = msgspec.json.Encoder().encode
_troubles = schema.troubles.c


def trouble_of(connection: Connection, name: str) -> Trouble | None:
    data = connection.scalar(select(_troubles.document).where(_troubles.digest == digest(name)))
    return _decoder.decode(data) if data is not None else None


def put_trouble(connection: Connection, trouble: Trouble) -> None:
    """Name and reason may be as long as a message: they are cut, for who sends those may send many."""
    cut = msgspec.structs.replace(trouble, name=trouble.name[:_MOST_NAME], reason=trouble.reason[:_MOST_REASON])
    row = {"digest": digest(trouble.name), "state": trouble.state.value, "document": _encode(cut)}
    put(connection, schema.troubles, [row])


def drop_trouble(connection: Connection, name: str) -> None:
    connection.execute(delete(schema.troubles).where(_troubles.digest == digest(name)))


def troubles(connection: Connection, state: State, most: int) -> list[Trouble]:
    """The latest."""
    found = map(_decoder.decode, connection.scalars(select(_troubles.document).where(_troubles.state == state)))
    return sorted(found, key=lambda one: (one.last, one.name), reverse=True)[:most]


def among(connection: Connection, names: Iterable[str], state: State) -> dict[str, int]:
    """Those of these names that are in this trouble, each with how often it was tried."""
    digests = {digest(name): name for name in names}
    found: dict[str, int] = {}
    for some in chunks(digests):
        those = (_troubles.digest.in_(some), _troubles.state == state)
        for row in connection.execute(select(_troubles.digest, _troubles.document).where(*those)):
            found[digests[row.digest]] = _decoder.decode(row.document).tries
    return found


def prune(connection: Connection, before: str, most: int) -> int:
    """Let go of what was last met before then, and of all but the latest `most`; says how many."""
    rows = connection.execute(select(_troubles.digest, _troubles.document))
    met = sorted(((_decoder.decode(row.document).last, row.digest) for row in rows), reverse=True)
    gone = [one for place, (last, one) in enumerate(met) if last < before or place >= most]
    for some in chunks(gone):
        connection.execute(delete(schema.troubles).where(_troubles.digest.in_(some)))
    return len(gone)


def counts(connection: Connection) -> dict[State, int]:
    statement = select(_troubles.state, func.count()).group_by(_troubles.state)
    return {State(row[0]): row[1] for row in connection.execute(statement)}
