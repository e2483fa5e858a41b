"""Where new logs come from: a bucket that is listed, the event history, a queue's messages."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from straykey.errors import SourceError
from straykey.sources import history
from straykey.sources.history import Window
from straykey.sources.queue import Queue
from straykey.watch.bucket_feed import BucketFeed
from straykey.watch.feed import Parcel, QueueFeed
from straykey.watch.history_feed import HistoryFeed
from tests.aws import BUCKET, Aws
from tests.cloudtrail import ENVIRONMENT, CloudTrail, Failure, served
from tests.records import gz, trail, use_record

TODAY = date(2026, 5, 4)


def key(number: int, day: str = "2026/05/04") -> str:
    return f"AWSLogs/111122223333/CloudTrail/eu-west-1/{day}/111122223333_CloudTrail_eu-west-1_{number:03}.json.gz"


class Time:
    """Passes when somebody waits, or a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.today = TODAY

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


class Bucket:
    """A bucket and the feed that lists it."""

    def __init__(self, aws: Aws, *keys: str) -> None:
        self.aws, self.time = aws, Time()
        self.url = aws.bucket(dict.fromkeys(keys, b"x"))
        self.feed = self.begun()

    def begun(self, position: str = "") -> BucketFeed:
        time = self.time
        today, seconds = lambda: time.today, lambda: time.seconds
        return BucketFeed(self.url, None, position, today=today, seconds=seconds, wait=time.wait)

    def put(self, *keys: str) -> None:
        for one in keys:
            self.aws.s3.put_object(Bucket=BUCKET, Key=one, Body=b"x")

    def gives(self, seconds: float = 0, feed: BucketFeed | None = None) -> list[Parcel]:
        """All that comes within so many seconds."""
        feed, until = feed or self.feed, self.time.seconds + seconds
        found: list[Parcel] = []
        while True:
            left = until - self.time.seconds
            some = feed.receive(max(0.0, left))
            found += some
            if not some and left <= 0:
                return found

    def keys(self, seconds: float = 0) -> list[str]:
        parcels = self.gives(seconds)
        self.feed.acknowledge(parcels)
        return keys_of(parcels)


def keys_of(parcels: list[Parcel]) -> list[str]:
    return [ref.key for one in parcels for ref in one.objects]


def test_each_object_of_a_bucket_is_given_once(aws: Aws) -> None:
    bucket = Bucket(aws, *(key(n) for n in range(120)), "AWSLogs/111122223333/CloudTrail-Digest/x.json.gz", "notes.txt")
    parcels = [bucket.feed.receive(0)[0] for _ in range(3)]
    assert [len(one.objects) for one in parcels] == [50, 50, 20]
    assert sorted(keys_of(parcels)) == [key(n) for n in range(120)]
    assert bucket.keys(300) == []


def test_new_objects_are_given_at_a_later_listing(aws: Aws) -> None:
    bucket = Bucket(aws, key(1))
    assert bucket.keys() == [key(1)]
    bucket.put(key(2), key(0))
    assert bucket.keys(59) == []
    assert bucket.keys(1) == [key(0), key(2)]


def test_a_log_that_comes_late_into_the_folder_of_yesterday_is_given(aws: Aws) -> None:
    bucket = Bucket(aws, key(1))
    bucket.keys()
    bucket.put(key(2, "2026/05/03"))
    assert bucket.keys(60) == [key(2, "2026/05/03")]


def test_what_is_released_comes_again_after_its_time_by_itself_and_counted(aws: Aws) -> None:
    bucket = Bucket(aws, key(1), key(2))
    (parcel,) = bucket.gives()
    bucket.feed.release([parcel], 30)
    assert bucket.feed.backlog() == 2
    assert bucket.gives(29) == []
    again = bucket.gives(1)
    assert [(keys_of([one]), one.tries) for one in again] == [([key(1)], 2), ([key(2)], 2)]
    bucket.feed.acknowledge(again)
    assert keys_of(bucket.gives(600)) == []


def test_what_is_new_is_not_counted_as_tried_with_what_failed(aws: Aws) -> None:
    bucket = Bucket(aws, key(1))
    bucket.feed.release(bucket.gives(), 60)
    bucket.put(key(2))
    tries = {name: one.tries for one in bucket.gives(60) for name in keys_of([one])}
    assert tries == {key(1): 2, key(2): 1}


