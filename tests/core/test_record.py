"""One record becomes one observation, or a reason why not."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.grant import Grant
from straykey.core.moment import expiry, moment
from straykey.core.observation import Event, Issuance, Issued, Observation, Use, observe
from straykey.core.record import Identity, Record, Skipped
from tests.records import RawRecord, allocation_record, compact, issuance_record, use_record

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(timezones=zones)


def observed(record: RawRecord) -> Observation | Skipped | None:
    """The one thing a record tells, or why it tells nothing."""
    told = observe(msgspec.json.decode(compact(record), type=Record))
    return told.use or next(iter(told.others), told.skipped)


SERVICE = {"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@given(
    times.map(datetime.isoformat) | st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
)
def test_a_moment_of_a_moment_is_itself(text: str) -> None:
    once = moment(text)
    assert once is None or moment(once) == once


@given(times.filter(lambda time: 2 <= time.year <= 9998), st.timedeltas(timedelta(0), timedelta(days=1)), zones)
def test_moments_are_ordered_as_the_times_they_are_of(earlier: datetime, passed: timedelta, zone: timezone) -> None:
    later = (earlier + passed).astimezone(zone)
    first, second = moment(earlier.isoformat()), moment(later.isoformat())
    assert first is None or second is None or first <= second


@given(times.filter(lambda time: 1001 <= time.year <= 9998))
def test_a_moment_is_the_second_the_time_falls_in(time: datetime) -> None:
    assert moment(time.isoformat()) == time.astimezone(UTC).replace(microsecond=0).isoformat()[:19] + "Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-45",
        "2026-02-30T10:00:00Z",
        "2026-05-04T24:60:00Z",
        "",
        "now",
        "1777888800",
        "0999-01-01T00:00:00Z",
        "1000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "２０２６-05-04T10:00:00Z",
        "2026-05-04T10:00:0\ud800",
    ],
)
def test_what_is_no_date_has_no_moment(text: str) -> None:
    assert moment(text) is None


@pytest.mark.parametrize(
    ("text", "expires"),
    [
        ("May 4, 2026, 4:34:00 PM", "2026-05-04T16:34:00Z"),
        ("Jul 4, 2019 4:29:29 PM", "2019-07-04T16:29:29Z"),
        ("May 4, 2026, 4:34:00\u202fPM", "2026-05-04T16:34:00Z"),
        ("2026-05-04T16:34:00Z", "2026-05-04T16:34:00Z"),
        ("soon", "2026-05-04T16:40:00Z"),
        ("May 4, 0026, 4:34:00 PM", "2026-05-04T16:40:00Z"),
    ],
)
def test_expirations_are_read_as_ec2_writes_them(text: str, expires: str) -> None:
    assert expiry(text, issued="2026-05-04T10:00:00Z") == expires


@given(st.text(), times)
def test_every_key_expires_at_some_time(text: str, issued: datetime) -> None:
    at = moment(issued.isoformat())
    assert at is None or moment(expiry(text, issued=at)) is not None


def test_a_key_issued_at_the_end_of_time_expires_then() -> None:
    assert expiry("soon", issued="9999-12-31T23:00:00Z") == "9999-12-31T23:00:00Z"


def test_a_call_by_a_role_session_is_a_use() -> None:
    use = observed(use_record(endpoint="vpce-0123456789abcdef0", endpoint_owner="111122223333", address="10.0.0.5"))
    assert isinstance(use, Use)
    assert use.caller.session.arn == "arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0"
    assert use.caller.network.key == "endpoint vpce-0123456789abcdef0 10.0.0.5"
    assert (use.caller.issued, use.caller.delivery) == ("2026-05-04T09:59:00Z", "2.0")
    assert use.caller.role_arn == "arn:aws:iam::111122223333:role/app/web-role"


def test_copies_of_one_action_have_one_identity() -> None:
    copies = [observed(use_record(event_id=one, sharedEventID="shared")) for one in ("a", "b")]
    assert [copy.identity for copy in copies if isinstance(copy, Use)] == ["shared", "shared"]


def test_records_without_an_id_are_told_apart_by_what_they_say() -> None:
    uses = [observed(use_record(time=f"2026-05-04T10:00:0{second}Z") | {"eventID": None}) for second in (1, 1, 2)]
    assert len({use.identity for use in uses if isinstance(use, Use)}) == 2


def test_ec2_assuming_a_role_is_an_issuance() -> None:
    issued = observed(issuance_record())
    assert isinstance(issued, Issued)
    assert issued.session.name == "i-0123456789abcdef0"
    assert issued.role_arn == "arn:aws:iam::111122223333:role/app/web-role"
    assert (issued.issuance.access_key, issued.issuance.expires) == ("ASIAEXAMPLEKEY000001", "2026-05-04T16:34:00Z")


def test_an_address_given_to_an_account_is_a_grant() -> None:
    grant = observed(allocation_record(userIdentity=SERVICE))
    assert isinstance(grant, Grant)
    assert (grant.address, grant.account, grant.time) == ("198.18.0.10", "111122223333", "2026-05-04T09:00:00Z")


def test_a_grant_made_by_a_user_is_a_use_as_well() -> None:
    told = observe(msgspec.json.decode(compact(allocation_record()), type=Record))
    assert told.use is not None
    assert [type(one) for one in told.others] == [Grant]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (use_record(userIdentity=None), Skipped.NO_IDENTITY),
        ({"eventName": "ListBuckets"}, Skipped.NO_IDENTITY),
        ({}, Skipped.NOT_A_RECORD),
        ({"eventCategory": "Insight", "eventTime": "2026-05-04T10:00:00Z"}, Skipped.INSIGHT),
        (use_record(eventTime=None), Skipped.BAD_TIME),
        (use_record(time="2026-13-45"), Skipped.BAD_TIME),
        (use_record(address="999.1.1.1"), Skipped.BAD_ADDRESS),
        (use_record(sourceIPAddress=None), Skipped.NO_ADDRESS),
        (use_record(role="aws:ec2-infrastructure"), Skipped.OTHER_IDENTITY),
        (use_record(userIdentity={"type": "AssumedRole", "arn": "arn:aws:iam::1:user/x"}), Skipped.OTHER_IDENTITY),
        (use_record(userIdentity={"type": "Root"}), Skipped.OTHER_IDENTITY),
        (issuance_record(responseElements=None), Skipped.OTHER_IDENTITY),
        (issuance_record(requestParameters=None), Skipped.OTHER_IDENTITY),
        (issuance_record(responseElements={"credentials": 1}), Skipped.WRONG_TYPE),
        (issuance_record(eventSource="s3.amazonaws.com", eventName="GetObject"), Skipped.OTHER_IDENTITY),
        (allocation_record(responseElements=None, userIdentity=SERVICE), Skipped.OTHER_IDENTITY),
        (allocation_record(errorCode="Client.AddressLimitExceeded", userIdentity=SERVICE), Skipped.OTHER_IDENTITY),
    ],
)
def test_what_is_no_observation_says_why(record: RawRecord, reason: Skipped) -> None:
    assert observed(record) is reason


@pytest.mark.parametrize("record", [issuance_record(), allocation_record()])
@pytest.mark.parametrize("depth", range(880, 1000, 7))
def test_no_depth_of_an_answer_raises(record: RawRecord, depth: int) -> None:
    deep = msgspec.Raw(b"[" * depth + b"]" * depth)
    raw = Record(
        identity=Identity(invoked_by="ec2.amazonaws.com"),
        time=record["eventTime"],
        source=record["eventSource"],
        name=record["eventName"],
        response=msgspec.Raw(b'{"x":' + bytes(deep) + b"}"),
        request=msgspec.Raw(b'{"x":' + bytes(deep) + b"}"),
    )
    told = observe(raw)
    assert told.use is None
    assert not told.others
    assert told.skipped in (Skipped.TOO_DEEP, Skipped.OTHER_IDENTITY)


def test_no_secret_is_taken_out_of_a_record() -> None:
    fields = {
        name
        for kind in (Record, Identity, Event, Use, Issuance, Issued)
        for field in msgspec.structs.fields(kind)
        for name in (field.name.lower(), field.encode_name.lower())
    }
    assert not {name for name in fields if "token" in name or "secret" in name}


def test_a_session_token_stays_out_of_what_is_observed() -> None:
    assert "EXAMPLE-TOKEN" in compact(issuance_record()).decode()
    assert "EXAMPLE-TOKEN" not in repr(observed(issuance_record()))
