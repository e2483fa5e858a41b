"""What thieves tried and honest fleets do, each as small as it can be told; found by trying, kept so that it stays."""

import random
from typing import Any

import pytest

from straykey.core.finding import Finding, FindingType, Severity
from straykey.formats.finding_json import to_document
from tests import ec2
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import findings_of, verdicts_of

OWN = "111122223333"
STRANGER = "999988887777"
A, B, C = "198.18.0.10", "198.18.0.20", "198.18.0.30"
OTHER_REGION = "198.19.0.66"
OUTSIDE = "203.0.113.66"
OFFICE = "192.0.2.50"
VPCE, RENTED = "vpce-0aaaabbbbccccdddd", "vpce-0bad0bad0bad0bad0"


def name(number: int) -> str:
    return f"i-{number:017x}"


def use(number: int, address: str, *clocks: str, **changes: Any) -> list[RawRecord]:
    return [use_record(instance=name(number), address=address, time=f"2026-05-04T{at}:00Z", **changes) for at in clocks]


def issued(*numbers: int) -> list[RawRecord]:
    return [issuance_record(instance=name(number)) for number in numbers]


def strays(*parts: list[RawRecord]) -> set[tuple[str | None, str | None]]:
    """Which instance strayed where, by every finding above information."""
    found = findings_of(*(record for part in parts for record in part))
    return {(one.session.instance_id, one.stray.address) for one in found if one.severity is not Severity.INFORMATIONAL}


def moved(*parts: list[RawRecord]) -> list[Finding]:
    found = findings_of(*(record for part in parts for record in part))
    return [one for one in found if one.type is FindingType.EGRESS_MOVED]


TWO_OTHERS = [*use(1, A, "10:00", "11:30"), *use(2, A, "10:00", "11:30")]


@pytest.mark.parametrize(
    "victim",
    [
        [*use(0, OTHER_REGION, "10:00"), *use(0, A, "10:05")],
        [*use(0, OTHER_REGION, "10:00", "10:50"), *use(0, A, "10:55", "11:30")],
        [*use(0, OTHER_REGION, "10:00", "10:40"), *use(0, A, "10:05")],
    ],
    ids=["one call each", "for most of the time", "in between"],
)
def test_where_others_live_is_home_though_the_thief_came_first_and_the_victim_calls_seldom(
    victim: list[RawRecord],
) -> None:
    assert strays(issued(0, 1, 2), TWO_OTHERS, victim) == {(name(0), OTHER_REGION)}


def test_a_thief_first_on_a_whole_fleet_does_not_make_its_nat_gateway_a_move() -> None:
    fleet = [one for n in range(4) for one in (*use(n, OTHER_REGION, f"10:0{n}"), *use(n, A, f"10:1{n}", f"11:1{n}"))]
    assert strays(issued(*range(4)), fleet) == {(name(n), OTHER_REGION) for n in range(4)}
    assert moved(issued(*range(4)), fleet) == []


def test_three_stolen_keys_of_a_fleet_that_stays_are_no_move() -> None:
    fleet = [one for n in range(20) for one in use(n, A, "10:00", *(["12:00"] if n > 2 else []))]
    stolen = [one for n in range(3) for one in use(n, OUTSIDE, "10:30")]
    assert strays(issued(*range(20)), fleet, stolen) == {(name(n), OUTSIDE) for n in range(3)}


def test_a_thief_with_three_keys_inside_a_move_is_not_taken_for_it() -> None:
    fleet = [one for n in range(4) for one in (*use(n, A, "10:00", "10:10"), *use(n, B, "10:30", "12:00"))]
    stolen = [one for n in range(3) for one in use(n, OUTSIDE, "10:20", "11:00")]
    assert strays(issued(*range(4)), fleet, stolen) == {(name(n), OUTSIDE) for n in range(3)}
    assert [one.stray.address for one in moved(issued(*range(4)), fleet, stolen)] == [B]


