"""The ledger in a database.  Whatever is folded twice, or by two processes at once, counts once.

One transaction takes in what was folded and marks the objects it came from.  Merging is the ledger's own
(`core.evidence`, `core.fact`): the store reads what is there, merges, and writes what has changed.
"""

from collections.abc import Container, ItemsView, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Row, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from straykey.core.codec import (
    UnknownVersionError,
    evidence_from_bytes,
    evidence_to_bytes,
    fact_from_bytes,
    fact_to_bytes,
)
from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.grant import Grant
from straykey.core.ledger import Settled
from straykey.core.making import Made
from straykey.core.sample import trim
from straykey.errors import StoreError
from straykey.stores import schema
from straykey.stores.database import Database

_T = TypeVar("_T")
_F = TypeVar("_F", bound=msgspec.Struct)

_Row = dict[str, str | bytes]

_GRANT, _MADE = "grant", "made"
_AT_ONCE = 200  # rows: SQLite takes 32,766 values in a statement, and evidence is some kilobytes


class ObjectName(msgspec.Struct, frozen=True):
    """Where an object of logs lies; `version` is empty in a bucket that keeps none."""

    bucket: str
    key: str
    version: str = ""


class SqlStore:
    """A ledger that several processes may share."""

    def __init__(self, database: Database, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - frozen
        self._database = database
        self._bounds = bounds

    def absorb(self, ledger: Settled, objects: Iterable[ObjectName], now: str) -> None:
        """Take in what was folded of these objects, all of it or nothing."""
        with self._database.transaction() as connection, _readable():
            for sessions in _chunks(ledger.sessions.items()):
                _merge_sessions(connection, dict(sessions), self._bounds)
            _merge_facts(connection, _GRANT, ledger.grants, Grant, self._bounds.grants)
            _merge_facts(connection, _MADE, ledger.makings, Made, self._bounds.makings)
            _put(connection, schema.accounts, [{"account": account} for account in sorted(ledger.accounts)])
            folded = {_digest(one.bucket, one.key, one.version): now for one in objects}
            _put(connection, schema.objects, [{"digest": one, "folded": at} for one, at in folded.items()])

    def folded(self, objects: Sequence[ObjectName]) -> set[ObjectName]:
        """Those of these objects that were taken in already."""
        digests = {_digest(one.bucket, one.key, one.version): one for one in objects}
        column = schema.objects.c.digest
        with self._database.snapshot() as connection:
            found = [
                row.digest
                for some in _chunks(digests)
                for row in connection.execute(select(column).where(column.in_(some)))
            ]
        return {digests[one] for one in found}

    @contextmanager
    def ledger(self) -> Iterator[Settled]:
        """All that was taken in, as of now, to be judged while this is open."""
        with self._database.snapshot() as connection, _readable():
            yield StoredLedger(
                bounds=self._bounds,
                sessions=_Sessions(connection),
                accounts=frozenset(connection.scalars(select(schema.accounts.c.account))),
                grants=_facts(connection, _GRANT, Grant),
                makings=_facts(connection, _MADE, Made),
            )


class StoredLedger(msgspec.Struct, frozen=True):
    """A settled ledger whose sessions lie in a database."""

    bounds: Bounds
    sessions: Mapping[str, Evidence]
    accounts: frozenset[str]
    grants: Facts[Grant]
    makings: Facts[Made]


class _Sessions(Mapping[str, Evidence]):
    """Evidence by ARN, read anew each time it is looked at."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getitem__(self, arn: str) -> Evidence:
        column = schema.sessions.c
        data = self._connection.scalar(select(column.evidence).where(column.digest == _digest(arn)))
        if data is None:
            raise KeyError(arn)
        return evidence_from_bytes(data)

    def __len__(self) -> int:
        return self._connection.scalar(select(func.count()).select_from(schema.sessions)) or 0

    def __iter__(self) -> Iterator[str]:
        return (arn for arn, _ in self.read())

    def items(self) -> ItemsView[str, Evidence]:
        return _Items(self)

    def read(self) -> Iterator[tuple[str, Evidence]]:
        """All sessions, in no order that counts."""
        connection = self._connection.execution_options(yield_per=_AT_ONCE)
        with connection.execute(select(schema.sessions.c.evidence)) as rows:
            for row in rows:
                evidence = evidence_from_bytes(row.evidence)
                yield evidence.session.arn, evidence


class _Items(ItemsView[str, Evidence]):
    _mapping: _Sessions

    def __iter__(self) -> Iterator[tuple[str, Evidence]]:
        return self._mapping.read()


def _merge_sessions(connection: Connection, sessions: dict[str, Evidence], bounds: Bounds) -> None:
    column = schema.sessions.c
    digests = {_digest(arn): evidence for arn, evidence in sessions.items()}
    there = {
        row.digest: row.evidence
        for row in connection.execute(select(column.digest, column.evidence).where(column.digest.in_(digests)))
    }
    changed: list[_Row] = []
    for digest, evidence in digests.items():
        before = there.get(digest)
        merged = evidence
        if before is not None:
            merged = evidence_from_bytes(before)
            merged.absorb(evidence, bounds)
            merged.settle(bounds)
        after = evidence_to_bytes(merged)
        if after != before:
            changed.append({"digest": digest, "evidence": after})
    _put(connection, schema.sessions, changed)


def _merge_facts(connection: Connection, kind: str, facts: Facts[_F], shape: type[_F], keep: int) -> None:
    table = schema.facts.c
    for some in _chunks(facts.by_subject.items()):
        ours = {_digest(subject): there for subject, there in some}
        rows = connection.execute(select(schema.facts).where(table.kind == kind, table.subject.in_(ours)))
        theirs = _by_subject(rows, shape)
        for subject, new in ours.items():
            known = theirs.get(subject, {})
            merged = known | new
            trim(merged, keep)
            _put(connection, schema.facts, _rows_of_facts(kind, subject, merged, known))
            for gone in _chunks(known.keys() - merged.keys()):
                that = (table.kind == kind, table.subject == subject, table.key.in_(gone))
                connection.execute(delete(schema.facts).where(*that))


def _rows_of_facts(kind: str, subject: str, facts: dict[str, _F], known: Container[str]) -> list[_Row]:
    """What is new of one subject."""
    return [
        {"kind": kind, "subject": subject, "key": key, "fact": fact_to_bytes(fact)}
        for key, fact in facts.items()
        if key not in known
    ]


def _facts(connection: Connection, kind: str, shape: type[_F]) -> Facts[_F]:
    return Facts(_by_subject(connection.execute(select(schema.facts).where(schema.facts.c.kind == kind)), shape))


def _by_subject(rows: Iterable[Row[tuple[str, str, str, bytes]]], shape: type[_F]) -> dict[str, dict[str, _F]]:
    found: dict[str, dict[str, _F]] = {}
    for row in rows:
        found.setdefault(row.subject, {})[row.key] = fact_from_bytes(row.fact, shape)
    return found


def _put(connection: Connection, table: Table, rows: list[_Row]) -> None:
    """Insert rows, or change those that are there."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if column.name not in keys]
    for some in _chunks(rows):
        statement = insert(table).values(some)
        if others:
            changed = {name: statement.excluded[name] for name in others}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        else:
            statement = statement.on_conflict_do_nothing()
        connection.execute(statement)


def _digest(*parts: str) -> str:
    """Of text that may hold what no text column takes, and be longer than any index."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        yield some


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UnknownVersionError as error:
        raise StoreError(
            f"the store holds evidence of a later version of straykey ({error})",
            hint="install the version that wrote it, or a later one",
        ) from error
