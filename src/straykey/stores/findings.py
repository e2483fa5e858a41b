"""What became of findings, and what a person wants to hear no more of."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, func, select

from straykey.core.lifecycle import Tracked
from straykey.core.rule import Rule
from straykey.stores import schema
from straykey.stores.rows import chunks, put

_tracked = msgspec.json.Decoder(Tracked)
_rule = msgspec.json.Decoder(Rule)
_encode = msgspec.json.Encoder().encode


def findings_since(connection: Connection, revision: int) -> dict[str, Tracked]:
    """By id: all that were written in a later transaction."""
    table = schema.findings.c
    rows = connection.execute(select(table.id, table.document).where(table.revision > revision))
    return {row.id: _tracked.decode(row.document) for row in rows}


def findings_like(connection: Connection, beginning: str) -> dict[str, Tracked]:
    """By id: those whose id begins so."""
    table = schema.findings.c
    rows = connection.execute(select(table.id, table.document).where(table.id.startswith(beginning, autoescape=True)))
    return {row.id: _tracked.decode(row.document) for row in rows}


def finding_ids(connection: Connection) -> list[str]:
    return list(connection.scalars(select(schema.findings.c.id).order_by(schema.findings.c.id)))


def put_findings(connection: Connection, tracked: Iterable[Tracked], revision: int) -> None:
    rows = [{"id": one.finding.id, "revision": revision, "document": _encode(one)} for one in tracked]
    put(connection, schema.findings, rows)


def drop_findings(connection: Connection, ids: Iterable[str]) -> None:
    """What sinks have still to be told of them stays: who heard of one must hear how it ended."""
    waiting = schema.outbox.c.state == "waiting"
    for some in chunks(ids):
        for column in (schema.findings.c.id, schema.hidden.c.finding):
            connection.execute(delete(column.table).where(column.in_(some)))
        connection.execute(delete(schema.outbox).where(schema.outbox.c.finding.in_(some), ~waiting))


def rules_of(connection: Connection) -> list[Rule]:
    """All, in order of their making; also those that expired."""
    rules = map(_rule.decode, connection.scalars(select(schema.rules.c.document)))
    return sorted(rules, key=lambda one: (one.created, one.id))


def put_rule(connection: Connection, rule: Rule, revision: int) -> None:
    put(connection, schema.rules, [{"id": rule.id, "revision": revision, "document": _encode(rule)}])


def note_hidden(connection: Connection, tracked: Iterable[Tracked]) -> None:
    """Note which findings a rule hides: each counts once, however often it is judged."""
    put(connection, schema.hidden, [{"rule": one.rule, "finding": one.finding.id} for one in tracked if one.rule])


def hidden_by(connection: Connection) -> dict[str, int]:
    """By rule: how many findings it ever hid."""
    table = schema.hidden.c
    return {row[0]: row[1] for row in connection.execute(select(table.rule, func.count()).group_by(table.rule))}
