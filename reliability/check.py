"""Holds what a store and its sinks have against what a scan of the same objects comes to."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from reliability.world import Expected
from straykey.core import lifecycle
from straykey.core.codec import evidence_to_bytes, fact_to_bytes
from straykey.core.fact import Facts
from straykey.core.finding import Status
from straykey.core.ledger import Settled
from straykey.core.lifecycle import Tracked
from straykey.formats.finding_json import to_document
from straykey.ports import Notification
from straykey.sources.notice import ObjectRef
from straykey.stores import findings, outbox, troubles
from straykey.stores.outbox import Letter
from straykey.stores.rows import digest
from straykey.stores.sql import SqlStore
from straykey.watch.intake import object_of

_F = TypeVar("_F", bound=msgspec.Struct)


class Found(msgspec.Struct, frozen=True):
    """`wrong` is what differs from the scan, was lost, or came twice; else these are figures."""

    wrong: list[str]
    findings: int
    sessions: int
    notifications: int
    repeats: int  # notifications that a sink received more than once, and may drop by their key


def is_settled(store: SqlStore, now: str) -> bool:
    """True if sinks have been told all there is to tell."""
    with store.reading() as connection:
        waiting = outbox.letters(connection, [outbox.State.WAITING])
        kept = findings.findings_since(connection, -1).values()
    return not waiting and not any(lifecycle.has_grown(one, since=now) for one in kept)


def compare(
    store: SqlStore, expected: Expected, refs: Sequence[ObjectRef], took: Mapping[str, Sequence[Notification]]
) -> Found:
    with store.reading() as connection:
        kept = findings.findings_since(connection, -1)
        letters = outbox.letters(connection, list(outbox.State))
        in_trouble = [one for state in troubles.State for one in troubles.troubles(connection, state, 100)]
    with store.ledger() as ledger:
        wrong = [*_of_ledger(ledger, expected.ledger)]
        sessions = len(ledger.sessions)
    names = [object_of(ref) for ref in refs]
    wrong += [f"object {one.key} is not marked" for one in set(names) - store.folded(names)]
    wrong += [f"{one.state} {one.name}: {one.reason} ({one.tries} tries)" for one in in_trouble]
    wrong += _of_findings(kept, expected)
    for sink, received in took.items():
        wrong += _of_sink(sink, kept, [one for one in letters if one.sink == sink], received)
    received_all = sum(map(len, took.values()))
    once = sum(len({one.key for one in received}) for received in took.values())
    return Found(wrong, len(expected.findings), sessions, once, received_all - once)


def _of_ledger(ours: Settled, theirs: Settled) -> Iterator[str]:
    there = {arn: evidence_to_bytes(one) for arn, one in ours.sessions.items()}
    scanned = {arn: evidence_to_bytes(one) for arn, one in theirs.sessions.items()}
    yield from (f"session {arn} was lost" for arn in scanned.keys() - there.keys())
    yield from (f"session {arn} is in no log" for arn in there.keys() - scanned.keys())
    yield from (f"session {arn} differs" for arn in there.keys() & scanned.keys() if there[arn] != scanned[arn])
    if set(ours.accounts) != set(theirs.accounts):
        yield "accounts differ"
    if _facts(ours.grants) != _facts(theirs.grants, digest) or _facts(ours.makings) != _facts(theirs.makings, digest):
        yield "facts differ"


def _facts(facts: Facts[_F], name: Callable[[str], str] = str) -> dict[str, dict[str, bytes]]:
    """By the digest of the subject, as a store has them."""
    return {
        name(subject): {key: fact_to_bytes(fact) for key, fact in there.items()}
        for subject, there in facts.by_subject.items()
    }


def _of_findings(kept: Mapping[str, Tracked], expected: Expected) -> Iterator[str]:
    is_open = {name for name, one in kept.items() if one.status is Status.OPEN}
    ids = [one.id for one in expected.findings]
    yield from (f"finding {name} was lost" for name in ids if name not in is_open)
    yield from (f"finding {name} is open, and no scan finds it" for name in is_open.difference(ids))
    if is_open == set(ids) and to_document([kept[name].finding for name in ids], {}) != _document(expected):
        yield "findings are not what a scan finds, byte for byte"


def _document(expected: Expected) -> str:
    return to_document(expected.findings, {})


def _of_sink(
    sink: str, kept: Mapping[str, Tracked], letters: Sequence[Letter], received: Sequence[Notification]
) -> Iterator[str]:
    keys = [letter.key for letter in letters]
    undone = [letter for letter in letters if letter.state is not outbox.State.DELIVERED]
    yield from (f"{sink}: {letter.key} is {letter.state}: {letter.reason}" for letter in undone)
    told = {one.key for one in received}
    yield from (f"{sink}: {key} was never received" for key in set(keys) - told)
    yield from (f"{sink}: {key} was received, and never posted" for key in told - set(keys))
    by_finding: dict[str, list[Notification]] = defaultdict(list)
    for one in {one.key: one for one in reversed(received)}.values():  # each when it came first
        by_finding[one.finding.id].insert(0, one)
    for name, of_one in by_finding.items():
        yield from _of_tellings(f"{sink}: {name}", kept.get(name), of_one)


def _of_tellings(what: str, known: Tracked | None, tellings: Sequence[Notification]) -> Iterator[str]:
    if known is None or known.told is None:
        yield f"{what} was told, and is not kept"
        return
    ats = [one.at for one in tellings]
    if ats != sorted(set(ats)):
        yield f"{what} was told out of order"
    last = tellings[-1].finding
    if last != msgspec.structs.replace(known, finding=known.told.finding).shown():
        yield f"{what} was told last as something else than it is"
    if known.status is Status.OPEN and last != known.finding:
        yield f"{what} has grown, and was not told"
