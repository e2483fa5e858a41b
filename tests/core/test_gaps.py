"""What is not seen of an account, told from what is."""

import pytest

from straykey.core.coverage import Covered, Gap, Kind, Seen, covered, gaps
from straykey.core.reading import decode
from tests.records import RawRecord, issuance_record, trail, use_record

ONE, OTHER = "111122223333", "444455556666"
ALL = frozenset(Kind)


def seen(kinds: frozenset[Kind], account: str = ONE, last: str = "2026-05-04T10:00:00Z") -> dict[Covered, Seen]:
    return {Covered(account, "eu-west-1", kind): Seen("2026-05-01T00:00:00Z", last) for kind in kinds}


def kinds_of(*records: RawRecord) -> set[Kind]:
    return {one.kind for one in covered(decode(trail(*records)).records)}


def test_ec2_taking_a_role_for_an_instance_is_a_kind_of_its_own() -> None:
    assert kinds_of(issuance_record()) == {Kind.ISSUANCE}
    assert kinds_of(use_record(event="AssumeRole", source="sts.amazonaws.com")) == {Kind.WRITE}


def test_records_are_told_apart_by_category_and_by_what_they_do() -> None:
    assert kinds_of(use_record(event="ListBuckets")) == {Kind.READ}
    assert kinds_of(use_record(event="CreateUser")) == {Kind.WRITE}
    assert kinds_of(use_record(event="GetObject", eventCategory="Data")) == {Kind.DATA}
    assert kinds_of(use_record(event="GetObject", eventCategory="NetworkActivity")) == {Kind.NETWORK}


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        (set(), set()),
        ({Kind.NETWORK}, set()),
        ({Kind.DATA}, {Gap.DATA}),
        ({Kind.ISSUANCE}, {Gap.ISSUANCE}),
        ({Kind.READ}, set()),
        ({Kind.READ, Kind.ISSUANCE}, {Gap.READ, Gap.ISSUANCE}),
        ({Kind.WRITE}, {Gap.WRITE}),
        ({Kind.READ, Kind.WRITE, Kind.ISSUANCE}, {Gap.MANAGEMENT}),
    ],
)
def test_what_is_missing_is_told_by_what_follows_from_it(missing: set[Kind], found: set[Gap]) -> None:
    assert set(gaps(seen(ALL - missing))) == found


def test_what_one_region_shows_is_not_missing_in_another() -> None:
    elsewhere = {Covered(ONE, "us-east-1", Kind.READ): Seen("2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z")}
    assert gaps(seen(ALL) | elsewhere) == {}


def test_each_gap_names_its_accounts_in_order() -> None:
    both = seen(ALL - {Kind.DATA}, OTHER) | seen(ALL - {Kind.DATA}, ONE)
    assert gaps(both) == {Gap.DATA: [ONE, OTHER]}


def test_an_account_that_fell_silent_while_others_went_on_is_named() -> None:
    assert gaps(seen(ALL) | seen(ALL, OTHER, "2026-05-05T10:00:00Z")) == {}
    assert gaps(seen(ALL) | seen(ALL, OTHER, "2026-05-05T10:00:01Z")) == {Gap.SILENT: [ONE]}


def test_where_nothing_was_seen_nothing_is_said_to_be_missing() -> None:
    assert gaps({}) == {}
