"""What each body says that may lie in a queue, and that no body hides a part or makes the reading of it fail."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.reading import decode
from straykey.sources.notice import Broken, Notice, ObjectRef, Passed, Refusal, notice_of, refused
from tests.records import use_record

BUCKET = "example-trail-bucket"
DAY = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04"
KEY = f"{DAY}/111122223333_CloudTrail_eu-west-1_20260504T1035Z_AbCdEfGh12345678.json.gz"
DIGEST = (
    "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/04/"
    "111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260504T103500Z.json.gz"
)
RECORD = use_record(event_id="one")

Json = dict[str, Any]


def s3_record(key: str = KEY, event: str = "ObjectCreated:Put", **of_object: Any) -> Json:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-05-04T10:35:01.000Z",
        "eventName": event,
        "userIdentity": {"principalId": "AWS:AROAEXAMPLEROLE000001:regionalDeliverySession"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "trail",
            "bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"},
            "object": {"key": key, "size": 1234, "eTag": "0" * 32, "sequencer": "0" * 16} | of_object,
        },
    }


def s3_notification(*records: object) -> Json:
    return {"Records": list(records)}


def cloudtrail_message(*keys: object, bucket: object = BUCKET) -> Json:
    return {"s3Bucket": bucket, "s3ObjectKey": list(keys)}


def in_sns(message: object, kind: str = "Notification") -> Json:
    return {
        "Type": kind,
        "MessageId": "00000000-0000-4000-8000-0000000000b1",
        "TopicArn": "arn:aws:sns:eu-west-1:111122223333:trail",
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-05-04T10:35:02.000Z",
        "SignatureVersion": "1",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
    }


def event(kind: str, detail: object, source: str = "aws.s3") -> Json:
    return {
        "version": "0",
        "id": "00000000-0000-4000-8000-0000000000b2",
        "detail-type": kind,
        "source": source,
        "account": "111122223333",
        "time": "2026-05-04T10:35:01Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }


def object_created(key: str = KEY, bucket: str = BUCKET, **of_object: Any) -> Json:
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1234} | of_object}
    return event("Object Created", detail | {"reason": "PutObject"})


def read(body: object) -> Notice:
    return notice_of(body if isinstance(body, str) else json.dumps(body))


SIZED = ObjectRef(BUCKET, KEY, 1234)
BODIES: dict[str, tuple[object, Notice]] = {
    "S3's notification": (s3_notification(s3_record()), Notice(objects=(SIZED,))),
    "S3's notification of a multipart upload": (
        s3_notification(s3_record(event="ObjectCreated:CompleteMultipartUpload")),
        Notice(objects=(SIZED,)),
    ),
    "S3's notification of two": (
        s3_notification(s3_record(), s3_record("other")),
        Notice(objects=(SIZED, ObjectRef(BUCKET, "other", 1234))),
    ),
    "S3's notification, of a versioned bucket": (
        s3_notification(s3_record(versionId="096fKKXTRTtl3on89fVO.nfljtsv6qko")),
        Notice(objects=(ObjectRef(BUCKET, KEY, 1234, "096fKKXTRTtl3on89fVO.nfljtsv6qko"),)),
    ),
    "S3's notification, of a bucket that was versioned once": (
        s3_notification(s3_record(versionId="null")),
        Notice(objects=(SIZED,)),
    ),
    "S3's notification of a removal": (
        s3_notification(s3_record(event="ObjectRemoved:Delete")),
        Notice(passed=(Passed.OTHER_CHANGE,)),
    ),
    "S3's test event": (
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-05-04T10:00:00.000Z", "Bucket": BUCKET},
        Notice(passed=(Passed.TEST,)),
    ),
    "CloudTrail's message": (
        cloudtrail_message(KEY, "other"),
        Notice(objects=(ObjectRef(BUCKET, KEY), ObjectRef(BUCKET, "other"))),
    ),
    "CloudTrail's validation message": ("CloudTrail validation message.", Notice(passed=(Passed.VALIDATION,))),
    "EventBridge's event of an object": (object_created(), Notice(objects=(SIZED,))),
    "EventBridge's event of a version": (
        object_created(**{"version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"}),
        Notice(objects=(ObjectRef(BUCKET, KEY, 1234, "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"),)),
    ),
    "EventBridge's event of a removal": (event("Object Deleted", {}), Notice(passed=(Passed.OTHER_EVENT,))),
    "EventBridge's event of a call": (
        event("AWS API Call via CloudTrail", RECORD, source="aws.ec2"),
        Notice(records=(json.dumps(RECORD).encode(),)),
    ),
    "EventBridge's event of a sign-in": (
        event("AWS Console Sign In via CloudTrail", RECORD, source="aws.signin"),
        Notice(records=(json.dumps(RECORD).encode(),)),
    ),
    "EventBridge's event of a service's own": (
        event("AWS Service Event via CloudTrail", RECORD, source="aws.kms"),
        Notice(records=(json.dumps(RECORD).encode(),)),
    ),
    "the detail of EventBridge's event alone": (RECORD, Notice(records=(json.dumps(RECORD).encode(),))),
    "the content of a trail's file": (s3_notification(RECORD), Notice(records=(json.dumps(RECORD).encode(),))),
    "no records": (s3_notification(), Notice(passed=(Passed.EMPTY,))),
    "no keys": (cloudtrail_message(), Notice(passed=(Passed.EMPTY,))),
}


@pytest.mark.parametrize(("body", "said"), BODIES.values(), ids=BODIES.keys())
def test_each_body_says_the_same_as_it_is_and_in_an_envelope(body: object, said: Notice) -> None:
    assert read(body) == said
    assert read(in_sns(body)) == said
    assert notice_of(json.dumps(in_sns(body), indent=2) + "\n") == said


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("SubscriptionConfirmation", Passed.SUBSCRIPTION), ("UnsubscribeConfirmation", Passed.UNSUBSCRIPTION)],
)
def test_a_word_about_a_subscription_is_passed(kind: str, reason: Passed) -> None:
    assert read(in_sns("You have chosen to subscribe to the topic.", kind)) == Notice(passed=(reason,))


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("a+b", "a b"),
        ("a%20b", "a b"),
        ("a%2Bb", "a+b"),
        ("a%2bb", "a+b"),
        ("day%3D04", "day=04"),
        ("day=04", "day=04"),
        ("%C3%A9t%C3%A9", "été"),
        ("été", "été"),
        ("a%2Fb", "a/b"),
        ("100%25", "100%"),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("%zz", "%zz"),
    ],
)
def test_s3_notifications_are_url_encoded_and_nothing_else_is(written: str, key: str) -> None:
    assert read(s3_notification(s3_record(written))).objects[0].key == key
    assert read(cloudtrail_message(written)).objects[0].key == written
    assert read(object_created(written)).objects[0].key == written


IMPOSSIBLE_KEYS = ["", "a\0b", "a\nb", "../a", "a/../b", "a/..", "./a", ".", "a" * 1025, "é" * 513]


@pytest.mark.parametrize("key", IMPOSSIBLE_KEYS)
def test_an_impossible_key_is_broken_wherever_it_stands(key: str) -> None:
    for body in (s3_notification(s3_record(key)), cloudtrail_message(key), object_created(key)):
        assert read(body) == Notice(broken=(Broken.BAD_KEY,))


@pytest.mark.parametrize("written", ["%00", "%2E%2E/a", "%FF", "%ED%A0%80", "a%0Ab"])
def test_a_key_is_checked_once_decoded(written: str) -> None:
    assert read(s3_notification(s3_record(written))) == Notice(broken=(Broken.BAD_KEY,))


@pytest.mark.parametrize("key", ["é" * 512, "a..b/..c/d..", "a//b", "~/a", "C:\\a"])
def test_an_odd_key_that_s3_allows_is_kept(key: str) -> None:
    assert read(cloudtrail_message(key)).objects == (ObjectRef(BUCKET, key),)


@pytest.mark.parametrize("bucket", ["", "ab", "a" * 256, "a/b", "a b", "a\0b", "bücket", "a?b", "a@b", "abc\n"])
def test_an_impossible_bucket_is_broken(bucket: str) -> None:
    assert read(cloudtrail_message(KEY, bucket=bucket)) == Notice(broken=(Broken.BAD_BUCKET,))
    assert read(object_created(bucket=bucket)) == Notice(broken=(Broken.BAD_BUCKET,))


@pytest.mark.parametrize("bucket", ["abc", "example.com", "An_Old-Bucket"])
def test_a_bucket_of_any_age_is_kept(bucket: str) -> None:
    assert read(cloudtrail_message(KEY, bucket=bucket)).objects == (ObjectRef(bucket, KEY),)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", Broken.NO_OBJECT),
        ("hello", Broken.NO_OBJECT),
        ("[]", Broken.NO_OBJECT),
        ("null", Broken.NO_OBJECT),
        ("\ufeff{}", Broken.NO_OBJECT),
        ("{}", Broken.UNKNOWN),
        ('{"a": 1}', Broken.UNKNOWN),
        ("{", Broken.BAD_JSON),
        (json.dumps(s3_notification(s3_record()))[:-1], Broken.BAD_JSON),
        ('{"Records": [], "Records": []}', Broken.TWICE),
        ({"Event": "s3:OtherEvent"}, Broken.UNKNOWN),
        ({"Records": {}}, Broken.WRONG_TYPE),
        ({"Records": None}, Broken.WRONG_TYPE),
        (s3_notification(1), Broken.NO_OBJECT),
        (s3_notification("{"), Broken.NO_OBJECT),
        (s3_notification({}), Broken.UNKNOWN),
        (s3_notification(s3_record() | {"eventSource": "aws:sqs"}), Broken.WRONG_TYPE),
        (s3_notification(s3_record() | {"eventName": None}), Broken.WRONG_TYPE),
        (s3_notification(s3_record() | {"s3": []}), Broken.WRONG_TYPE),
        (s3_notification(s3_record(size="1")), Broken.WRONG_TYPE),
        (s3_notification(s3_record(size=-1)), Broken.WRONG_TYPE),
        (s3_notification(s3_record(versionId="v" * 1025)), Broken.WRONG_TYPE),
        (cloudtrail_message(KEY, bucket=None), Broken.WRONG_TYPE),
        (cloudtrail_message(1), Broken.WRONG_TYPE),
        ({"s3Bucket": BUCKET, "s3ObjectKey": KEY}, Broken.WRONG_TYPE),
        ({"s3ObjectKey": [KEY]}, Broken.WRONG_TYPE),
        ({"Type": "Notification"}, Broken.WRONG_TYPE),
        ({"Type": "Other", "Message": "{}"}, Broken.UNKNOWN),
        ({"Type": 1}, Broken.WRONG_TYPE),
        (in_sns("hello"), Broken.NO_OBJECT),
        (in_sns(in_sns(s3_notification(s3_record()))), Broken.UNKNOWN),
        (event("AWS API Call via CloudTrail", None), Broken.WRONG_TYPE),
        (event("Object Created", {"bucket": BUCKET}), Broken.WRONG_TYPE),
        ({"detail-type": 1, "source": "aws.s3"}, Broken.WRONG_TYPE),
        ({"detail-type": "Object Created"}, Broken.WRONG_TYPE),
    ],
)
def test_a_body_of_no_known_form_is_broken_with_its_reason(body: object, reason: Broken) -> None:
    assert read(body) == Notice(broken=(reason,))


@pytest.mark.parametrize("source", ["com.example", "", "AWS.ec2", "aws.partner/example.com/1"])
@pytest.mark.parametrize("kind", ["AWS API Call via CloudTrail", "Object Created"])
def test_an_event_that_someone_put_on_a_bus_is_no_word_of_aws(kind: str, source: str) -> None:
    detail = object_created()["detail"] if kind == "Object Created" else RECORD
    assert read(event(kind, detail, source)) == Notice(broken=(Broken.FORGED,))


def test_a_broken_part_costs_no_other() -> None:
    body = s3_notification(1, s3_record(), RECORD, s3_record(""), s3_record(event="ObjectRemoved:Delete"), {})
    assert read(body) == Notice(
        objects=(SIZED,),
        records=(json.dumps(RECORD).encode(),),
        passed=(Passed.OTHER_CHANGE,),
        broken=(Broken.NO_OBJECT, Broken.BAD_KEY, Broken.UNKNOWN),
    )
    assert read(cloudtrail_message(None, KEY)) == Notice(objects=(ObjectRef(BUCKET, KEY),), broken=(Broken.WRONG_TYPE,))


def test_what_is_no_json_in_a_list_costs_only_what_follows() -> None:
    body = '{"Records": [' + json.dumps(s3_record()) + " " + json.dumps(s3_record()) + "]}"
    assert notice_of(body) == Notice(objects=(SIZED,), broken=(Broken.BAD_JSON,))


def test_one_form_does_not_hide_another() -> None:
    body = s3_notification(s3_record()) | cloudtrail_message("other") | {"Event": "s3:TestEvent"}
    assert read(body) == Notice(objects=(SIZED, ObjectRef(BUCKET, "other")), passed=(Passed.TEST,))


@pytest.mark.parametrize(
    "odd",
    ["NaN", '"\x01"', '"\\ud800"', "1e999", "9" * 6000, "[" * 5000 + "]" * 5000, '1,"requestParameters":2'],
    ids=["NaN", "control character", "lone surrogate", "large", "long", "deep", "twice"],
)
def test_a_record_is_handed_on_as_it_was_written_however_odd(odd: str) -> None:
    record = json.dumps(RECORD | {"requestParameters": "ODD"}).replace('"ODD"', odd)
    body = json.dumps(event("AWS API Call via CloudTrail", "DETAIL", "aws.ec2")).replace('"DETAIL"', record)
    for said in (notice_of(body), read(in_sns(body))):
        assert said == Notice(records=(record.encode(),))
        decoded = decode(said.records[0])
        assert [one.event_id for one in decoded.records + [record for record, _ in decoded.mended]] == ["one"]


def test_a_body_of_lone_surrogates_is_read_as_well() -> None:
    body = json.dumps(event("AWS API Call via CloudTrail", RECORD | {"userAgent": "AGENT"}, "aws.ec2"))
    said = notice_of(body.replace("AGENT", "\ud800"))
    assert len(said.records) == 1
    assert len(decode(said.records[0]).mended) == 1
    named = json.dumps(cloudtrail_message("NAME", KEY)).replace("NAME", "\udc80")
    assert notice_of(named) == Notice(objects=(ObjectRef(BUCKET, KEY),), broken=(Broken.BAD_JSON,))


def test_a_huge_body_is_read_whole() -> None:
    assert len(read(s3_notification(*[s3_record()] * 1_000)).objects) == 1_000
    assert notice_of('{"Records":' * 200_000).broken == (Broken.BAD_JSON,)
    assert notice_of("[" * 1_000_000).broken == (Broken.NO_OBJECT,)
    assert notice_of('{"Records":' + "[" * 500_000 + "]" * 500_000 + "}").broken == (Broken.NO_OBJECT,)


class TestRefusal:
    ALLOWED = frozenset({BUCKET})

    @pytest.mark.parametrize(
        ("ref", "refusal"),
        [
            (ObjectRef(BUCKET, KEY), None),
            (ObjectRef("example-other-bucket", KEY), Refusal.OTHER_BUCKET),
            (ObjectRef(BUCKET, DIGEST), Refusal.DIGEST),
            (ObjectRef(BUCKET, f"prefix/{DIGEST}"), Refusal.DIGEST),
            (ObjectRef(BUCKET, "AWSLogs/111122223333/CloudTrail/"), Refusal.FOLDER),
            (ObjectRef(BUCKET, "CloudTrail-Digest/secret.txt"), Refusal.OTHER_KEY),
            (ObjectRef(BUCKET, "secret.txt"), Refusal.OTHER_KEY),
        ],
    )
    def test_only_logs_in_allowed_buckets_are_fetched(self, ref: ObjectRef, refusal: Refusal | None) -> None:
        assert refused(ref, self.ALLOWED, lambda key: key == KEY) is refusal

    def test_no_buckets_allow_none(self) -> None:
        assert refused(SIZED, frozenset(), lambda _: True) is Refusal.OTHER_BUCKET

    def test_what_lies_beside_every_trails_logs_is_expected(self) -> None:
        assert [one for one in Refusal if one.is_expected] == [Refusal.DIGEST, Refusal.FOLDER]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
known = st.sampled_from([body for body, _ in BODIES.values() if not isinstance(body, str)]).map(json.dumps)


def says_something(said: Notice) -> bool:
    return bool(said.objects or said.records or said.passed or said.broken)


@given(st.text(st.characters(codec=None)) | json_values.map(json.dumps))
def test_any_body_says_something(body: str) -> None:
    assert says_something(notice_of(body))
    assert says_something(read(in_sns(body)))


@given(known, st.data())
def test_a_body_that_was_cut_is_broken(body: str, data: st.DataObject) -> None:
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    assert notice_of(cut).broken
    assert read(in_sns(cut)).broken


@given(known, json_values, st.data())
def test_any_value_in_any_place_is_survived(body: str, value: object, data: st.DataObject) -> None:
    odd = json.loads(body)
    place: Any = odd
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    said = read(odd)
    assert says_something(said)
    assert read(in_sns(odd)) == said


@given(st.lists(json_values, max_size=3), st.lists(json_values, max_size=3))
def test_a_sound_part_is_found_among_any_others(before: list[object], after: list[object]) -> None:
    assert SIZED in read(s3_notification(*before, s3_record(), *after)).objects
    assert ObjectRef(BUCKET, KEY) in read(cloudtrail_message(*before, KEY, *after)).objects


@given(st.text(min_size=1, max_size=300), st.text(max_size=40))
def test_whatever_is_named_is_possible(key: str, bucket: str) -> None:
    for ref in read(cloudtrail_message(key, bucket=bucket)).objects + read(object_created(key, bucket)).objects:
        assert (ref.key, ref.bucket) == (key, bucket)
        assert len(ref.key.encode()) <= 1024
        assert not {"..", "."} & set(ref.key.split("/"))
        assert ref.key.isprintable() or min(ref.key) >= " "
