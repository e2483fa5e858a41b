"""What a stray becomes: type, severity, whose network it is, confidence with its reasons."""

from typing import Any

import pytest

from straykey.core.finding import Confidence, Finding, FindingType, Severity
from straykey.core.settings import Settings
from tests.records import RawRecord, allocation_record, issuance_record, use_record
from tests.seen import findings_of

HOME = "198.18.0.10"
OWN = "111122223333"
AFFILIATED = "444455556666"
THIEF = "999988887777"
VPCE = "vpce-0eeeeffff00001111"
OTHER_INSTANCE = "i-0fedcba9876543210"


def home(minute: int = 0, **changes: Any) -> RawRecord:
    return use_record(**{"address": HOME, "time": f"2026-05-04T10:{minute:02d}:00Z", **changes})


def resident(address: str, account: str) -> list[RawRecord]:
    """Another instance, at home at `address` before and after the theft."""
    at: dict[str, Any] = {"instance": OTHER_INSTANCE, "role": "other-role", "account": account, "address": address}
    return [use_record(**at, time=time) for time in ("2026-05-04T09:00:00Z", "2026-05-04T10:50:00Z")]


def only(findings: list[Finding]) -> Finding:
    """The one finding above information."""
    worse = [finding for finding in findings if finding.severity is not Severity.INFORMATIONAL]
    assert len(worse) == 1, [finding.title for finding in worse]
    return worse[0]


def reasons(finding: Finding) -> set[str]:
    return {reason.code for reason in finding.reasons}


def test_a_stray_outside_aws_is_outside_and_high() -> None:
    finding = only(findings_of(home(0), home(5, address="203.0.113.66")))
    assert (finding.type, finding.severity, finding.severity_score) == (FindingType.OUTSIDE_AWS, Severity.HIGH, 8.0)


def test_a_stray_on_a_strangers_address_in_aws_is_inside_and_high() -> None:
    finding = only(findings_of(home(0), home(5, address="198.19.7.7")))
    assert (finding.type, finding.severity) == (FindingType.INSIDE_AWS, Severity.HIGH)
    assert (finding.stray.aws_region, finding.stray.account, finding.stray.affiliated) == ("us-east-1", None, None)


def test_a_stray_through_a_strangers_endpoint_is_inside_and_names_the_owner() -> None:
    stray = home(5, address="172.31.0.9", endpoint=VPCE, endpoint_owner=THIEF)
    finding = only(findings_of(home(0), stray))
    assert (finding.type, finding.severity) == (FindingType.INSIDE_AWS, Severity.HIGH)
    assert (finding.stray.vpc_endpoint, finding.stray.account, finding.stray.affiliated) == (VPCE, THIEF, False)


def test_a_stray_at_the_home_of_an_affiliated_accounts_instance_is_medium() -> None:
    finding = only(findings_of(home(0), home(5, address="198.18.7.7"), *resident("198.18.7.7", AFFILIATED)))
    assert (finding.type, finding.severity, finding.severity_score) == (FindingType.INSIDE_AWS, Severity.MEDIUM, 5.0)
    assert (finding.stray.account, finding.stray.affiliated) == (AFFILIATED, True)


def test_a_stray_at_the_home_of_an_instance_of_its_own_account_is_low() -> None:
    finding = only(findings_of(home(0), home(5, address="198.18.7.7"), *resident("198.18.7.7", OWN)))
    assert (finding.severity, finding.severity_score, finding.stray.account) == (Severity.LOW, 3.0, OWN)


def test_an_address_outside_aws_stays_high_whoever_lives_there() -> None:
    finding = only(findings_of(home(0), home(5, address="203.0.113.7"), *resident("203.0.113.7", OWN)))
    assert (finding.type, finding.severity) == (FindingType.OUTSIDE_AWS, Severity.HIGH)


def test_an_address_that_another_session_used_only_after_the_theft_is_nobodys() -> None:
    """Else the thief, with a second stolen key, would vouch for himself."""
    later = use_record(instance=OTHER_INSTANCE, address="198.18.7.7", time="2026-05-04T10:06:00Z")
    strays = findings_of(home(0), home(5, address="198.18.7.7"), later)
    assert [finding.severity for finding in strays] == [Severity.HIGH]


