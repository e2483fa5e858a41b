"""Where the choice of home tips over: each boundary from both sides."""

from typing import Any

import pytest

from straykey.core.evidence import Bounds
from straykey.core.finding import Finding, FindingType, Severity
from straykey.core.judge import judge
from straykey.core.settings import Settings
from tests import ec2
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import RANGES, findings_of, ledger_of, verdicts_of

A, FIRST, OTHER = "198.18.0.10", "198.18.7.7", "198.18.0.30"
OUTSIDE = "203.0.113.66"
VICTIM = "i-0123456789abcdef0"


def name(number: int) -> str:
    return f"i-{number:017x}"


def use(address: str, *clocks: str, instance: str = VICTIM, **changes: Any) -> list[RawRecord]:
    return [use_record(instance=instance, address=address, time=f"2026-05-04T{at}Z", **changes) for at in clocks]


def residents(address: str, *more: RawRecord) -> list[RawRecord]:
    """Two others that live at `address`."""
    there = [one for n in (1, 2) for one in use(address, "09:00:00", "14:00:00", instance=name(n))]
    return [issuance_record(), *there, *more]


def strays(*records: RawRecord) -> set[str | None]:
    found = findings_of(*records)
    return {one.stray.address for one in found if one.severity is not Severity.INFORMATIONAL}


def test_an_hour_at_the_first_and_never_back_is_a_move() -> None:
    lived = use(FIRST, "10:00:00", "11:00:00")
    assert strays(*residents(A), *lived, *use(A, "11:00:00", "13:00:00")) == set()


def test_a_second_less_than_an_hour_at_the_first_is_no_move() -> None:
    lived = use(FIRST, "10:00:00", "10:59:59")
    assert strays(*residents(A), *lived, *use(A, "11:00:00", "13:00:00")) == {FIRST}


def test_an_hour_at_the_first_and_back_again_is_no_move() -> None:
    lived = use(FIRST, "10:00:00", "11:00:01")
    assert strays(*residents(A), *lived, *use(A, "11:00:00", "13:00:00")) == {FIRST}


def test_more_active_hours_where_others_live_outweigh_many_calls_at_the_first() -> None:
    first = use(FIRST, *(f"10:{minute:02d}:00" for minute in range(0, 56, 5)))
    assert strays(*residents(A), *first, *use(A, "11:10:00", "12:10:00")) == {FIRST}


def test_as_many_active_hours_where_others_live_do_not() -> None:
    first = use(FIRST, *(f"10:{minute:02d}:00" for minute in range(0, 56, 5)))
    assert strays(*residents(A), *first, *use(A, "10:30:00")) == set()


def pool(*instances: str, role: str = "web-role") -> list[RawRecord]:
    """Sessions that live at A and use the first address as well."""
    return [
        one
        for instance in instances
        for one in (
            *use(A, "09:00:00", "14:00:00", instance=instance, role=role),
            *use(FIRST, "10:00:00", "13:00:00", instance=instance, role=role),
        )
    ]


def test_the_first_is_not_turned_where_it_is_of_one_pool_with_the_others() -> None:
    own = [*use(FIRST, "10:00:00", "10:20:00"), *use(A, "10:05:00", "13:00:00")]
    assert strays(issuance_record(), *pool(name(1), name(2)), *own) == set()


def test_another_session_of_the_instance_itself_makes_no_pool() -> None:
    own = [*use(FIRST, "10:00:00", "10:20:00"), *use(A, "10:05:00", "13:00:00")]
    found = strays(*residents(A), *pool(VICTIM, role="second-role"), *own)
    assert found == {FIRST}


def test_a_pool_of_an_account_that_is_not_ours_is_none() -> None:
    own = [*use(FIRST, "10:00:00", "10:20:00"), *use(A, "10:05:00", "13:00:00")]
    theirs = [record | {"recipientAccountId": "111122223333"} for record in pool_of_another_account()]
    assert strays(*residents(A), *theirs, *own) == {FIRST}


def pool_of_another_account() -> list[RawRecord]:
    return [
        *use(A, "09:00:00", "14:00:00", instance=name(9), account="999988887777"),
        *use(FIRST, "10:00:00", "13:00:00", instance=name(9), account="999988887777"),
    ]


