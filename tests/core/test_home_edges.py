"""Where the choice of home tips over: each boundary from both sides."""

from typing import Any

import pytest

from straykey.core.evidence import Bounds
from straykey.core.finding import Finding, FindingType, Severity
from straykey.core.judge import is_judged, judge
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
    """Sessions that live at A and use the first address as well, all within an hour."""
    return [
        one
        for instance in instances
        for one in (
            *use(A, "10:00:00", "10:40:00", instance=instance, role=role),
            *use(FIRST, "10:10:00", "10:30:00", instance=instance, role=role),
        )
    ]


def test_the_first_is_not_turned_where_it_is_of_one_pool_with_the_others() -> None:
    own = [*use(FIRST, "10:00:00", "10:20:00"), *use(A, "10:05:00", "10:45:00")]
    assert strays(issuance_record(), *pool(name(1), name(2)), *own) == set()


def test_another_session_of_the_instance_itself_makes_no_pool() -> None:
    own = [*use(FIRST, "10:00:00", "10:20:00"), *use(A, "10:05:00", "13:00:00")]
    found = findings_of(*residents(A), *pool(VICTIM, role="second-role"), *own)
    assert FIRST in {one.stray.address for one in found if one.session.role == "web-role"}


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


def taken_name() -> list[RawRecord]:
    """Alice takes the instance's name, and uses what she got."""
    taken = use_record(
        eventName="AssumeRole",
        source="sts.amazonaws.com",
        time="2026-05-04T09:00:00Z",
        userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "accessKeyId": "AKIAEXAMPLE"},
        requestParameters={"roleArn": "arn:aws:iam::111122223333:role/web-role", "roleSessionName": VICTIM},
        responseElements={"credentials": {"accessKeyId": "ASIAEXAMPLETAKEN0001"}},
    )
    return [issuance_record(), taken, *use(OUTSIDE, "09:05:00", "09:30:00", key="ASIAEXAMPLETAKEN0001", delivery=None)]


def test_a_key_that_was_never_the_workloads_makes_no_home() -> None:
    records = [*taken_name(), *use(A, "10:00:00")]
    verdicts = verdicts_of(*records)
    assert (verdicts[OUTSIDE].standing.value, verdicts[A].standing.value) == ("spoofed", "home")
    assert [one.type for one in findings_of(*records)] == [FindingType.SPOOFED_NAME]


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


def test_of_an_account_that_no_record_was_delivered_to_a_pool_is_one_as_well() -> None:
    own = [*use(FIRST, "10:00:00", "10:20:00"), *use(A, "10:05:00", "10:45:00")]
    records = [record | {"recipientAccountId": None} for record in (*pool(name(1), name(2)), *own)]
    assert strays(*records) == set()


def test_an_address_brought_to_aws_and_granted_stays_home_beside_one_in_aws() -> None:
    brought = ec2.associate(address=OUTSIDE, instance=VICTIM, time="2026-05-04T09:00:00Z")
    assert verdicts_of(issuance_record(), brought, *use(OUTSIDE, "10:00:00"), *use(A, "11:00:00"))[OUTSIDE].code


V6_THIEF, V6 = "2001:db8:1000::66", "2001:db8:1000::10"
VPCE = {"endpoint": "vpce-0aaaabbbbccccdddd", "endpoint_owner": "111122223333"}


def test_each_lane_is_opened_by_what_is_best_known_in_that_lane() -> None:
    """All three true networks are named by grants; the thief was first over IPv6 only."""
    named = [
        ec2.launch(instance=VICTIM, addresses=("10.0.1.10", V6), time="2026-05-04T09:00:00Z"),
        ec2.associate(address=A, instance=VICTIM, time="2026-05-04T09:01:00Z"),
    ]
    calls = [
        *use(A, "10:00:00"),
        *use("10.0.1.10", "10:01:00", **VPCE),
        *use(V6_THIEF, "10:02:00"),
        *use(V6, "10:03:00"),
    ]
    verdicts = verdicts_of(issuance_record(), *named, *calls)
    assert {address: one.standing.value for address, one in verdicts.items()} == {
        A: "home",
        "10.0.1.10": "home",
        V6: "home",
        V6_THIEF: "stray",
    }


def test_a_stray_makes_no_home_of_what_is_like_it() -> None:
    other = VPCE | {"endpoint": "vpce-0eeeeffff00001111"}
    calls = [*use("10.0.1.10", "10:00:00", **VPCE), *use("10.0.9.9", "10:01:00", **VPCE)]
    assert len(findings_of(*calls, *use("10.0.9.9", "10:02:00", **other))) == 2


@pytest.mark.parametrize(
    ("address", "standing", "text"),
    [
        ("053.1.1.1", "unreadable", "the log names no readable address"),
        (OUTSIDE, "stray", "nothing explains this network"),
    ],
)
def test_what_nothing_explains_is_told_in_words(address: str, standing: str, text: str) -> None:
    verdict = verdicts_of(issuance_record(), *use(A, "10:00:00"), *use(address, "10:05:00"))[address]
    assert (verdict.standing.value, verdict.code, verdict.text) == (standing, "", text)


def test_a_functions_public_address_is_told_as_unknown_without_ranges() -> None:
    issued = issuance_record(
        instance="resize", userIdentity={"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    )
    calls = use(A, "10:00:00", instance="resize", delivery=None)
    verdict = verdicts_of(issued, *calls, instance="resize", ranges=None)[A]
    assert (verdict.standing.value, verdict.code) == ("unknown", "")
    assert verdict.text == "without AWS's ranges nobody can say whether this is AWS"


def test_a_taken_name_is_told_in_words_beside_a_theft_with_all_that_came_of_it() -> None:
    verdict = verdicts_of(*taken_name())[OUTSIDE]
    assert (verdict.code, verdict.text) == ("", "used with a key that was never the workload's")
    theft = [*use(A, "10:00:00"), *use("203.0.113.99", "10:30:00")]
    found = {one.type: one for one in findings_of(*taken_name(), *theft)}
    assert set(found) == {FindingType.OUTSIDE_AWS, FindingType.SPOOFED_NAME}
    spoofed = found[FindingType.SPOOFED_NAME]
    assert spoofed.session.role_arn == "arn:aws:iam::111122223333:role/app/web-role"
    assert [(pivot.access_key, pivot.uses) for pivot in spoofed.pivots] == [("ASIAEXAMPLETAKEN0001", 2)]


def test_only_a_workloads_session_is_judged() -> None:
    ledger = ledger_of([*use(A, "10:00:00"), *use(A, "10:00:00", instance="alice", delivery=None)])
    assert {evidence.session.name for evidence in ledger.sessions.values() if is_judged(evidence)} == {VICTIM}