def test_an_address_where_two_accounts_live_is_nobodys() -> None:
    there = [*resident("198.18.7.7", OWN), use_record(instance="i-00000001", account=AFFILIATED, address="198.18.7.7",
                                                      time="2026-05-04T09:30:00Z")]  # fmt: skip
    finding = only(findings_of(home(0), home(5, address="198.18.7.7"), *there))
    assert (finding.severity, finding.stray.account) == (Severity.HIGH, None)


def test_an_address_allocated_to_an_affiliated_account_is_its_own() -> None:
    given = allocation_record(account=AFFILIATED, address="198.18.7.7", time="2026-05-04T08:00:00Z")
    finding = only(findings_of(home(0), home(5, address="198.18.7.7"), given))
    assert (finding.severity, finding.stray.account) == (Severity.MEDIUM, AFFILIATED)


def test_an_address_allocated_only_after_the_theft_says_nothing() -> None:
    given = allocation_record(account=AFFILIATED, address="198.18.7.7", time="2026-05-04T10:30:00Z")
    finding = only(findings_of(home(0), home(5, address="198.18.7.7"), given))
    assert (finding.severity, finding.stray.account) == (Severity.HIGH, None)


def test_of_two_allocations_the_last_before_the_theft_counts() -> None:
    first = allocation_record(account=OWN, address="198.18.7.7", time="2026-05-04T07:00:00Z")
    last = allocation_record(account=AFFILIATED, address="198.18.7.7", time="2026-05-04T08:00:00Z")
    finding = only(findings_of(home(0), home(5, address="198.18.7.7"), last, first))
    assert finding.stray.account == AFFILIATED


def test_an_allocation_that_failed_says_nothing() -> None:
    failed = allocation_record(account=OWN, address="198.18.7.7", errorCode="Client.AddressLimitExceeded")
    assert only(findings_of(home(0), home(5, address="198.18.7.7"), failed)).stray.account is None


def test_an_account_named_by_the_user_is_affiliated() -> None:
    stray = home(5, address="172.31.0.9", endpoint=VPCE, endpoint_owner=AFFILIATED)
    other_endpoint = home(1, address="10.0.1.10", endpoint="vpce-0aaaabbbbccccdddd", endpoint_owner=OWN)
    settings = Settings(accounts=frozenset({AFFILIATED}))
    finding = only(findings_of(home(0), other_endpoint, stray, settings=settings))
    assert (finding.severity, finding.stray.affiliated) == (Severity.MEDIUM, True)


def test_without_ranges_a_public_stray_is_unknown_and_high() -> None:
    finding = only(findings_of(home(0), home(5, address="203.0.113.66"), ranges=None))
    assert (finding.type, finding.severity) == (FindingType.UNKNOWN, Severity.HIGH)


def test_a_private_address_without_endpoint_is_unknown_and_high() -> None:
    finding = only(findings_of(home(0), home(5, address="10.9.9.9")))
    assert (finding.type, finding.severity) == (FindingType.UNKNOWN, Severity.HIGH)


@pytest.mark.parametrize(
    "identity",
    [
        {"instance": "i-01234567"},
        {"role": "aws:ec2-instance"},
        {"instance": "i-0123456789ABCDEF0"},
        {"instance": "no-instance-id", "delivery": "1.0"},
    ],
)
def test_sessions_of_instances_are_judged(identity: dict[str, Any]) -> None:
    unmarked: dict[str, Any] = {"delivery": None, **identity}
    assert findings_of(
        use_record(**unmarked), use_record(**unmarked, address="203.0.113.66", time="2026-05-04T11:00:00Z")
    )


def test_a_session_is_an_instances_when_ec2_issued_its_key_whatever_its_name() -> None:
    name: dict[str, Any] = {"instance": "odd-name"}
    unmarked: dict[str, Any] = {**name, "delivery": None}
    uses = [use_record(**unmarked), use_record(**unmarked, address="203.0.113.66", time="2026-05-04T11:00:00Z")]
    assert findings_of(*uses) == []
    assert findings_of(*uses, issuance_record(**name))


@pytest.mark.parametrize("identity", [{"instance": "deploy", "delivery": None}, {"role": "aws:ec2-infrastructure"}])
def test_other_sessions_are_not_judged(identity: dict[str, Any]) -> None:
    assert findings_of(use_record(**identity), use_record(**identity, address="203.0.113.66")) == []


def test_sessions_of_every_partition_are_judged() -> None:
    arn = "arn:aws-cn:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0"
    uses = [home(0), home(5, address="203.0.113.66")]
    for record in uses:
        record["userIdentity"]["arn"] = arn
    assert only(findings_of(*uses)).session.arn == arn


