"""The ledger's tables: evidence of sessions, facts, accounts, and the objects all that came from."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import TypeVar

import msgspec
from isal import isal_zlib
from sqlalchemy import Connection, delete, func, select

from straykey.core.codec import evidence_from_bytes, evidence_to_bytes, fact_from_bytes, fact_to_bytes
from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.sample import trim
from straykey.errors import StoreError
from straykey.stores import schema
from straykey.stores.rows import AT_ONCE, Row, chunks, digest, put

_F = TypeVar("_F", bound=msgspec.Struct)


class ObjectName(msgspec.Struct, frozen=True):
    """Where an object of logs lies; `version` is empty in a bucket that keeps none."""

    bucket: str
    key: str
    version: str = ""

    @property
    def digest(self) -> str:
        return digest(self.bucket, self.key, self.version)


def ends(evidence: Evidence) -> str:
    """When the last of its keys that is known of expires, or when it called last, if that is later."""
    expiries = (issuance.expires for issuance in evidence.issuances.values())
    uses = (sighting.last.time for sighting in evidence.sightings.values())
    return max((*expiries, *uses), default="")


class Held(msgspec.Struct):
    """Evidence as it lies in the store, and the bytes that it is there."""

    evidence: Evidence
    data: bytes


# Samples of events repeat themselves: to make them six times smaller costs less than to write all of it.
_PACKED = b"\x02"  # no first byte of `core.codec`, which what an older version wrote begins with


def packed(evidence: Evidence) -> bytes:
    """Settled evidence as it is stored; equal evidence gives equal bytes, on one machine."""
    return _PACKED + isal_zlib.compress(evidence_to_bytes(evidence), 1)


def unpacked(data: bytes) -> Evidence:
    """Raises `StoreError` for bytes that are none of evidence."""
    try:
        return evidence_from_bytes(isal_zlib.decompress(data[1:]) if data[:1] == _PACKED else data)
    except (isal_zlib.error, msgspec.DecodeError) as error:  # type: ignore[misc]  # the stub declares it as an instance
        raise StoreError(
            f"evidence in the store is damaged ({type(error).__name__})",
            hint="take the store back from a backup; or begin a new one, and read the logs again (--look-back)",
        ) from error


def merge_sessions(
    connection: Connection,
    sessions: Mapping[str, Evidence],
    bounds: Bounds,
    revision: int,
    known: MutableMapping[str, Held],
) -> dict[str, Evidence]:
    """Merge these into what is there; gives all that changed.

    `known` is what is there, by ARN, as far as the caller has it: it need not be read again.  It is spoilt where this
    fails.
    """
    known.update(_read(connection, [arn for arn in sessions if arn not in known]))
    changed: dict[str, Evidence] = {}
    rows: list[Row] = []
    for arn, evidence in sessions.items():
        held = known.get(arn) or Held(evidence, b"")
        if held.evidence is not evidence:
            held.evidence.absorb(evidence, bounds)
            held.evidence.settle(bounds)
        data = packed(held.evidence)
        if data != held.data:
            held.data = data
            known[arn], changed[arn] = held, held.evidence
            row: Row = {"digest": digest(arn), "evidence": data, "ends": ends(held.evidence), "revision": revision}
            rows.append(row)
    put(connection, schema.sessions, rows)
    return changed


def _read(connection: Connection, arns: Iterable[str]) -> dict[str, Held]:
    column = schema.sessions.c
    found: dict[str, Held] = {}
    for some in chunks(arns):
        statement = select(column.evidence).where(column.digest.in_([digest(arn) for arn in some]))
        for data in connection.scalars(statement):
            evidence = unpacked(data)
            found[evidence.session.arn] = Held(evidence, data)
    return found


def session_of(connection: Connection, arn: str) -> Evidence:
    """Raises `KeyError` for a session that is not there."""
    return _read(connection, [arn])[arn].evidence


def sessions_count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(schema.sessions)) or 0


def sessions_of(connection: Connection, arns: Iterable[str]) -> Iterator[Evidence]:
    """Those of these that are there."""
    for some in chunks(arns):
        yield from (held.evidence for held in _read(connection, some).values())


def sessions_since(connection: Connection, revision: int) -> Iterator[Evidence]:
    """All that were written in a later transaction, in no order that counts."""
    column = schema.sessions.c
    statement = select(column.evidence).where(column.revision > revision)
    with connection.execute(statement, execution_options={"yield_per": AT_ONCE}) as rows:
        for row in rows:
            yield unpacked(row.evidence)


def merge_facts(
    connection: Connection, kind: str, facts: Facts[_F], shape: type[_F], keep: int, revision: int
) -> Facts[_F]:
    """Merge these into what is there; gives all of every subject that changed, subjects by their digests."""
    table = schema.facts.c
    changed: dict[str, dict[str, _F]] = {}
    for some in chunks(facts.by_subject.items()):
        ours = {digest(subject): there for subject, there in some}
        theirs = _facts_of(connection, kind, ours, shape)
        for subject, new in ours.items():
            known = theirs.get(subject, {})
            merged = known | new
            trim(merged, keep)
            fresh = merged.keys() - known.keys()
            if not fresh:
                continue
            changed[subject] = merged
            put(
                connection,
                schema.facts,
                [
                    {
                        "kind": kind,
                        "subject": subject,
                        "key": key,
                        "fact": fact_to_bytes(merged[key]),
                        "revision": revision,
                    }
                    for key in sorted(fresh)
                ],
            )
            for gone in chunks(known.keys() - merged.keys()):
                that = (table.kind == kind, table.subject == subject, table.key.in_(gone))
                connection.execute(delete(schema.facts).where(*that))
    return Facts(changed)


def facts_since(connection: Connection, kind: str, shape: type[_F], revision: int) -> Facts[_F]:
    """All of every subject of which something was written in a later transaction.

    What fell out of the bounds did so for what was written then, and its subject is among these.
    """
    table = schema.facts.c
    if revision < 0:
        return Facts(_facts_of(connection, kind, None, shape))
    statement = select(table.subject).distinct().where(table.kind == kind, table.revision > revision)
    found: dict[str, dict[str, _F]] = {}
    for some in chunks(connection.scalars(statement).all()):
        found |= _facts_of(connection, kind, some, shape)
    return Facts(found)


def _facts_of(
    connection: Connection, kind: str, subjects: Iterable[str] | None, shape: type[_F]
) -> dict[str, dict[str, _F]]:
    """By subject; of all subjects, if none are named."""
    table = schema.facts.c
    statement = select(schema.facts).where(table.kind == kind)
    if subjects is not None:
        statement = statement.where(table.subject.in_(subjects))
    found: dict[str, dict[str, _F]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.subject, {})[row.key] = fact_from_bytes(row.fact, shape)
    return found


def accounts_of(connection: Connection) -> frozenset[str]:
    return frozenset(connection.scalars(select(schema.accounts.c.account)))


def see_accounts(connection: Connection, accounts: Iterable[str]) -> None:
    put(connection, schema.accounts, [{"account": account} for account in sorted(accounts)])


def mark(connection: Connection, objects: Iterable[ObjectName], now: str) -> None:
    """Note that these objects were folded."""
    folded = {one.digest: now for one in objects}
    put(connection, schema.objects, [{"digest": one, "folded": at} for one, at in folded.items()])


def marked(connection: Connection, objects: Sequence[ObjectName]) -> set[ObjectName]:
    """Those of these objects that were folded already."""
    digests = {one.digest: one for one in objects}
    column = schema.objects.c.digest
    found = [one for some in chunks(digests) for one in connection.scalars(select(column).where(column.in_(some)))]
    return {digests[one] for one in found}


def prune_marks(connection: Connection, before: str) -> int:
    """Forget objects that were folded before then: nobody gives those out any more; says how many."""
    return connection.execute(delete(schema.objects).where(schema.objects.c.folded < before)).rowcount