def test_calls_under_way_while_the_route_changes_do_not_undo_a_move() -> None:
    fleet = [one for n in range(5) for one in (*use(n, A, "10:00"), *use(n, B, "10:30", "11:00"))]
    late = use(0, A, "10:31")
    assert strays(issued(*range(5)), fleet, late) == set()


def test_a_global_services_region_is_not_the_instances() -> None:
    first = use(0, OUTSIDE, "10:00")
    own = use(0, A, "10:05", "10:20", awsRegion="us-east-1", source="iam.amazonaws.com", event="ListUsers")
    assert strays(first, own) == {(name(0), OUTSIDE)}


def test_a_rented_endpoint_that_came_first_with_the_victims_address_is_no_home() -> None:
    thief = use(0, "10.0.1.10", "10:00", endpoint=RENTED, endpoint_owner=STRANGER)
    own = use(0, "10.0.1.10", "10:10", "10:20", endpoint=VPCE, endpoint_owner=OWN)
    (finding,) = findings_of(*thief, *own)
    assert (finding.stray.vpc_endpoint, finding.stray.account) == (RENTED, STRANGER)


def test_beside_a_hubs_endpoint_of_an_unknown_account_the_address_outside_aws_is_the_stray() -> None:
    hub = use(0, "10.0.1.10", "10:00", "10:10", "11:00", endpoint=VPCE, endpoint_owner="444455556666")
    hub = [record | {"recipientAccountId": OWN} for record in hub]
    assert strays(hub, use(0, OUTSIDE, "10:30")) == {(name(0), OUTSIDE)}


def test_an_office_that_is_a_fleets_home_is_not_turned_by_one_call_from_aws_with_each_key() -> None:
    fleet = [one for n in range(6) for one in use(n, OFFICE, f"10:0{n}", f"12:4{n}")]
    stolen = [one for n in range(6) for one in use(n, C, f"11:0{n}")]
    assert strays(issued(*range(6)), fleet, stolen) == {(name(n), C) for n in range(6)}


def test_two_silent_instances_do_not_vouch_for_a_thief_outside_aws() -> None:
    victim = [*use(1, A, "10:00", "11:00"), *use(1, OUTSIDE, "10:30")]
    assert strays(issued(1, 7, 8), victim, use(7, OUTSIDE, "10:30"), use(8, OUTSIDE, "10:31")) == {(name(1), OUTSIDE)}


def test_a_program_used_on_two_instances_is_not_the_roles_own() -> None:
    both = [one for n in (0, 1) for one in (*use(n, A, "10:00"), *use(n, A, "10:05", agent="curl/8.5.0"))]
    found = [one.session.instance_id for one in findings_of(*both) if one.type is FindingType.USER_AGENT]
    assert sorted(filter(None, found)) == [name(0), name(1)]


def assumed(account: str) -> RawRecord:
    """Somebody of another account takes a role of ours, under the name his own principal bears."""
    return use_record(
        eventName="AssumeRole",
        source="sts.amazonaws.com",
        userIdentity={"type": "AWSAccount", "principalId": f"AROAEXAMPLE:{name(0)}", "accountId": account},
        requestParameters={"roleArn": f"arn:aws:iam::{OWN}:role/web-role", "roleSessionName": name(0)},
        responseElements={"credentials": {"accessKeyId": "ASIAEXAMPLETAKEN0001"}},
        event_id="taken",
    )


def test_a_strangers_session_of_the_same_name_is_not_that_instance() -> None:
    found = findings_of(*use(0, A, "10:00"), assumed(STRANGER))
    assert [one.type for one in found] == [FindingType.SPOOFED_NAME]


def test_an_instance_may_take_a_role_of_ours_in_its_own_name_across_accounts() -> None:
    theirs = use(0, B, "10:00", account="444455556666")  # its records are read, so it is ours
    assert strays(use(0, A, "10:00"), theirs, [assumed("444455556666")]) == set()


