"""What all tables have in common: how rows are put there, and what names them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

_T = TypeVar("_T")

Row = Mapping[str, object]

AT_ONCE = 200  # rows: SQLite takes 32,766 values in a statement, and evidence is some kilobytes


def put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, or change those that are there."""
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    else:
        statement = statement.on_conflict_do_nothing()
    # Many sets of values for one statement: to spell them out in it costs more than to write them.
    connection.execute(statement, [dict(row) for row in rows])


def digest(*parts: str) -> str:
    """Of text that may hold what no text column takes, and be longer than any index."""
    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def chunks(items: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(items)
    while some := list(islice(left, AT_ONCE)):
        yield some
