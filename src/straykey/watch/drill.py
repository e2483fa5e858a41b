"""Tries the whole way out: a marked theft goes in where logs come from, and has to come out of every sink.

Afterwards it is taken out again: sinks hear that it is over, and nothing of it stays in the store.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

import msgspec
from sqlalchemy import delete

from straykey.core import lifecycle
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
from straykey.watch.assembly import audience_of

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

    def since() -> str:
        return f"{patience.seconds() - began:5.1f} s"

    tell(f"{since()}  a theft of keys of role {NAME} goes into {source}")
    take_back = _put(source, theft, patience.now())
    try:
        missing = tuple(_missing(settings, store, theft, patience, lambda line: tell(f"{since()}  {line}")))
    finally:
        take_back()
        _take_out(store, theft)
    tell(f"{since()}  taken out again")
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
    if not patience.until(lambda: _found(store, theft) is not None):
        yield (
            "the finding is not in the store: does straykey watch run, with this source and this store? "
            "straykey status and its log tell more"
        )
        return
    tell("the finding is in the store")
    tracked = _found(store, theft)
    sinks = audience_of(settings).for_whom(tracked) if tracked else []
    yield from _wanting(store, theft, sinks, 1, patience, tell)
    _resolve(store, theft, patience)
    tell("the finding is resolved")
    yield from _wanting(store, theft, sinks, 2, patience, tell)


def _wanting(
    store: SqlStore, theft: Drill, sinks: list[str], tellings: int, patience: Patience, tell: Tell
) -> Iterator[str]:
    """Wait until each sink was told so often."""
    for sink in sinks:
        if patience.until(lambda one=sink: _told(store, theft, one) >= tellings):  # type: ignore[misc]
            tell(f"sink {sink} has it")
        else:
            yield f"sink {sink} has not got it: {_trouble(store, theft, sink)}"


def _found(store: SqlStore, theft: Drill) -> Tracked | None:
    with store.reading() as connection:
        known = findings.findings_since(connection, -1).values()
    return next((one for one in known if one.finding.session.arn == theft.arn), None)


def _told(store: SqlStore, theft: Drill, sink: str) -> int:
    return sum(one.sink == sink for one in _letters(store, theft, State.DELIVERED))


def _trouble(store: SqlStore, theft: Drill, sink: str) -> str:
    left = [one for one in _letters(store, theft, State.WAITING, State.PARKED) if one.sink == sink]
    if not left:
        return "nothing was posted to it: does straykey watch run with this sink?"
    return left[0].reason or "it waits to be delivered"


def _letters(store: SqlStore, theft: Drill, *states: State) -> list[outbox.Letter]:
    tracked = _found(store, theft)
    if tracked is None:
        return []
    with store.reading() as connection:
        return outbox.letters(connection, states, tracked.finding.id)


def _resolve(store: SqlStore, theft: Drill, patience: Patience) -> None:
    with store.writing() as writing:
        known = findings.findings_since(writing.connection, -1).values()
        over = [
            lifecycle.resolved(one, "the drill is over", NAME, _written(patience.now()))
            for one in known
            if one.finding.session.arn == theft.arn
        ]
        findings.put_findings(writing.connection, over, writing.revision)


def _take_out(store: SqlStore, theft: Drill) -> None:
    """Nothing of it stays; whoever watches looks at the store anew."""
    with store.writing() as writing:
        connection = writing.connection
        known = findings.findings_since(connection, -1)
        mine = [name for name, one in known.items() if one.finding.session.arn == theft.arn]
        findings.drop_findings(connection, mine)
        for column in (schema.accounts.c.account, schema.coverage.c.account):
            connection.execute(delete(column.table).where(column == ACCOUNT))
        writing.let_go([theft.arn])


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