@pytest.mark.parametrize(
    "fleet",
    [
        [*use(0, B, "10:00"), *use(0, A, "10:10"), *use(1, A, "10:00"), *use(1, B, "10:10")],
        [*use(0, B, "10:00"), *use(0, A, "11:00"), *use(1, A, "10:00"), *use(1, B, "11:00")],
        [*use(0, B, "10:00"), *use(0, A, "11:30"), *use(1, A, "10:00", "12:00"), *use(1, B, "11:00")],
        [one for n in range(4) for one in (*use(n, (A, B)[n % 2], "10:00"), *use(n, (B, A)[n % 2], "10:30"))],
    ],
    ids=["minutes apart", "an hour apart", "hours apart", "four instances"],
)
def test_a_nat_pool_is_quiet_however_few_the_calls(fleet: list[RawRecord]) -> None:
    assert strays(issued(*range(4)), fleet) == set()


def test_as_many_visitors_as_residents_do_not_make_a_nat_address_strange() -> None:
    there = [one for n in (1, 2) for one in use(n, A, "10:00", "11:00")]
    visitors = [one for n in (0, 3) for one in (*use(n, B, "10:00", "11:00"), *use(n, A, "10:30"))]
    assert strays(issued(*range(4)), there, visitors) == set()


def at(clock: str) -> str:
    return f"2026-05-04T{clock}:00Z"


