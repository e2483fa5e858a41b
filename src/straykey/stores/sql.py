"""The store: a ledger, what was judged of it and what is to be told, in one database that processes may share.

One transaction takes in what was folded, marks the objects it came from, and writes what was judged and what sinks are
to be told.  Merging is the ledger's own (`core.evidence`, `core.fact`): whatever is folded twice, or by two processes
at once, counts once.
"""

from collections.abc import ItemsView, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, delete, select, update

from straykey.core.codec import UnknownVersionError
from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.grant import Grant
from straykey.core.ledger import Settled
from straykey.core.making import Made
from straykey.errors import StoreError
from straykey.stores import evidence, schema
from straykey.stores.database import Database
from straykey.stores.evidence import Held, ObjectName
from straykey.stores.rows import chunks, digest

__all__ = ["Changes", "Held", "ObjectName", "SqlStore", "StoredLedger", "Writing"]

_GRANT, _MADE = "grant", "made"


class Changes(msgspec.Struct, frozen=True):
    """What of a ledger changed: sessions by ARN, and all facts of every subject that has new ones."""

    sessions: dict[str, Evidence]
    grants: Facts[Grant]
    makings: Facts[Made]


class Writing:
    """One transaction that writes.

    `revision` is its number; what it writes is marked with it.  `epoch` says how often sessions left: whoever knows
    what is there must look at all of it anew when that changes.
    """

    def __init__(self, connection: Connection, bounds: Bounds) -> None:
        self.connection = connection
        self._bounds = bounds
        clock = schema.clock.c
        connection.execute(update(schema.clock).values(revision=clock.revision + 1))
        self.revision, self.epoch = connection.execute(select(clock.revision, clock.epoch)).one()

    def sessions_since(self, revision: int) -> Iterator[Evidence]:
        """What other transactions wrote of sessions after that one, one at a time; all there is after -1."""
        return evidence.sessions_since(self.connection, revision)

    def facts_since(self, revision: int) -> Changes:
        """As `sessions_since`, of all else."""
        grants = evidence.facts_since(self.connection, _GRANT, Grant, revision)
        return Changes({}, grants, evidence.facts_since(self.connection, _MADE, Made, revision))

    def absorb(self, ledger: Settled, known: MutableMapping[str, Held]) -> Changes:
        """Take in what was folded; for `known` see `merge_sessions`."""
        changed: dict[str, Evidence] = {}
        for some in chunks(ledger.sessions.items()):
            changed |= evidence.merge_sessions(self.connection, dict(some), self._bounds, self.revision, known)
        bounds, revision = self._bounds, self.revision
        grants = evidence.merge_facts(self.connection, _GRANT, ledger.grants, Grant, bounds.grants, revision)
        makings = evidence.merge_facts(self.connection, _MADE, ledger.makings, Made, bounds.makings, revision)
        evidence.see_accounts(self.connection, ledger.accounts)
        return Changes(changed, grants, makings)

    def let_go(self, arns: Iterable[str]) -> None:
        """These sessions leave."""
        column = schema.sessions.c.digest
        for some in chunks(arns):
            self.connection.execute(delete(schema.sessions).where(column.in_([digest(arn) for arn in some])))
        self.epoch += 1
        self.connection.execute(update(schema.clock).values(epoch=self.epoch))


class SqlStore:
    """A ledger that several processes may share."""

    def __init__(self, database: Database, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - frozen
        self._database = database
        self.bounds = bounds

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """All or nothing; nobody else writes meanwhile."""
        with self._database.transaction() as connection, _readable():
            yield Writing(connection, self.bounds)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """What was committed, as of now, for the functions of `stores`."""
        with self._database.snapshot() as connection, _readable():
            yield connection

    def absorb(self, ledger: Settled, objects: Iterable[ObjectName], now: str) -> None:
        """Take in what was folded of these objects, all of it or nothing."""
        with self.writing() as writing:
            writing.absorb(ledger, {})
            evidence.mark(writing.connection, objects, now)

    def folded(self, objects: Sequence[ObjectName]) -> set[ObjectName]:
        """Those of these objects that were taken in already."""
        with self._database.snapshot() as connection:
            return evidence.marked(connection, objects)

    @contextmanager
    def ledger(self) -> Iterator[Settled]:
        """All that was taken in, as of now, to be judged while this is open."""
        with self.reading() as connection:
            yield ledger_of(connection, self.bounds)


class StoredLedger(msgspec.Struct, frozen=True):
    """A settled ledger whose sessions lie in a database."""

    bounds: Bounds
    sessions: Mapping[str, Evidence]
    accounts: frozenset[str]
    grants: Facts[Grant]
    makings: Facts[Made]


def ledger_of(connection: Connection, bounds: Bounds) -> StoredLedger:
    return StoredLedger(
        bounds=bounds,
        sessions=_Sessions(connection),
        accounts=evidence.accounts_of(connection),
        grants=evidence.facts_since(connection, _GRANT, Grant, -1),
        makings=evidence.facts_since(connection, _MADE, Made, -1),
    )


class _Sessions(Mapping[str, Evidence]):
    """Evidence by ARN, read anew each time it is looked at."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getitem__(self, arn: str) -> Evidence:
        return evidence.session_of(self._connection, arn)

    def __len__(self) -> int:
        return evidence.sessions_count(self._connection)

    def __iter__(self) -> Iterator[str]:
        return (arn for arn, _ in self.read())

    def items(self) -> ItemsView[str, Evidence]:
        return _Items(self)

    def read(self) -> Iterator[tuple[str, Evidence]]:
        """All sessions, in no order that counts."""
        return ((one.session.arn, one) for one in evidence.sessions_since(self._connection, -1))


class _Items(ItemsView[str, Evidence]):
    _mapping: _Sessions

    def __iter__(self) -> Iterator[tuple[str, Evidence]]:
        return self._mapping.read()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except UnknownVersionError as error:
        raise StoreError(
            f"the store holds evidence of a later version of straykey ({error})",
            hint="install the version that wrote it, or a later one",
        ) from error
