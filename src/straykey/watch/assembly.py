"""From settings to a process that watches: the one place that knows every feed and every sink."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event

import msgspec
import structlog

from straykey import setting
from straykey.core.evidence import Bounds
from straykey.core.ranges import AwsRanges
from straykey.formats.notification import Shape
from straykey.metrics import CONTENT_TYPE, Metrics
from straykey.monitor import Health, Monitor, serve
from straykey.ports import Sink
from straykey.setting import WatchSettings
from straykey.sinks.eventbridge import EventBridge
from straykey.sinks.http import Reach
from straykey.sinks.jsonl import JsonLines
from straykey.sinks.securityhub import SecurityHub
from straykey.sinks.slack import Slack
from straykey.sinks.sns import Sns
from straykey.sinks.webhook import Webhook
from straykey.sources import history, queue, s3
from straykey.sources.delivery import Objects
from straykey.sources.history import Window
from straykey.stores import progress
from straykey.stores.database import Database
from straykey.stores.sql import SqlStore
from straykey.watch.bucket_feed import BucketFeed
from straykey.watch.commit import Terms
from straykey.watch.courier import Courier
from straykey.watch.feed import Feed, QueueFeed
from straykey.watch.history_feed import HistoryFeed
from straykey.watch.intake import Intake
from straykey.watch.loop import Limits, Parts, Watch
from straykey.watch.mirror import Judging, Mirror
from straykey.watch.pace import Clock
from straykey.watch.report import Report
from straykey.watch.verdict import Audience

_STALE_SECONDS = 600  # what is taken in at once may be a large object

_log = structlog.get_logger("straykey.watch")


class Assembled(msgspec.Struct, frozen=True):
    """A process that watches, and how it is."""

    watch: Watch
    store: SqlStore
    metrics: Metrics
    health: Callable[[], Health]


@contextmanager
def opened(settings: WatchSettings) -> Iterator[SqlStore]:
    database = Database(settings.store.reveal())
    try:
        yield SqlStore(database)
    finally:
        database.close()


@contextmanager
def assembled(
    settings: WatchSettings, ranges: AwsRanges | None, name: str, now: Callable[[], datetime]
) -> Iterator[Assembled]:
    """Everything opened and asked once, so that what is set up wrongly fails here; closed afterwards."""
    clock = Clock(lambda: _written(now()), time.monotonic, lambda: now().timestamp())
    metrics = Metrics([one.name for one in settings.sinks], now)
    report = Report(metrics)
    with opened(settings) as store:
        couriers = [Courier(one.name, sink_of(one, now), store, clock.now, report.attempted) for one in settings.sinks]
        parts = Parts(
            feeds=feeds_of(settings, store, now),
            intake=Intake(Objects(), Bounds()),
            store=store,
            mirror=Mirror(Judging(settings.judging, ranges)),
            couriers=couriers,
            terms=Terms(audience_of(settings), seconds=time.monotonic),
            limits=Limits(settings.tries, int(settings.ttl.total_seconds())),
            report=report,
        )
        watch = Watch(parts, clock, name)
        yield Assembled(watch, store, metrics, lambda: _health(watch, clock))


@contextmanager
def monitored(one: Assembled, settings: WatchSettings) -> Iterator[None]:
    """Answer `/metrics` and `/healthz` meanwhile, if that is asked for."""
    listen = settings.listen
    if listen is None:
        yield
        return
    with serve(listen.host, listen.port, Monitor(one.metrics.text, CONTENT_TYPE, one.health)) as port:
        _log.info("listening", host=listen.host, port=port)
        yield


def _health(watch: Watch, clock: Clock) -> Health:
    age = watch.seconds_since_commit()
    reasons = list(watch.problems())
    if age > _STALE_SECONDS:
        reasons.append("nothing was committed for minutes, though something is every few seconds: is the store there?")
    return Health(tuple(reasons), age)


def audience_of(settings: WatchSettings) -> Audience:
    return Audience({one.name: one.min_severity for one in settings.sinks})


def feeds_of(settings: WatchSettings, store: SqlStore, now: Callable[[], datetime]) -> list[Feed]:
    feeds: list[Feed] = []
    for text in settings.sources:
        if text.startswith(queue.SCHEME):
            feeds.append(QueueFeed(queue.Queue(text), settings.buckets))
        elif text.startswith(s3.SCHEME):
            feeds.append(_bucket(text, store, now, settings.look_back))
        else:
            feeds += _histories(text, store, now, settings.look_back)
    return feeds


def _bucket(text: str, store: SqlStore, now: Callable[[], datetime], look_back: timedelta) -> BucketFeed:
    with store.reading() as connection:
        position = progress.position_of(connection, text)
    return BucketFeed(
        text,
        (now().astimezone(UTC) - look_back).date(),
        position,
        today=lambda: now().astimezone(UTC).date(),
        seconds=time.monotonic,
        wait=Event().wait,
    )


def _histories(text: str, store: SqlStore, now: Callable[[], datetime], look_back: timedelta) -> Sequence[HistoryFeed]:
    """One for each region."""
    names = [name for name, _ in history.history([text], Window(), _unheard).contents]
    with store.reading() as connection:
        positions = {name: progress.position_of(connection, name) for name in names}

    def reading(name: str) -> Callable[[Window], history.History]:
        return lambda window: history.history([name], window, _unheard)

    return [
        HistoryFeed(
            name,
            reading(name),
            positions[name],
            since=now() - look_back,
            now=now,
            seconds=time.monotonic,
            wait=Event().wait,
        )
        for name in names
    ]


def _unheard(_: str) -> None:
    """What a scan tells its user while it reads, the loop's own log tells."""


def sink_of(one: setting.AnySink, now: Callable[[], datetime]) -> Sink:
    match one:
        case setting.JsonlSink():
            return JsonLines(one.path, most_bytes=one.max_megabytes * 1_000_000, kept=one.keep)
        case setting.OcsfSink():
            return JsonLines(one.path, shape=Shape.OCSF, most_bytes=one.max_megabytes * 1_000_000, kept=one.keep)
        case setting.WebhookSink():
            return Webhook(
                one.url.reveal(),
                one.secret.reveal(),
                now=lambda: now().timestamp(),
                shape=Shape(one.format.value),
                reach=Reach(allow_private=one.allow_private),
            )
        case setting.SlackSink():
            return Slack(one.url.reveal())
        case setting.SnsSink():
            return Sns(one.topic_arn)
        case setting.EventBridgeSink():
            return EventBridge(one.bus, region=one.region)
        case setting.SecurityHubSink():
            return SecurityHub(region=one.region)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