def test_a_bucket_that_cannot_be_listed_is_asked_again_and_loses_nothing(aws: Aws) -> None:
    bucket = Bucket(aws, key(1))
    aws.refuse("list-type", "AccessDenied")
    for _ in range(3):
        with pytest.raises(SourceError):
            bucket.feed.receive(0)
    aws.relent()
    assert bucket.keys() == [key(1)]


def test_an_empty_prefix_is_named_for_it_may_be_a_wrong_one(aws: Aws) -> None:
    bucket = Bucket(aws)
    bucket.url += "/none/yet"
    bucket.feed = bucket.begun()
    with pytest.raises(SourceError, match="none/yet"):
        bucket.keys(120)


def positions(parcels: list[Parcel]) -> list[str]:
    return [one.position for one in parcels if one.position]


def test_a_day_is_told_as_read_once_all_up_to_it_is_stored(aws: Aws) -> None:
    bucket = Bucket(aws, key(1), key(2, "2026/01/01"))
    (parcel,) = bucket.gives()
    assert positions(bucket.gives(120)) == []
    bucket.feed.acknowledge([parcel])
    assert positions(bucket.gives(120)) == ["2026-05-04"]
    assert positions(bucket.gives(120)) == []
    bucket.time.today += timedelta(days=1)
    assert positions(bucket.gives(120)) == ["2026-05-05"]


def test_while_something_is_tried_again_no_day_is_told_as_read(aws: Aws) -> None:
    bucket = Bucket(aws, key(1))
    bucket.feed.release(bucket.gives(), 600)
    assert positions(bucket.gives(599)) == []


def test_who_begins_anew_looks_back_to_the_days_before_the_last_that_was_read(aws: Aws) -> None:
    bucket = Bucket(aws, key(1, "2026/05/01"), key(2, "2026/05/02"), key(3))
    assert keys_of(bucket.gives(feed=bucket.begun("2026-05-04"))) == [key(2, "2026/05/02"), key(3)]


def test_a_day_that_is_yet_to_come_is_not_believed(aws: Aws) -> None:
    bucket = Bucket(aws, key(3))
    assert keys_of(bucket.gives(feed=bucket.begun("2027-01-01"))) == [key(3)]


def test_what_is_no_longer_listed_is_no_longer_remembered(aws: Aws) -> None:
    bucket = Bucket(aws, *(key(n, f"2026/04/{n:02}") for n in range(1, 30)), key(1))
    bucket.keys()
    assert len(bucket.feed._known) == 1
    assert bucket.keys(60) == []


class Past:
    """An event history behind HTTP, and feeds of it."""

    def __init__(self, server: CloudTrail) -> None:
        self.server, self.time = server, Time()
        self.now = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def feed(self, position: str = "") -> HistoryFeed:
        def read(window: Window) -> history.History:
            still = history.Clock(lambda: self.time.seconds, self.time.wait)
            return history.history(["history:eu-west-1"], window, lambda _: None, still)

        time = self.time
        return HistoryFeed(
            "history:eu-west-1", read, position, now=lambda: self.now, seconds=lambda: time.seconds, wait=time.wait
        )

    def happens(self, numbers: range, hour: int = 10) -> None:
        for n in numbers:
            time = f"2026-05-04T{hour:02}:{n // 60:02}:{n % 60:02}Z"
            self.server.record(use_record(event_id=f"e{hour}-{n}", time=time))


