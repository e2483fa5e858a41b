"""Which accounts, regions and kinds records are seen of, whatever else stands in them."""

from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.coverage import Covered, Kind, Seen, covered, joined
from straykey.core.reading import decode
from tests.records import RawRecord, issuance_record, trail, use_record

ACCOUNT, REGION = "111122223333", "eu-west-1"
TIMES = st.sampled_from([f"2026-05-04T{hour:02}:00:00Z" for hour in range(24)])
SEEN = st.tuples(TIMES, TIMES).map(lambda both: Seen(min(both), max(both)))


def seen(*records: RawRecord) -> dict[Covered, Seen]:
    return covered(decode(trail(*records)).records)


def kinds(*records: RawRecord) -> set[Kind]:
    return {one.kind for one in seen(*records)}


def test_what_is_seen_lasts_from_the_first_to_the_last_record_of_a_kind() -> None:
    records = [use_record(time=f"2026-05-04T10:0{n}:00Z") for n in (3, 1, 2)]
    expected = {Covered(ACCOUNT, REGION, Kind.READ): Seen("2026-05-04T10:01:00Z", "2026-05-04T10:03:00Z")}
    assert seen(*records) == expected


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (use_record(event="ListBuckets"), Kind.READ),
        (use_record(event="BatchGetItem"), Kind.READ),
        (use_record(event="RunInstances"), Kind.WRITE),
        (use_record(event="GetObject", eventCategory="Data"), Kind.DATA),
        (use_record(event="GetObject", eventCategory="NetworkActivity"), Kind.NETWORK),
        (use_record(event="AssumeRole", source="sts.amazonaws.com"), Kind.WRITE),
        (issuance_record(), Kind.ISSUANCE),
    ],
)
def test_a_record_is_of_one_kind(record: RawRecord, kind: Kind) -> None:
    assert kinds(record) == {kind}


@pytest.mark.parametrize("account", ["", "11112222333", "1111222233334", "11112222333x", "١" * 12, None])
def test_what_names_no_account_shows_nothing(account: str | None) -> None:
    assert seen(use_record(recipientAccountId=account)) == {}


@pytest.mark.parametrize("region", ["", "-", "eu west", "eu-west-1\x00", "é", "a" * 33, "../..", None])
def test_what_names_no_region_shows_nothing(region: str | None) -> None:
    assert seen(use_record(awsRegion=region)) == {}


@pytest.mark.parametrize("time", ["", "zzz", "~", "0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "\ud7ff", None])
def test_what_names_no_time_shows_nothing_and_hides_nothing(time: str | None) -> None:
    bad = use_record() | {"eventTime": time}
    good = use_record(time="2026-05-04T10:00:00Z")
    expected = {Covered(ACCOUNT, REGION, Kind.READ): Seen("2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z")}
    assert seen(bad) == {}
    assert seen(bad, good) == seen(good, bad) == expected


def test_times_are_compared_as_times_however_they_are_written() -> None:
    records = [use_record(time="2026-05-04T10:00:00Z"), use_record() | {"eventTime": "2026-05-04T10:00:00-03:00"}]
    (both,) = seen(*records).values()
    assert both == Seen("2026-05-04T10:00:00Z", "2026-05-04T13:00:00Z")


def test_what_a_record_says_of_the_future_is_not_believed() -> None:
    both = Seen("2026-05-04T10:00:00Z", "9999-12-31T23:59:59Z")
    assert both.until("2026-05-04T12:00:00Z") == Seen("2026-05-04T10:00:00Z", "2026-05-04T12:00:00Z")
    assert both.until("2026-05-04T09:00:00Z") == Seen("2026-05-04T09:00:00Z", "2026-05-04T09:00:00Z")


@given(st.lists(SEEN, min_size=1, max_size=4))
def test_what_is_joined_in_any_order_and_twice_comes_to_the_same(several: list[Seen]) -> None:
    found = {reduce(joined, order, joined(None, order[0])) for order in permutations(several)}
    assert len(found) == 1
    (one,) = found
    assert joined(one, one) == one == joined(None, one)
    assert all(joined(one, other) == one for other in several)
