"""One transaction: evidence, the objects it came from, what became of findings, and what sinks are to be told.

All of it is there afterwards, or nothing; only then may a source be told that it was read.
"""

from collections.abc import Callable

import msgspec

from straykey.core import lifecycle
from straykey.core.lifecycle import Tracked
from straykey.core.moment import later
from straykey.stores import evidence, progress, troubles
from straykey.stores.progress import Worker
from straykey.stores.sql import SqlStore, Writing
from straykey.stores.troubles import State, Trouble
from straykey.watch.batch import Batch
from straykey.watch.mirror import Mirror
from straykey.watch.rehearsal import WithoutOldDrills, current
from straykey.watch.verdict import Audience, Verdicts, judge_anew, keep, publish, tell

Step = Callable[[str], None]  # is told the name of each step before it is taken

_GROWTH_SECONDS = 900  # how long a sink may not know of more calls to what it was told


class Committed(msgspec.Struct, frozen=True):
    """`verdicts` is None where nothing had changed that could be judged."""

    revision: int
    verdicts: Verdicts | None
    judged_seconds: float


class Terms(msgspec.Struct, frozen=True):
    """What goes for every commit.

    `step` is told the name of each step before it is taken; `seconds` never goes back.
    """

    audience: Audience = Audience()
    step: Step = lambda _: None
    seconds: Callable[[], float] = lambda: 0.0


def commit(store: SqlStore, mirror: Mirror, batch: Batch, worker: Worker, terms: Terms) -> Committed:
    """Write all of a batch, at the worker's time; an empty one brings up to date what people and other processes did.

    Raises `StoreError`; then nothing was written.
    """
    try:
        with store.writing() as writing:
            done = _written(writing, mirror, batch, worker, terms)
            terms.step("commit")
    except BaseException:
        mirror.forget()  # what it knows may never have been
        raise
    mirror.committed()
    return done


def _written(writing: Writing, mirror: Mirror, batch: Batch, worker: Worker, terms: Terms) -> Committed:
    now, connection, step = worker.at, writing.connection, terms.step
    known = {name: one.status for name, one in mirror.findings.items()}
    is_changed = mirror.catch_up(writing)
    step("absorb")
    if not batch.is_empty:
        ledger = WithoutOldDrills(batch.ledger, current(connection, now))
        is_changed |= mirror.take(writing.absorb(ledger, mirror.held))
        step("mark")
        _note(writing, batch, now)
    step("judge")
    began = terms.seconds()
    verdicts = judge_anew(mirror, now) if is_changed or _is_rule_over(mirror, now) else None
    judged = terms.seconds() - began
    step("publish")
    changed = {one.finding.id: one for one in verdicts.changed} if verdicts else {}
    # What a person said of a finding since, sinks hear of from here.
    said = [one for name, one in mirror.findings.items() if name not in changed and known.get(name) is not one.status]
    news = [*changed.values(), *filter(lifecycle.is_news, said)]
    keep(mirror, connection, publish(connection, news, terms.audience, now), writing.revision)
    if batch.is_empty:  # every few seconds: it looks at all findings
        keep(mirror, connection, _grown(writing, mirror, terms.audience, now), writing.revision)
    progress.put_worker(connection, worker)
    return Committed(writing.revision, verdicts, judged)


def _is_rule_over(mirror: Mirror, now: str) -> bool:
    """True if something is hidden by a rule that holds no more."""
    live = {rule.id for rule in mirror.rules if rule.is_live(now)}
    return any(one.rule and one.rule not in live for one in mirror.findings.values())


def _note(writing: Writing, batch: Batch, now: str) -> None:
    connection = writing.connection
    evidence.mark(connection, batch.objects, now)
    for source, position in batch.positions.items():
        progress.put_position(connection, source, position)
    progress.widen(connection, {what: seen.until(now) for what, seen in batch.coverage.items()})
    for name in batch.mended:
        troubles.drop_trouble(connection, name)
    for name, lost in batch.losses.items():
        told = "; ".join(f"{reason.value}: {count}" for reason, count in sorted(lost.items()))
        troubles.put_trouble(connection, Trouble(name, State.DAMAGED, told, 1, now, now))
    for trouble in batch.troubles.values():
        before = troubles.trouble_of(connection, trouble.name)
        first = before.first if before else trouble.first
        troubles.put_trouble(connection, msgspec.structs.replace(trouble, first=first))


def _grown(writing: Writing, mirror: Mirror, audience: Audience, now: str) -> list[Tracked]:
    """What has grown since sinks heard of it, some time ago, with what is noted as told now."""
    since = later(now, -_GROWTH_SECONDS)
    grown = [one for one in mirror.findings.values() if lifecycle.has_grown(one, since=since)]
    return [tell(writing.connection, one, audience, now) for one in grown]
