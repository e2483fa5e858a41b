"""Tries the whole way out: a marked theft goes in where logs come from, and has to come out of every sink.

Afterwards it is taken out again: sinks hear that it is over, and nothing of it stays in the store.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from sqlalchemy import Connection, delete

from straykey.core import lifecycle
from straykey.core.finding import Status
from straykey.core.lifecycle import Tracked
from straykey.errors import UsageError
from straykey.formats.text import as_json
from straykey.setting import WatchSettings
from straykey.sim.drill import ACCOUNT, NAME, Drill, drill
from straykey.sources import s3
from straykey.sources.queue import SCHEME as QUEUE
from straykey.sources.queue import Queue
from straykey.stores import findings, outbox, schema
from straykey.stores.outbox import State
from straykey.stores.sql import SqlStore
from straykey.watch import rehearsal
from straykey.watch.assembly import audience_of
from straykey.watch.rehearsal import Rehearsal

_REGION = "us-east-1"
_POLL_SECONDS = 0.25

Tell = Callable[[str], None]


class Patience(msgspec.Struct, frozen=True):
    """How time passes, and how long to wait for each step."""

    now: Callable[[], datetime]
    seconds: Callable[[], float]
    sleep: Callable[[float], None]
    most_seconds: float

    def until(self, holds: Callable[[], bool]) -> bool:
        """False if it did not come true in time."""
        late = self.seconds() + self.most_seconds
        while not holds():
            if self.seconds() >= late:
                return False
            self.sleep(_POLL_SECONDS)
        return True


class Outcome(msgspec.Struct, frozen=True):
    """`missing` says what did not arrive, and where to look; empty if all did."""

    missing: tuple[str, ...]


def run(settings: WatchSettings, store: SqlStore, patience: Patience, rng: Random, tell: Tell) -> Outcome:
    """Put a theft in, wait until every sink has it, and take it out again, whatever happens meanwhile."""
    theft = drill(rng, patience.now(), _REGION)
    source = _source(settings)
    began = patience.seconds()

    def timed(line: str) -> None:
        tell(f"{patience.seconds() - began:5.1f} s  {line}")

    with store.writing() as writing:
        # Three steps at most, and what they take.
        until = patience.now() + timedelta(seconds=4 * patience.most_seconds * (1 + len(settings.sinks)))
        rehearsal.begin(writing.connection, Rehearsal(theft.arn, _written(until)))
    timed(f"a theft of keys of role {NAME} goes into {source}")
    take_back = _put(source, theft, patience.now())
    try:
        missing = tuple(_missing(settings, store, theft, patience, timed))
    finally:
        take_back()
        _take_out(store, theft)
    timed("taken out again")
    return Outcome(missing)


def _source(settings: WatchSettings) -> str:
    """The first that something can be put into."""
    found = [one for one in settings.sources if one.startswith((QUEUE, s3.SCHEME))]
    if not found:
        raise UsageError("a drill needs a source it can write to", hint="watch a queue (sqs://…) or a bucket (s3://…)")
    return min(found, key=lambda one: not one.startswith(QUEUE))


def _put(source: str, theft: Drill, now: datetime) -> Callable[[], None]:
    """Put it in as AWS would; gives what takes back whatever is left of that."""
    if source.startswith(QUEUE):
        queue = Queue(source)
        for record in theft.records:
            queue.send(_event(record, now))
        return lambda: None
    return s3.put(source, _key(theft, now), as_json({"Records": list(theft.records)}).encode())


def _event(record: dict[str, object], now: datetime) -> str:
    """A record as EventBridge sends it."""
    service = str(record["eventSource"]).partition(".")[0]
    return as_json(
        {
            "version": "0",
            "id": record["eventID"],
            "detail-type": "AWS API Call via CloudTrail",
            "source": f"aws.{service}",
            "account": ACCOUNT,
            "time": _written(now),
            "region": record["awsRegion"],
            "resources": [],
            "detail": record,
        }
    )


def _key(theft: Drill, now: datetime) -> str:
    """Where a trail would have put it."""
    name = f"{ACCOUNT}_CloudTrail_{_REGION}_{now:%Y%m%dT%H%MZ}_{NAME}-{theft.arn[-8:]}.json"
    return f"AWSLogs/{ACCOUNT}/CloudTrail/{_REGION}/{now:%Y/%m/%d}/{name}"


def _missing(settings: WatchSettings, store: SqlStore, theft: Drill, patience: Patience, tell: Tell) -> Iterator[str]:
    if not patience.until(lambda: _is_whole(store, theft)):
        yield (
            "the finding is not in the store, or not all of it: does straykey watch run, with this source and this "
            f"store, and trusts no network that holds {theft.address}? straykey status and its log tell more"
        )
        return
    tracked = _found(store, theft)
    if tracked is None or tracked.status is not Status.OPEN:
        yield "the finding is in the store, but hidden: by a rule, see straykey findings rules"
        return
    tell("the finding is in the store")
    sinks = audience_of(settings).for_whom(tracked)
    missing = list(_wanting(store, theft, sinks, Status.OPEN, patience, tell))
    _resolve(store, theft, patience)
    tell("the finding is resolved")
    missing += _wanting(store, theft, sinks, Status.RESOLVED, patience, tell)
    yield from missing


def _wanting(
    store: SqlStore, theft: Drill, sinks: list[str], status: Status, patience: Patience, tell: Tell
) -> Iterator[str]:
    """Wait until each sink was told of this status."""
    for sink in sinks:
        if patience.until(lambda one=sink: _is_told(store, theft, one, status)):  # type: ignore[misc]
            tell(f"sink {sink} has it")
        else:
            yield f"sink {sink} has not heard that it is {status.value}: {_trouble(store, theft, sink)}"


def _is_whole(store: SqlStore, theft: Drill) -> bool:
    """True once all that was put in was read: before that, home may be taken for the stray."""
    with store.ledger() as ledger:
        evidence = ledger.sessions.get(theft.arn)
    counts = [one.events.count(len(theft.records)) for one in evidence.sightings.values()] if evidence else []
    return sum(counts) == theft.uses and _found(store, theft) is not None


def _found(store: SqlStore, theft: Drill) -> Tracked | None:
    """The finding about the thief's network."""
    with store.reading() as connection:
        known = _findings_of(connection, theft)
    return next((one for one in known if one.finding.stray.address == theft.address), None)