def test_the_session_tells_role_path_issue_and_expiry() -> None:
    records = [issuance_record(), home(0), home(5, address="203.0.113.66")]
    session = only(findings_of(*records)).session
    assert session.role_arn == "arn:aws:iam::111122223333:role/app/web-role"
    assert (session.issued, session.expires) == ("2026-05-04T09:59:00Z", "2026-05-04T16:34:00Z")
    assert (session.instance_id, session.region) == ("i-0123456789abcdef0", "eu-west-1")


def test_two_places_at_once_with_other_programs_is_confirmed() -> None:
    records = [issuance_record(), home(0), home(5, address="203.0.113.66", agent="curl/8.1"), home(9)]
    finding = only(findings_of(*records))
    assert finding.confidence is Confidence.CONFIRMED
    assert {"overlaps-home", "new-user-agent"} <= reasons(finding)


def test_a_clean_switch_with_nothing_else_odd_is_only_possible() -> None:
    finding = only(findings_of(issuance_record(), home(0), home(5, address="198.18.0.99")))
    assert finding.confidence is Confidence.POSSIBLE
    assert reasons(finding) == {"single-switch"}


def test_an_unseen_issuance_takes_one_step_of_confidence() -> None:
    finding = only(findings_of(home(0), home(5, address="203.0.113.66", agent="curl/8.1"), home(9)))
    assert finding.confidence is Confidence.LIKELY
    assert "issuance-unseen" in reasons(finding)


def test_the_imdsv1_twin_of_an_imdsv2_home_is_a_reason() -> None:
    twin = home(5, address="203.0.113.66", delivery="1.0", key="ASIAEXAMPLEKEY000002")
    assert {"imdsv1-key", "foreign-key"} <= reasons(only(findings_of(home(0), twin)))


def test_a_home_that_uses_imdsv1_itself_makes_no_reason_of_it() -> None:
    finding = only(findings_of(home(0, delivery="1.0"), home(5, address="203.0.113.66", delivery="1.0")))
    assert "imdsv1-key" not in reasons(finding)


def test_three_denied_calls_are_a_reason_and_two_are_not() -> None:
    tries = [home(m, address="203.0.113.66", error="AccessDenied", event="GetSecretValue") for m in (5, 6, 7)]
    assert "access-denied" in reasons(only(findings_of(home(0), *tries)))
    assert "access-denied" not in reasons(only(findings_of(home(0), *tries[:2])))


def test_the_stray_tells_what_was_called_and_what_failed() -> None:
    calls = [home(m, address="203.0.113.66", event="GetObject") for m in (5, 6)]
    failed = home(7, address="203.0.113.66", event="PutObject", error="AccessDenied")
    stray = only(findings_of(home(0), *calls, failed)).stray
    assert stray.calls == {"s3.amazonaws.com:GetObject": 2, "s3.amazonaws.com:PutObject": 1}
    assert (stray.count, stray.errors, stray.count_is_estimate) == (3, 1, False)
    assert (stray.first_seen, stray.last_seen) == ("2026-05-04T10:05:00Z", "2026-05-04T10:07:00Z")


def test_a_record_read_twice_is_one_call() -> None:
    stray = home(5, address="203.0.113.66")
    assert only(findings_of(home(0), stray, stray)).stray.count == 1


def test_copies_of_one_action_in_two_accounts_are_one_call() -> None:
    copies = [home(5, address="203.0.113.66", event_id=name, sharedEventID="shared") for name in ("a", "b")]
    assert only(findings_of(home(0), *copies)).stray.count == 1


def test_a_call_among_thousands_is_still_named() -> None:
    flood = [home(5, address="203.0.113.66", event="GetObject", event_id=f"id-{n}") for n in range(3_000)]
    needle = home(6, address="203.0.113.66", event="CreateUser", source="iam.amazonaws.com")
    stray = only(findings_of(home(0), *flood, needle)).stray
    assert stray.count_is_estimate
    assert stray.calls["iam.amazonaws.com:CreateUser"] == 1
    assert stray.calls["s3.amazonaws.com:GetObject"] == pytest.approx(3_000, rel=0.35)


def test_a_flood_of_addresses_cannot_push_out_the_home() -> None:
    flood = [home(5, address=f"203.0.113.{n}") for n in range(256)] + [
        home(5, address=f"192.0.2.{n}") for n in range(256)
    ]
    findings = findings_of(home(0), *flood)
    assert len(findings) in (127, 128)
    assert {entry.address for finding in findings for entry in finding.home} == {HOME}