@pytest.fixture
def past(monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    server = CloudTrail()
    with served(server) as url:
        for name, value in (ENVIRONMENT | {"AWS_ENDPOINT_URL_CLOUDTRAIL": url}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        yield Past(server)


def whole(feed: HistoryFeed) -> list[Parcel]:
    """All pages until it has nothing more to give."""
    found: list[Parcel] = []
    while some := feed.receive(0):
        found += some
    return found


def ids(parcels: list[Parcel]) -> set[str | None]:
    return {record.event_id for one in parcels if one.records for record in one.records.records}


def test_all_of_the_history_comes_page_by_page(past: Past) -> None:
    past.happens(range(120))
    pages = whole(past.feed())
    assert [len(one.records.records) for one in pages if one.records] == [50, 50, 20, 0]
    assert len(ids(pages)) == 120
    assert len({one.name for one in pages}) == 4
    assert all(one.position for one in pages)


def test_who_begins_anew_in_the_middle_goes_on_from_there(past: Past) -> None:
    past.happens(range(120))
    feed = past.feed()
    (first,) = feed.receive(0)
    rest = whole(past.feed(first.position))
    assert ids([first]) | ids(rest) == {f"e10-{n}" for n in range(120)}
    assert len(ids([first]) & ids(rest)) == 1


def test_a_second_look_reads_what_is_new_and_half_an_hour_more(past: Past) -> None:
    past.happens(range(60), hour=10)
    feed = past.feed()
    whole(feed)
    past.happens(range(5), hour=12)
    past.now = datetime(2026, 5, 4, 12, 10, tzinfo=UTC)
    assert whole(feed) == []
    past.time.seconds += 120
    assert ids(whole(feed)) == {f"e12-{n}" for n in range(5)}
    asked = past.server.calls[-1].asked
    assert datetime.fromtimestamp(asked["StartTime"], UTC) == datetime(2026, 5, 4, 11, 30, tzinfo=UTC)


def test_who_begins_anew_after_a_whole_look_reads_what_is_new(past: Past) -> None:
    past.happens(range(60), hour=10)
    position = whole(past.feed())[-1].position
    past.happens(range(5), hour=12)
    past.now = datetime(2026, 5, 4, 12, 10, tzinfo=UTC)
    assert ids(whole(past.feed(position))) == {f"e12-{n}" for n in range(5)}


def test_what_fails_in_the_middle_is_told_and_goes_on_where_it_was(past: Past) -> None:
    past.happens(range(120))
    past.server.failures[2] = Failure("AccessDeniedException")
    feed = past.feed()
    (first,) = feed.receive(0)
    with pytest.raises(SourceError):
        feed.receive(0)
    assert ids([first]) | ids(whole(feed)) == {f"e10-{n}" for n in range(120)}


def test_what_fails_at_once_is_told_each_time_it_is_asked(past: Past) -> None:
    past.happens(range(3))
    past.server.failures |= dict.fromkeys((1, 2, 3), Failure("AccessDeniedException"))
    feed = past.feed()
    for _ in range(3):
        with pytest.raises(SourceError):
            feed.receive(0)
    assert len(ids(whole(feed))) == 3


def notice(*keys: str, bucket: str = BUCKET) -> str:
    return json.dumps(
        {
            "Records": [
                {
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": bucket}, "object": {"key": one, "size": 3}},
                }
                for one in keys
            ]
        }
    )


def test_a_message_becomes_a_parcel_with_all_it_brings(aws: Aws) -> None:
    url = aws.sqs.create_queue(QueueName="logs")["QueueUrl"]
    queue = Queue(f"sqs://{url}")
    feed = QueueFeed(queue, frozenset({BUCKET}))
    queue.send(notice(key(1), key(1), key(2), "other.txt"))
    (parcel,) = feed.receive(0)
    assert keys_of([parcel]) == [key(1), key(2)]
    assert [ref.key for ref, _ in parcel.refused] == ["other.txt"]
    assert (parcel.tries, parcel.broken, parcel.position) == (1, (), "")
    assert parcel.receipt is not None
    assert parcel.name == f"message {parcel.receipt.id}"
    assert parcel.sent is not None
    assert parcel.sent > 1e9
    feed.release([parcel], 0)
    (again,) = feed.receive(0)
    assert (again.name, again.tries) == (parcel.name, 2)
    feed.acknowledge([again])
    assert feed.receive(0) == []


def test_a_message_that_is_nothing_is_a_parcel_that_is_broken(aws: Aws) -> None:
    queue = Queue(f"sqs://{aws.sqs.create_queue(QueueName='logs')['QueueUrl']}")
    feed = QueueFeed(queue, frozenset({BUCKET}))
    queue.send("{")
    (parcel,) = feed.receive(0)
    assert parcel.broken
    assert not parcel.objects


def test_what_a_parcel_names_can_be_fetched(aws: Aws) -> None:
    """The key in a parcel is the object's own, whatever a notification made of it."""
    odd = key(1).replace("_001", "_a b+c é")
    aws.bucket({odd: gz(trail(use_record()))})
    queue = Queue(f"sqs://{aws.sqs.create_queue(QueueName='logs')['QueueUrl']}")
    queue.send(notice(odd.replace("+", "%2B").replace(" ", "+").replace("é", "%C3%A9")))
    (parcel,) = QueueFeed(queue, frozenset({BUCKET})).receive(0)
    (ref,) = parcel.objects
    assert aws.s3.get_object(Bucket=ref.bucket, Key=ref.key)["ContentLength"] > 0