def _findings_of(connection: Connection, theft: Drill) -> list[Tracked]:
    known = findings.findings_since(connection, -1).values()
    return [one for one in known if one.finding.session.arn == theft.arn]


def _is_told(store: SqlStore, theft: Drill, sink: str, status: Status) -> bool:
    tracked = _found(store, theft)
    if tracked is None:
        return False
    with store.reading() as connection:
        name = tracked.finding.id
        keys = {one.key for one in outbox.told_of(connection, name) if one.finding.status == status.value}
        letters = outbox.letters(connection, [State.DELIVERED], name)
    return any(one.sink == sink and one.key in keys for one in letters)


def _trouble(store: SqlStore, theft: Drill, sink: str) -> str:
    tracked = _found(store, theft)
    with store.reading() as connection:
        states = [State.WAITING, State.PARKED]
        letters = outbox.letters(connection, states, tracked.finding.id) if tracked else []
    left = [one for one in letters if one.sink == sink]
    if not left:
        return "nothing was posted to it: does straykey watch run with this sink?"
    return left[0].reason or "it waits to be delivered"


def _resolve(store: SqlStore, theft: Drill, patience: Patience) -> None:
    with store.writing() as writing:
        now = _written(patience.now())
        known = [one for one in _findings_of(writing.connection, theft) if not one.is_over]
        over = [lifecycle.resolved(one, "the drill is over", NAME, now) for one in known]
        findings.put_findings(writing.connection, over, writing.revision)


def _take_out(store: SqlStore, theft: Drill) -> None:
    """Nothing of it stays but what a sink has still to be told; whoever watches looks at the store anew."""
    with store.writing() as writing:
        connection = writing.connection
        findings.drop_findings(connection, [one.finding.id for one in _findings_of(connection, theft)])
        for column in (schema.accounts.c.account, schema.coverage.c.account):
            connection.execute(delete(column.table).where(column == ACCOUNT))
        rehearsal.end(connection)
        writing.let_go([theft.arn])


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