UNSEEN = "eipalloc-0unseen"
ENDED: dict[str, list[RawRecord]] = {
    "an association ended by its id": [
        ec2.associate(instance=name(0), allocation=UNSEEN, association="eipassoc-01", time=at("10:15")),
        ec2.disassociate(association="eipassoc-01", time=at("10:17")),
    ],
    "an allocation released": [
        ec2.associate(instance=name(0), allocation=UNSEEN, time=at("10:15")),
        ec2.release(allocation=UNSEEN, time=at("10:17")),
    ],
    "an interface detached": [
        ec2.attach(instance=name(0), attachment="eni-attach-01", time=at("10:11")),
        ec2.detach(attachment="eni-attach-01", time=at("10:12")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("records", ENDED.values(), ids=ENDED)
def test_what_was_taken_away_again_explains_nothing(records: list[RawRecord]) -> None:
    assert strays(issued(0), use(0, A, "10:00"), use(0, B, "10:20"), records) == {(name(0), B)}


def test_a_call_from_elsewhere_does_not_use_up_a_restart() -> None:
    restart = [ec2.stop(instance=name(0), time=at("10:10")), ec2.start(instance=name(0), time=at("10:15"))]  # fmt: skip
    thief = use(0, OTHER_REGION, "10:17")
    assert strays(issued(0), use(0, A, "10:00"), restart, thief, use(0, B, "10:20")) == {(name(0), OTHER_REGION)}


def test_an_end_in_the_last_minutes_of_time_breaks_nothing() -> None:
    late = ec2.terminate(instance=name(0), time="9999-12-31T23:50:00Z")
    assert verdicts_of(*use(0, A, "10:00"), late, instance=name(0))


def test_however_many_share_a_pool_order_changes_nothing() -> None:
    accounts = [OWN, "444455556666", "123456789012", "222233334444"]
    hops = [one for account in accounts for one in (*use(0, B, "10:00", "10:10", account=account, role="hop"),
                                                    *use(0, A, "10:01", account=account, role="hop"))]  # fmt: skip
    pool = [one for n in (0, 1) for one in (*use(n, A, "10:00", "10:20"), *use(n, B, "10:05"))]
    records = [*hops, *pool]
    told = to_document(findings_of(*records), {})
    for seed in range(8):
        shuffled = random.Random(seed).sample(records, len(records))
        assert to_document(findings_of(*shuffled), {}) == told


def made(event: str, number: int, **more: Any) -> RawRecord:
    """Something made from the stray network with the stolen key."""
    answers: dict[str, tuple[RawRecord, RawRecord]] = {
        "CreateUser": (
            {"userName": "backdoor"},
            {"user": {"userName": "backdoor", "arn": f"arn:aws:iam::{OWN}:user/backdoor"}},
        ),
        "AssumeRole": (
            {"roleArn": f"arn:aws:iam::{OWN}:role/second", "roleSessionName": f"s{number}"},
            {"credentials": {"accessKeyId": f"ASIAEXAMPLE{number:09d}"}},
        ),
    }
    request, response = answers[event]
    source = "iam.amazonaws.com" if event == "CreateUser" else "sts.amazonaws.com"
    clock = f"2026-05-04T11:{number // 60 % 60:02d}:{number % 60:02d}Z"
    where: dict[str, Any] = {"instance": name(0), "address": OUTSIDE, "time": clock} | more
    return use_record(**where, event=event, source=source, event_id=f"{event} {number}", requestParameters=request,
                      responseElements=response)  # fmt: skip


def test_a_flood_of_sessions_hides_no_user_the_thief_made() -> None:
    flood = [made("AssumeRole", number) for number in range(900)]
    (found,) = (one for one in findings_of(*use(0, A, "10:00"), *flood, made("CreateUser", 7))
                if one.type is FindingType.OUTSIDE_AWS)  # fmt: skip
    assert f"arn:aws:iam::{OWN}:user/backdoor" in {pivot.made for pivot in found.pivots}
    assert found.pivots_count > len(found.pivots)


def test_a_flood_of_restarts_hides_no_end() -> None:
    clocks = [f"2026-05-04T10:{n // 60:02d}:{n % 60:02d}Z" for n in range(1200)]
    starts = [ec2.start(instance=name(0), before="running", time=clock, event_id=clock) for clock in clocks]
    end = ec2.terminate(instance=name(0), time=at("10:30"))
    found = findings_of(*use(0, A, "10:00", "12:00"), *starts, end)
    assert [one.confidence.value for one in found] == ["confirmed"]


def test_busy_pipelines_hide_no_taken_name() -> None:
    alice: dict[str, Any] = {"userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{OWN}:user/alice"}}
    builds = [made("AssumeRole", number) | alice for number in range(900)]
    taken = made("AssumeRole", 7) | alice | {
        "eventID": "taken",
        "requestParameters": {"roleArn": f"arn:aws:iam::{OWN}:role/second", "roleSessionName": name(0)},
    }  # fmt: skip
    assert FindingType.SPOOFED_NAME in {one.type for one in findings_of(*builds, taken)}


def test_without_ranges_three_stolen_keys_of_a_fleet_that_stays_are_no_move() -> None:
    fleet = [one for n in range(10) for one in use(n, A, "10:00", *(["12:00"] if n > 2 else []))]
    stolen = [one for n in range(3) for one in use(n, OUTSIDE, "10:30")]
    found = findings_of(*fleet, *stolen, ranges=None)
    assert {one.session.instance_id for one in found if one.severity is Severity.HIGH} == {name(n) for n in range(3)}


def test_a_name_taken_by_saml_is_taken() -> None:
    saml = made("AssumeRole", 1) | {
        "eventName": "AssumeRoleWithSAML",
        "userIdentity": {"type": "SAMLUser", "principalId": "corp:mallory", "userName": "mallory"},
        "requestParameters": {"roleArn": f"arn:aws:iam::{OWN}:role/web-role", "roleSessionName": name(0)},
    }
    assert [one.type for one in findings_of(saml)] == [FindingType.SPOOFED_NAME]


def pooled(number: int, first: str, second: str, third: str) -> list[RawRecord]:
    """A morning of one instance that takes turns between three addresses."""
    turns = (first, second, third)
    clocks = [f"{8 + n // 6:02d}:{n % 6}{number}" for n in range(24)]
    return [one for n, clock in enumerate(clocks) for one in use(number, turns[n % 3], clock)]


POOL = [*pooled(0, A, B, C), *pooled(1, B, A, C), *pooled(2, A, B, C), *pooled(3, B, A, C)]


def test_an_address_of_a_pool_that_is_nobodys_first_is_home() -> None:
    assert strays(issued(*range(4)), POOL) == set()


def test_one_key_of_a_pools_instance_used_all_the_time_elsewhere_in_the_region_is_stolen() -> None:
    thief = use(0, "198.18.7.7", *(f"{hour:02d}:33" for hour in range(8, 12)))
    assert strays(issued(*range(4)), POOL, thief) == {(name(0), "198.18.7.7")}
