"""What was done in accounts to lock thieves out, step by step, so that it can be taken back after any crash.

What undoes a step is committed before the step is done.  Who applies and who rolls back may be two processes: each
write says in which phase it believes the containment to be, and is refused if it is in another.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from straykey.errors import ContainError
from straykey.formats.text import printable
from straykey.ports import Containment, Entry, Phase, StepState
from straykey.stores import schema
from straykey.stores.database import Database
from straykey.stores.rows import digest, put

_containments = schema.containments.c
_steps = schema.steps.c


class _Document(msgspec.Struct, frozen=True):
    finding: str
    account: str
    region: str
    plan: bytes
    turn: int = 0  # how many of its finding were opened before it: two may be begun in one second


_decoder = msgspec.json.Decoder(_Document)
_encode = msgspec.json.Encoder().encode


# The option may be applied again upon these: the later one puts back what the earlier one left.
_SETTLED = (Phase.APPLIED, Phase.ROLLED_BACK)


def open_containment(connection: Connection, containment: Containment) -> Containment:
    """Put it there, with an id; `ContainError` while another of its finding and option is unfinished."""
    finding = digest(containment.finding)
    same = (_containments.finding == finding, _containments.option == containment.option)
    is_unfinished = _containments.phase.not_in(_SETTLED)
    if other := connection.execute(select(_containments.id, _containments.phase).where(*same, is_unfinished)).first():
        raise ContainError(
            f"{containment.option} for this finding was begun already, and is {other.phase} ({other.id})",
            hint="roll it back first",
        )
    turn = connection.execute(select(func.count()).where(_containments.finding == finding)).scalar_one()
    identity = digest(containment.finding, containment.option, containment.begun, str(turn))
    row = {
        "id": identity,
        "finding": finding,
        "option": containment.option,
        "phase": containment.phase,
        "begun": containment.begun,
        "document": _encode(
            _Document(containment.finding, containment.account, containment.region, containment.plan, turn),
        ),
    }
    connection.execute(insert(schema.containments).values(row))
    for entry in containment.entries:
        put_entry(connection, identity, entry)
    return msgspec.structs.replace(containment, id=identity)


def containment_of(connection: Connection, identity: str) -> Containment:
    """The one of this id; `ContainError` if there is none."""
    row = connection.execute(select(schema.containments).where(_containments.id == identity)).first()
    if row is None:
        raise ContainError(f"no containment {printable(identity)} was begun here", hint="see which were begun")
    return _containment(connection, row)


def containments_for(connection: Connection, finding: str) -> list[Containment]:
    """Of a finding, the first that was opened first; of all findings if it is empty."""
    of_finding = (_containments.finding == digest(finding),) if finding else ()
    rows = connection.execute(select(schema.containments).where(*of_finding)).all()
    # Each in its turn, whatever the clock of who began it said.
    return [_containment(connection, row) for row in sorted(rows, key=lambda row: (row.finding, *_place(row)))]


def _place(row: Row[Any]) -> tuple[int, str, str]:
    return _decoder.decode(row.document).turn, row.begun, row.id


def put_entry(connection: Connection, identity: str, entry: Entry) -> None:
    row = {
        "containment": identity,
        "number": entry.number,
        "name": entry.name.encode(),
        "state": entry.state,
        "undo": entry.undo,
        "found": entry.found,
    }
    put(connection, schema.steps, [row])


def expect(connection: Connection, identity: str, phases: Sequence[Phase]) -> None:
    """`ContainError` if it is in none of these phases."""
    found = connection.scalar(select(_containments.phase).where(_containments.id == identity))
    if found not in phases:
        raise ContainError(
            f"containment {printable(identity)} is {found or 'not there'}, not {' or '.join(phases)}",
            hint="somebody else may be at it: see what they come to",
        )


def expect_last(connection: Connection, identity: str) -> None:
    """`ContainError` if its option was applied again since: what that one restores is what this one made."""
    this = connection.execute(select(schema.containments).where(_containments.id == identity)).one()
    same = (_containments.finding == this.finding, _containments.option == this.option)
    standing = select(schema.containments).where(*same, _containments.phase != Phase.ROLLED_BACK)
    later = [row for row in connection.execute(standing) if _place(row) > _place(this)]
    if later:
        raise ContainError(
            f"{this.option} was applied again since, and that is {later[-1].phase} ({later[-1].id})",
            hint="roll that back first",
        )


def enter(connection: Connection, identity: str, phase: Phase) -> None:
    connection.execute(update(schema.containments).where(_containments.id == identity).values(phase=phase))


def _containment(connection: Connection, row: Row[Any]) -> Containment:
    document = _decoder.decode(row.document)
    ordered = select(schema.steps).where(_steps.containment == row.id).order_by(_steps.number)
    return Containment(
        finding=document.finding,
        option=row.option,
        account=document.account,
        region=document.region,
        begun=row.begun,
        plan=document.plan,
        phase=Phase(row.phase),
        entries=tuple(
            Entry(one.number, one.name.decode(), StepState(one.state), one.undo, one.found)
            for one in connection.execute(ordered)
        ),
        id=row.id,
    )


class SqlJournal:
    """A journal in a database; each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, containment: Containment) -> Containment:
        with self._database.transaction() as connection:
            return open_containment(connection, containment)

    def read(self, identity: str) -> Containment:
        with self._database.snapshot() as connection:
            return containment_of(connection, identity)

    def note(self, identity: str, phase: Phase, entry: Entry) -> None:
        with self._database.transaction() as connection:
            expect(connection, identity, [phase])
            put_entry(connection, identity, entry)

    def move(self, identity: str, into: Phase, *, out_of: Sequence[Phase]) -> None:
        with self._database.transaction() as connection:
            expect(connection, identity, out_of)
            if into is Phase.ROLLING_BACK:
                expect_last(connection, identity)
            enter(connection, identity, into)