def test_an_id_stays_when_more_is_learned_of_the_same_stray() -> None:
    early = only(findings_of(home(0), home(5, address="203.0.113.66"), ranges=None))
    late = only(
        findings_of(issuance_record(), home(0), home(5, address="203.0.113.66"), home(9, address="203.0.113.66"))
    )
    assert early.id == late.id
    assert early.type != late.type


def test_ids_tell_networks_and_sessions_apart() -> None:
    strays = [home(5, address="203.0.113.66"), home(5, address="203.0.113.67")]
    other = [home(0, instance=OTHER_INSTANCE), home(5, instance=OTHER_INSTANCE, address="203.0.113.66")]
    assert len({finding.id for finding in findings_of(home(0), *strays, *other)}) == 3


def test_the_worst_finding_comes_first() -> None:
    low = home(1, address="198.18.7.7")
    high = home(9, address="203.0.113.66")
    found = findings_of(home(0), low, high, *resident("198.18.7.7", OWN))
    assert [finding.severity for finding in found] == [Severity.HIGH, Severity.LOW]


def test_events_are_in_order_of_time_and_tell_their_errors() -> None:
    records = [home(7, address="203.0.113.66", error="AccessDenied"), home(5, address="203.0.113.66")]
    events = only(findings_of(home(0), *records)).events
    assert [(event.time, event.error) for event in events] == [
        ("2026-05-04T10:05:00Z", None),
        ("2026-05-04T10:07:00Z", "AccessDenied"),
    ]


def test_a_thief_with_two_keys_does_not_own_his_address_by_the_other_theft() -> None:
    endpoint = {"address": "10.0.0.5", "endpoint": "vpce-0aaaabbbbccccdddd", "endpoint_owner": OWN}
    other = {"instance": OTHER_INSTANCE, "address": "198.18.0.11"}
    records = [home(0, **endpoint), home(20, address="198.19.5.5"), home(0, **other)]
    strays = findings_of(*records, home(30, **{**other, "address": "198.19.5.5"}))
    assert [(finding.severity, finding.stray.account) for finding in strays] == [(Severity.HIGH, None)] * 2


def test_an_address_outside_aws_is_nobodys() -> None:
    finding = only(findings_of(home(0), home(5, address="203.0.113.7"), *resident("203.0.113.7", OWN)))
    assert (finding.stray.account, finding.stray.affiliated) == (None, None)


def test_an_allocation_made_by_a_role_counts() -> None:
    given = allocation_record(account=AFFILIATED, address="198.18.7.7", time="2026-05-04T08:00:00Z")
    role = f"arn:aws:sts::{AFFILIATED}:assumed-role/Admin/bob"
    given["userIdentity"] = {"type": "AssumedRole", "arn": role, "accessKeyId": "ASIAEXAMPLEKEY000009"}
    earlier = use_record(instance="bob", role="Admin", account=AFFILIATED, delivery=None, time="2026-05-04T07:00:00Z")
    earlier["userIdentity"] = given["userIdentity"]
    finding = only(findings_of(earlier, given, home(0), home(5, address="198.18.7.7")))
    assert (finding.severity, finding.stray.account) == (Severity.MEDIUM, AFFILIATED)


def test_a_session_without_its_identitys_type_is_judged_all_the_same() -> None:
    stray = home(5, address="203.0.113.66")
    del stray["userIdentity"]["type"]
    assert findings_of(home(0), stray)


def test_of_two_events_with_one_id_the_earlier_is_shown() -> None:
    twins = [home(m, address="203.0.113.66", event_id="X", sharedEventID=f"{m}") for m in (5, 6)]
    for order in (twins, twins[::-1]):
        (event,) = only(findings_of(home(0), *order)).events
        assert event.time == "2026-05-04T10:05:00Z"


def test_a_key_that_fell_out_of_the_bound_is_not_said_to_be_unissued() -> None:
    keys = [f"ASIAEXAMPLE{n:09d}" for n in range(1_400)]
    issued = [issuance_record(time="2026-05-04T09:59:00Z", key=key) for key in keys]
    for key in keys[::100]:
        finding = only(findings_of(*issued, home(0, key=key), home(5, address="203.0.113.66", key=key)))
        assert "issuance-unseen" not in reasons(finding)
