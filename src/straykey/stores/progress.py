"""How far things are: what was covered, what each process does, how far a source was read."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Select, Table, delete, select

from straykey.core.coverage import Covered, Kind, Seen, joined
from straykey.stores import schema
from straykey.stores.rows import chunks, digest, put

_LONGEST_NAME = 128
_S = TypeVar("_S", bound=msgspec.Struct)


def coverage_of(connection: Connection) -> dict[Covered, Seen]:
    return _seen(connection, select(schema.coverage))


def _coverage_of(connection: Connection, accounts: set[str]) -> dict[Covered, Seen]:
    """Of these accounts: with thousands of them, all of it is more than a commit should read."""
    column = schema.coverage.c.account
    found: dict[Covered, Seen] = {}
    for some in chunks(sorted(accounts)):
        found |= _seen(connection, select(schema.coverage).where(column.in_(some)))
    return found


def _seen(connection: Connection, statement: Select[tuple[Any, ...]]) -> dict[Covered, Seen]:
    rows = connection.execute(statement)
    return {Covered(row.account, row.region, Kind(row.kind)): Seen(row.first, row.last) for row in rows}


def widen(connection: Connection, seen: Mapping[Covered, Seen]) -> None:
    """Add what is covered, too."""
    if not seen:
        return
    known = _coverage_of(connection, {one.account for one in seen})
    rows = [
        {"account": one.account, "region": one.region, "kind": one.kind.value, "first": both.first, "last": both.last}
        for one, there in seen.items()
        if (both := joined(known.get(one), there)) != known.get(one)
    ]
    put(connection, schema.coverage, rows)


class Worker(msgspec.Struct, frozen=True):
    """What a process that watches did up to its last commit, `at` that time; counted since it `began`.

    `newest` is the time of the newest record it ever read, `object_name` what it folded last.  `rate` is records a
    second over the last minute; `backlog` what its sources had left to give, as far as they say.
    """

    name: str
    began: str
    at: str
    records: int = 0
    objects: int = 0
    newest: str = ""
    object_name: str = ""
    rate: float = 0.0
    backlog: int | None = None


_encode = msgspec.json.Encoder().encode


def put_worker(connection: Connection, worker: Worker) -> None:
    put(connection, schema.workers, [{"name": worker.name, "document": _encode(worker)}])


def drop_worker(connection: Connection, name: str) -> None:
    connection.execute(delete(schema.workers).where(schema.workers.c.name == name))


def workers_of(connection: Connection) -> list[Worker]:
    return sorted(_all(connection, schema.workers, Worker), key=lambda one: one.name)


def prune_workers(connection: Connection, before: str) -> int:
    """Let go of those that have been silent since; says how many."""
    silent = [one.name for one in workers_of(connection) if one.at < before]
    for some in chunks(silent):
        connection.execute(delete(schema.workers).where(schema.workers.c.name.in_(some)))
    return len(silent)


def _all(connection: Connection, table: Table, shape: type[_S]) -> list[_S]:
    return [msgspec.json.decode(data, type=shape) for data in connection.scalars(select(table.c.document))]


def position_of(connection: Connection, source: str) -> str:
    """How far a source was read, in its own words; empty if it never was."""
    data = connection.scalar(select(schema.positions.c.document).where(schema.positions.c.name == _key(source)))
    return data.decode() if data is not None else ""


def put_position(connection: Connection, source: str, position: str) -> None:
    put(connection, schema.positions, [{"name": _key(source), "document": position.encode()}])


def _key(source: str) -> str:
    """A prefix in a bucket may be longer than the column."""
    return source if len(source) <= _LONGEST_NAME else digest(source)
