"""How watching gets on: what the store tells of it, put together for `status`."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from straykey.casebook import rule_states
from straykey.core.coverage import Covered, Seen, gaps
from straykey.core.lifecycle import Tracked
from straykey.core.moment import later, seconds
from straykey.errors import UsageError
from straykey.formats.status_json import Condition, CoverageState, GapState, SinkState, TroubleState, WorkerState
from straykey.formats.text import bounded
from straykey.formats.tracked_json import rule_object
from straykey.stores import evidence, findings, outbox, progress, troubles
from straykey.stores.outbox import State as Box
from straykey.stores.progress import Worker
from straykey.stores.sql import SqlStore
from straykey.stores.troubles import State

_STALE_SECONDS = 60  # a process that watches commits every few seconds, whether or not there is anything
_SOON_SECONDS = 7 * 86_400
_MOST_TROUBLES = 1000


def condition(store: SqlStore, now: str) -> Condition:
    """All that there is to see, as of one moment."""
    with store.reading() as connection:
        workers = [_worker(one, now) for one in progress.workers_of(connection)]
        coverage = progress.coverage_of(connection)
        tracked = list(findings.findings_since(connection, -1).values())
        seen = [*(one.last for one in coverage.values()), *(one.newest for one in workers if one.newest)]
        newest = max(seen, default=None)
        commit = max((one.at for one in workers), default=None)
        alive = [one for one in workers if not one.is_stale]
        return Condition(
            now=now,
            newest_record=newest,
            newest_record_seconds=_age(newest, now),
            last_commit=commit,
            last_commit_seconds=_age(commit, now),
            records_per_second=round(sum(one.records_per_second for one in alive), 1),
            # Processes that share a queue all tell how much waits in it.
            backlog=max((one.backlog for one in alive if one.backlog is not None), default=None),
            last_object=_last_object(workers),
            sessions=evidence.sessions_count(connection),
            workers=workers,
            findings=_counted(tracked),
            rules=_expiring(connection, tracked, now),
            sinks=_sinks(connection),
            troubles_count={state.value: count for state, count in sorted(troubles.counts(connection).items())},
            troubles=_troubles(connection),
            coverage=_coverage(coverage),
            gaps=[GapState(gap.name.lower(), gap.value, accounts) for gap, accounts in gaps(coverage).items()],
        )


def _age(time: str | None, now: str) -> int | None:
    """No less than nothing: what a record says of its time is another's word."""
    return max(0, seconds(now) - seconds(time)) if time else None


def _worker(worker: Worker, now: str) -> WorkerState:
    return WorkerState(
        name=worker.name,
        is_stale=seconds(now) - seconds(worker.at) > _STALE_SECONDS,
        began=worker.began,
        at=worker.at,
        records=worker.records,
        objects=worker.objects,
        newest=worker.newest or None,
        last_object=worker.object_name or None,
        records_per_second=worker.rate,
        backlog=worker.backlog,
    )


def _last_object(workers: Iterable[WorkerState]) -> str | None:
    read = [one for one in workers if one.last_object]
    return max(read, key=lambda one: one.at).last_object if read else None


def _counted(tracked: Iterable[Tracked]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in tracked:
        found[one.status.value][one.finding.severity.value] += 1
    return {status: dict(sorted(counts.items())) for status, counts in sorted(found.items())}


def _expiring(connection: Connection, tracked: Iterable[Tracked], now: str) -> list[dict[str, object]]:
    soon = later(now, _SOON_SECONDS)
    states = rule_states(connection, tracked, now)
    return [rule_object(one) for one in states if one.is_live and one.rule.expires <= soon]


def _sinks(connection: Connection) -> list[SinkState]:
    counts = outbox.counts(connection)
    reasons, oldest = outbox.complaints(connection), outbox.oldest_waiting(connection)
    return [
        SinkState(
            name,
            waiting=counts.get((name, Box.WAITING), 0),
            delivered=counts.get((name, Box.DELIVERED), 0),
            parked=counts.get((name, Box.PARKED), 0),
            oldest_waiting=oldest.get(name),
            reason=reasons.get(name),
        )
        for name in sorted({sink for sink, _ in counts})
    ]


def _troubles(connection: Connection) -> list[TroubleState]:
    """The latest of each state."""
    found = [one for state in State for one in troubles.troubles(connection, state, _MOST_TROUBLES)]
    return [TroubleState(one.name, one.state.value, one.reason, one.tries, one.first, one.last) for one in found]


def _coverage(seen: Mapping[Covered, Seen]) -> list[CoverageState]:
    rows: dict[tuple[str, str], dict[str, tuple[str, str]]] = defaultdict(dict)
    for one, when in sorted(seen.items(), key=lambda item: (item[0].account, item[0].region, item[0].kind)):
        rows[one.account, one.region][one.kind.value] = (when.first, when.last)
    return [CoverageState(account, region, kinds) for (account, region), kinds in rows.items()]


def retry_parked(store: SqlStore, sink: str, now: str) -> int:
    """Hand over again what was given up, for one sink or, if it is empty, for all; says how much that is."""
    with store.writing() as writing:
        names = sorted({name for name, _ in outbox.counts(writing.connection)})
        if sink and sink not in names:
            hint = f"there are {', '.join(names)}" if names else "nothing was ever to be told"
            raise UsageError(f"no sink {bounded(sink, 64)} was told of anything in this store", hint=hint)
        return outbox.unpark(writing.connection, sink, now)


def forget_trouble(store: SqlStore, name: str) -> None:
    """Somebody has seen to it."""
    with store.writing() as writing:
        if troubles.trouble_of(writing.connection, name) is None:
            told = f"nothing of that name is in trouble: {bounded(name, 200)}"
            raise UsageError(told, hint="straykey status --json has the names in full")
        troubles.drop_trouble(writing.connection, name)