def test_of_a_lane_that_overflowed_the_first_network_is_still_the_home() -> None:
    many = [one for n in range(40) for one in use(f"203.0.113.{n + 1}", f"10:{n:02d}:30")]
    tight = Bounds(networks=2, neighbours=1, neighbourhoods=1)
    first = use(OTHER, "10:00:00")
    ledger = ledger_of([*first, *many], tight)
    (finding, *_) = judge(ledger, Settings(), RANGES)
    assert [home.address for home in finding.home] == [OTHER]
    (home,) = finding.home
    assert (home.first_seen, home.last_seen, home.count) == ("2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z", 1)


def test_a_key_that_was_never_the_workloads_makes_no_home() -> None:
    taken = use_record(
        eventName="AssumeRole",
        source="sts.amazonaws.com",
        time="2026-05-04T09:00:00Z",
        userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "accessKeyId": "AKIAEXAMPLE"},
        requestParameters={"roleArn": "arn:aws:iam::111122223333:role/web-role", "roleSessionName": VICTIM},
        responseElements={"credentials": {"accessKeyId": "ASIAEXAMPLETAKEN0001"}},
    )
    alice = use(OUTSIDE, "09:05:00", "09:30:00", key="ASIAEXAMPLETAKEN0001", delivery=None)
    verdicts = verdicts_of(issuance_record(), taken, *alice, *use(A, "10:00:00"))
    assert (verdicts[OUTSIDE].standing.value, verdicts[A].standing.value) == ("spoofed", "home")
    assert [one.type for one in findings_of(issuance_record(), taken, *alice, *use(A, "10:00:00"))] == [
        FindingType.SPOOFED_NAME
    ]


def service_findings() -> list[Finding]:
    acted = use_record(address="s3.amazonaws.com", time="2026-05-04T10:05:00Z", source="kms.amazonaws.com")
    found = findings_of(issuance_record(), *use(A, "10:00:00"), acted, settings=Settings(report_service_calls=True))
    return [one for one in found if one.type is FindingType.SERVICE_CALLS]


def test_a_reported_service_call_tells_whose_session_and_from_which_home() -> None:
    (found,) = service_findings()
    assert (found.severity, found.stray.address, found.stray.count) == (Severity.INFORMATIONAL, "s3.amazonaws.com", 1)
    assert (found.session.region, found.session.instance_id) == ("eu-west-1", VICTIM)
    assert [home.address for home in found.home] == [A]


def making(clock: str, number: int) -> RawRecord:
    (record,) = use(A, clock, event="CreateUser", source="iam.amazonaws.com")
    user = {"userName": f"user{number}", "arn": f"arn:aws:iam::111122223333:user/user{number}"}
    return record | {"requestParameters": {"userName": user["userName"]}, "responseElements": {"user": user}}


def test_of_what_was_made_from_home_only_what_came_after_the_end_is_a_pivot() -> None:
    end = ec2.terminate(instance=VICTIM, time="2026-05-04T11:00:00Z")
    records = [issuance_record(), making("10:30:00", 1), end, making("12:00:00", 2)]
    (found,) = (one for one in findings_of(*records) if one.severity is Severity.HIGH)
    assert [pivot.made for pivot in found.pivots] == ["arn:aws:iam::111122223333:user/user2"]


def test_of_what_was_made_from_a_stray_network_all_is_a_pivot_whenever_the_instance_ended() -> None:
    end = ec2.terminate(instance=VICTIM, time="2026-05-04T11:00:00Z")
    strange = [making(clock, n) | {"sourceIPAddress": OUTSIDE} for n, clock in ((1, "10:30:00"), (2, "12:00:00"))]
    records = [issuance_record(), *use(A, "10:00:00"), end, *strange]
    (found,) = (one for one in findings_of(*records) if one.severity is Severity.HIGH)
    assert len(found.pivots) == 2


@pytest.mark.parametrize("severities", [["HIGH", "MEDIUM", "INFORMATIONAL"]])
def test_findings_come_the_worst_first(severities: list[str]) -> None:
    records = [
        *use(A, "10:00:00", delivery="1.0"),
        *use(A, "10:10:00", agent="curl/8.5.0"),
        *use(OUTSIDE, "10:20:00"),
    ]
    assert [one.severity.value for one in findings_of(*records)] == severities
