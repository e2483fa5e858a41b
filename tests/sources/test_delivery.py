"""What is put into a bucket comes out of the queue as records, and what cannot be had is told from what is damaged."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from straykey.core.envelope import Decoded
from straykey.core.record import Skipped
from straykey.core.salvage import joined
from straykey.errors import SourceError
from straykey.sources import s3
from straykey.sources.compression import Limit
from straykey.sources.delivery import (
    Delivery,
    Objects,
    Unavailable,
    UnavailableError,
    delivery_of,
    name_of,
)
from straykey.sources.notice import Broken, ObjectRef, Passed, Refusal
from straykey.sources.queue import Message, Queue
from tests.aws import BUCKET, Aws
from tests.records import gz, trail, use_record
from tests.sources.test_notice import cloudtrail_message, s3_notification, s3_record

ROOT = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04"
DIGEST = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/04/111122223333_CloudTrail-Digest_eu-west-1.json.gz"
ALLOWED = frozenset({BUCKET})
SOUND = gz(trail(use_record()))


def key(name: str = "log.json.gz") -> str:
    return f"{ROOT}/{name}"


def message(body: object) -> Message:
    return Message("m-1", "r", body if isinstance(body, str) else json.dumps(body))


def naming(*keys: str, bucket: str = BUCKET) -> Message:
    return message(cloudtrail_message(*keys, bucket=bucket))


def notified(aws: Aws) -> Queue:
    """A queue that hears of what is put into the bucket."""
    url = aws.sqs.create_queue(QueueName="logs")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    return Queue(f"sqs://{url}")


def deliveries(queue: Queue) -> list[Delivery]:
    found = []
    while held := queue.receive(0):
        found += [delivery_of(one, ALLOWED) for one in held]
    return found


def read(objects: Objects, ref: ObjectRef) -> Decoded:
    return joined(objects.open(ref))


class TestWay:
    def test_from_the_bucket_to_the_records(self, aws: Aws) -> None:
        aws.bucket({})
        queue = notified(aws)
        odd = key("a b+c=d&é%41.json.gz")
        for name in (key(), odd, DIGEST, "README"):
            aws.s3.put_object(Bucket=BUCKET, Key=name, Body=SOUND)
        found = deliveries(queue)
        refs = [ref for one in found for ref in one.objects]
        assert [ref.key for ref in refs] == [key(), odd]
        assert [one.passed for one in found if one.passed] == [(Passed.TEST,), (Refusal.DIGEST,)]
        assert [(ref.key, why) for one in found for ref, why in one.refused] == [("README", Refusal.OTHER_KEY)]
        aws.asked.clear()
        got = [(ref, size, joined(portions)) for ref, size, portions in Objects().fetch_all(refs)]
        assert [(ref, size, len(whole.records)) for ref, size, whole in got] == [(ref, len(SOUND), 1) for ref in refs]
        assert sorted(aws.asked) == sorted(f"GET /{BUCKET}/{ref.key}?" for ref in refs)

    def test_the_version_that_a_message_names_is_read(self, aws: Aws) -> None:
        aws.bucket({})
        aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        written = []
        for count in (1, 2):
            body = gz(trail(*(use_record(event_id=str(n)) for n in range(count))))
            written.append(aws.s3.put_object(Bucket=BUCKET, Key=key(), Body=body)["VersionId"])
        aws.s3.delete_object(Bucket=BUCKET, Key=key())
        # S3 names the version; moto leaves it out.
        notice = s3_notification(*(s3_record(key(), versionId=version) for version in written))
        refs = delivery_of(message(notice), ALLOWED).objects
        objects = Objects()
        assert [len(read(objects, ref).records) for ref in refs] == [1, 2]
        assert name_of(refs[0]) == f"s3://{BUCKET}/{key()}?versionId={written[0]}"
        with pytest.raises(UnavailableError) as raised:
            read(objects, ObjectRef(BUCKET, key()))
        assert raised.value.reason is Unavailable.GONE


class TestDelivery:
    def test_an_object_that_is_named_twice_is_fetched_once(self) -> None:
        assert delivery_of(naming(key(), key("b"), key()), ALLOWED).objects == (
            ObjectRef(BUCKET, key()),
            ObjectRef(BUCKET, key("b")),
        )

    def test_a_bucket_that_was_not_allowed_is_not_read_and_no_buckets_allow_none(self) -> None:
        found = delivery_of(naming(key(), bucket="the-bucket-of-somebody"), ALLOWED)
        refused = ObjectRef("the-bucket-of-somebody", key())
        assert (found.objects, found.refused) == ((), ((refused, Refusal.OTHER_BUCKET),))
        assert delivery_of(naming(key()), frozenset()).refused == ((ObjectRef(BUCKET, key()), Refusal.OTHER_BUCKET),)

    def test_records_in_a_message_are_decoded_each_by_itself(self) -> None:
        wrong = use_record() | {"userIdentity": 7}
        found = delivery_of(message({"Records": [use_record(), wrong, use_record(event_id="2")]}), frozenset())
        assert [record.name for record in found.records.records] == ["ListBuckets"] * 2
        assert found.records.skipped + Counter(why for _, why in found.records.mended) == {Skipped.WRONG_TYPE: 1}

    def test_what_must_be_looked_at_is_told_beside_what_is_sound(self) -> None:
        found = delivery_of(naming(key(), "a\0b"), ALLOWED)
        assert (len(found.objects), found.broken, found.name) == (1, (Broken.BAD_KEY,), "message m-1")
        assert delivery_of(message("{"), ALLOWED).broken == (Broken.BAD_JSON,)


REFUSALS = [
    ("AccessDenied", "403 Forbidden", Unavailable.DENIED),
    ("InvalidObjectState", "403 Forbidden", Unavailable.ARCHIVED),
    ("NoSuchKey", "404 Not Found", Unavailable.GONE),
    ("NoSuchVersion", "404 Not Found", Unavailable.GONE),
    ("KMS.NotFoundException", "400 Bad Request", Unavailable.REFUSED),
]


class TestUnavailable:
    @pytest.mark.parametrize(("code", "status", "reason"), REFUSALS)
    def test_what_takes_a_person_is_told_from_what_passes(
        self, aws: Aws, code: str, status: str, reason: Unavailable
    ) -> None:
        aws.bucket({key(): SOUND})
        aws.refuse(f"GET /{BUCKET}", code, status)
        with pytest.raises(UnavailableError, match=code) as raised:
            read(Objects(), ObjectRef(BUCKET, key()))
        assert (raised.value.reason, raised.value.is_passing) == (reason, False)

    def test_an_object_that_is_not_there_is_not_an_empty_one(self, aws: Aws) -> None:
        aws.bucket({})
        with pytest.raises(UnavailableError) as raised:
            read(Objects(), ObjectRef(BUCKET, key()))
        assert raised.value.reason is Unavailable.GONE
        assert str(raised.value).startswith(f"s3://{BUCKET}/{key()}: there is no such object (NoSuchKey)")

    def test_the_name_of_an_object_does_not_act_on_a_terminal(self) -> None:
        error = UnavailableError(ObjectRef(BUCKET, "a\u202eb"), Unavailable.GONE, "NoSuchKey")
        assert "\\u202e" in str(error)

    @pytest.mark.parametrize("times", [1, 99])
    def test_what_breaks_off_is_fetched_again_and_then_told_as_passing(self, aws: Aws, times: int) -> None:
        aws.bucket({key(): SOUND})
        aws.break_off(key(), times)
        if times == 1:
            assert len(read(Objects(), ObjectRef(BUCKET, key())).records) == 1
            return
        with pytest.raises(UnavailableError) as raised:
            read(Objects(), ObjectRef(BUCKET, key()))
        assert raised.value.is_passing

    def test_what_breaks_off_half_way_is_told_half_way(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3, "_HELD", 1 << 16)
        aws.bucket({key(): trail(*(use_record(event_id=str(n)) for n in range(1000)))})
        aws.break_off(key(), 1)
        got: list[Decoded] = []
        with pytest.raises(UnavailableError) as raised:
            got.extend(Objects().open(ObjectRef(BUCKET, key())))
        assert raised.value.is_passing
        assert 0 < len(joined(got).records) < 1000

    @pytest.mark.parametrize("code", ["ExpiredToken", "InvalidAccessKeyId", "RequestTimeTooSkewed"])
    def test_credentials_that_open_nothing_are_not_the_object_s_fault(self, aws: Aws, code: str) -> None:
        aws.bucket({key(): SOUND})
        aws.refuse(f"GET /{BUCKET}", code)
        with pytest.raises(SourceError) as raised:
            read(Objects(), ObjectRef(BUCKET, key()))
        assert raised.value.hint

    def test_no_object_costs_another(self, aws: Aws) -> None:
        names = [key(f"{n:02}") for n in range(40)]
        aws.bucket(dict.fromkeys(names[::2], SOUND))
        told: list[int | Unavailable] = []
        for _, size, portions in Objects().fetch_all(ObjectRef(BUCKET, name) for name in names):
            try:
                told.append(len(joined(portions).records))
            except UnavailableError as error:
                assert size == 0
                told.append(error.reason)
        assert told == [1, Unavailable.GONE] * 20
        assert not [one.name for one in threading.enumerate() if "ThreadPool" in one.name]


class TestDamage:
    @pytest.mark.parametrize(
        ("body", "reasons"),
        [
            (SOUND[:-30], {Skipped.TRUNCATED: 1, Skipped.BAD_JSON: 1}),
            (b"<html>", {Skipped.NOT_JSON: 1}),
            (b"", {Skipped.EMPTY: 1}),
        ],
    )
    def test_what_is_damaged_is_read_and_counted(self, aws: Aws, body: bytes, reasons: dict[Skipped, int]) -> None:
        aws.bucket({key(): body})
        assert read(Objects(), ObjectRef(BUCKET, key())).skipped == reasons

    def test_an_object_s_own_size_counts_and_not_what_a_message_says(self, aws: Aws) -> None:
        aws.bucket({key(): gz(trail(*(use_record(event_id=str(n)) for n in range(2000))))})
        bomb = Limit(ratio=2, floor=1 << 10)
        lying = ObjectRef(BUCKET, key(), size=1 << 40)
        assert Skipped.TOO_LARGE in read(Objects(bomb), lying).skipped
        assert not read(Objects(), ObjectRef(BUCKET, key(), size=0)).skipped


def test_what_was_not_read_in_its_turn_is_dropped_and_does_not_look_empty(aws: Aws) -> None:
    aws.bucket({key("a"): SOUND, key("b"): SOUND})
    late: list[Iterator[Decoded]] = []
    for _, _, portions in Objects().fetch_all([ObjectRef(BUCKET, key("a")), ObjectRef(BUCKET, key("b"))]):
        late.append(portions)
    for portions in late:
        with pytest.raises(UnavailableError):
            next(portions)
