"""What other instances tell about an address: their home explains it, what they merely touch does not."""

from typing import Any

import pytest

from straykey.core.finding import Finding, FindingType, Severity
from tests.records import RawRecord, allocation_record, use_record
from tests.seen import findings_of, verdicts_of

EGRESS = "198.18.0.10"
SECOND = "198.18.0.20"
THIEF = "198.18.7.7"
OUTSIDE = "203.0.113.66"
OFFICE = "192.0.2.10"
OWN = "111122223333"
HUB = "444455556666"
VPCE = "vpce-0aaaabbbbccccdddd"
VICTIM = "i-0123456789abcdef0"
STRAY = ("stray", "")
SHARED = ("home", "shared-egress")
MOVED = ("home", "egress-moved")


def name(number: int) -> str:
    return f"i-{number:017x}"


def call(instance: str, address: str, clock: str, **changes: Any) -> RawRecord:
    return use_record(instance=instance, address=address, time=f"2026-05-04T{clock}:00Z", **changes)


def day(instance: str, address: str, hours: range = range(8, 18), **changes: Any) -> list[RawRecord]:
    """A call every hour."""
    return [call(instance, address, f"{hour:02d}:00", **changes) for hour in hours]


def fleet(address: str, numbers: range = range(1, 4), **changes: Any) -> list[RawRecord]:
    """Instances that live at one address all day."""
    return [record for number in numbers for record in day(name(number), address, **changes)]


def own_homes(numbers: range) -> list[RawRecord]:
    """Instances each with an address of its own all day."""
    return [record for number in numbers for record in day(name(number), f"198.18.1.{number}")]


def standing(*records: RawRecord, address: str, instance: str = VICTIM, **changes: Any) -> tuple[str, str]:
    verdict = verdicts_of(*records, instance=instance, **changes)[address]
    return verdict.standing.value, verdict.code


def thefts(findings: list[Finding]) -> set[tuple[str | None, str | None]]:
    """Of every finding above information: whose key, and from where."""
    return {
        (one.session.instance_id, one.stray.address) for one in findings if one.severity is not Severity.INFORMATIONAL
    }


def test_an_address_where_two_other_instances_live_is_home() -> None:
    others = fleet(SECOND, range(1, 3))
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"), *others, address=SECOND) == SHARED


def test_an_address_where_one_other_instance_lives_is_stray() -> None:
    others = fleet(SECOND, range(1, 2))
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"), *others, address=SECOND) == STRAY


def test_an_address_where_one_other_lives_that_also_uses_this_home_is_home() -> None:
    other = [*fleet(SECOND, range(1, 2)), *day(name(1), EGRESS, range(9, 17))]
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"), *other, address=SECOND) == SHARED


def test_one_other_that_touched_this_home_once_shares_no_pool_with_it() -> None:
    other = [*fleet(SECOND, range(1, 2)), call(name(1), EGRESS, "12:40")]
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"), *other, address=SECOND) == STRAY


def test_two_sessions_of_one_other_instance_are_one_other() -> None:
    roles = [*fleet(SECOND, range(1, 2)), *fleet(SECOND, range(1, 2), role="other-role")]
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"), *roles, address=SECOND) == STRAY


def test_another_session_of_the_instance_itself_is_no_other() -> None:
    others = [*fleet(SECOND, range(1, 2)), *day(VICTIM, SECOND, role="other-role")]
    stolen = [*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30")]
    assert {one.session.role for one in findings_of(*stolen, *others)} == {"web-role"}


def test_another_session_of_the_instance_itself_makes_no_pool() -> None:
    both = [*day(VICTIM, SECOND, role="other-role"), *day(VICTIM, EGRESS, range(9, 17), role="other-role")]
    stolen = [*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30")]
    assert "web-role" in {one.session.role for one in findings_of(*stolen, *both) if one.stray.address == SECOND}


@pytest.mark.parametrize("theirs", [HUB, "999988887777"])
def test_where_only_another_accounts_instances_live_is_stray(theirs: str) -> None:
    others = fleet(SECOND, range(1, 5), account=theirs)
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"), *others, address=SECOND) == STRAY


@pytest.mark.parametrize("address", [THIEF, OUTSIDE], ids=["in AWS", "outside AWS"])
def test_one_thief_with_ten_stolen_keys_is_visible_on_every_one(address: str) -> None:
    numbers = range(1, 11)
    stolen = [call(name(number), address, f"12:{number:02d}") for number in numbers]
    found = thefts(findings_of(*own_homes(numbers), *stolen))
    assert found == {(name(number), address) for number in numbers}


@pytest.mark.parametrize("address", [THIEF, OUTSIDE], ids=["in AWS", "outside AWS"])
def test_one_thief_with_the_keys_of_ten_that_share_a_home_is_visible_on_every_one(address: str) -> None:
    numbers = range(1, 11)
    stolen = [call(name(number), address, f"12:{number:02d}") for number in numbers]
    found = thefts(findings_of(*fleet(EGRESS, numbers), *stolen))
    assert found == {(name(number), address) for number in numbers}


def test_a_thief_who_stays_all_day_with_ten_stolen_keys_is_visible_on_every_one() -> None:
    numbers = range(1, 11)
    stolen = [record for number in numbers for record in day(name(number), OUTSIDE, range(9, 18))]
    found = thefts(findings_of(*own_homes(numbers), *stolen))
    assert found == {(name(number), OUTSIDE) for number in numbers}


def last_calls(address: str) -> list[Finding]:
    """With each of ten keys of a fleet one call from `address`, and nothing after it."""
    stolen = [call(name(number), address, f"17:{number:02d}") for number in range(1, 11)]
    return findings_of(*fleet(EGRESS, range(1, 11)), *stolen)


def test_a_thief_whose_calls_with_ten_keys_are_the_last_in_the_logs_is_visible_on_every_one() -> None:
    assert thefts(last_calls(OUTSIDE)) == {(name(number), OUTSIDE) for number in range(1, 11)}


def test_in_the_fleets_own_region_ten_last_calls_are_told_as_a_move_of_all_ten() -> None:
    """Nothing tells it from a new NAT gateway until somebody goes back."""
    (moved,) = (one for one in last_calls(THIEF) if one.type is FindingType.EGRESS_MOVED)
    assert len(moved.sessions) == 10


def test_what_three_others_merely_touch_explains_nothing() -> None:
    touched = [call(name(number), THIEF, "12:00") for number in range(1, 4)]
    assert (
        standing(*day(VICTIM, EGRESS), call(VICTIM, THIEF, "12:30"), *fleet(SECOND), *touched, address=THIEF) == STRAY
    )


@pytest.mark.parametrize("hour", [7, 12], ids=["before", "in between"])
def test_keys_of_instances_that_never_call_themselves_make_no_home_for_the_thief_outside_aws(hour: int) -> None:
    quiet = [call(name(number), OUTSIDE, f"{hour:02d}:{number:02d}") for number in range(1, 4)]
    assert standing(*day(VICTIM, EGRESS), call(VICTIM, OUTSIDE, "12:30"), *quiet, address=OUTSIDE) == STRAY


def moved(numbers: range, until: int = 12, to: str = SECOND) -> list[RawRecord]:
    """Instances that live at the egress, and from some hour on elsewhere."""
    leaving = [day(name(number), EGRESS, range(8, until)) for number in numbers]
    arriving = [day(name(number), to, range(until, 18)) for number in numbers]
    return [record for records in (*leaving, *arriving) for record in records]


def test_a_fleet_of_three_that_left_one_home_for_another_moved() -> None:
    records = moved(range(1, 4))
    assert {standing(*records, address=SECOND, instance=name(number)) for number in range(1, 4)} == {MOVED}


def test_a_move_is_one_finding_for_information_and_names_everyone() -> None:
    (finding,) = findings_of(*moved(range(1, 6)))
    assert (finding.type, finding.severity) == (FindingType.EGRESS_MOVED, Severity.INFORMATIONAL)
    assert [arn.rpartition("/")[2] for arn in finding.sessions] == [name(number) for number in range(1, 6)]
    assert finding.stray.address == SECOND


def test_a_fleet_that_moved_out_of_aws_moved() -> None:
    records = moved(range(1, 4), to=OFFICE)
    assert standing(*records, address=OFFICE, instance=name(1)) == MOVED


def test_two_that_left_are_too_few_for_a_move() -> None:
    found = thefts(findings_of(*moved(range(1, 3))))
    assert found == {(name(1), SECOND), (name(2), SECOND)}


def test_three_that_left_three_different_homes_made_no_move() -> None:
    leaving = [record for number in range(1, 4) for record in day(name(number), f"198.18.1.{number}", range(8, 12))]
    arriving = [call(name(number), THIEF, "12:30") for number in range(1, 4)]
    assert len(thefts(findings_of(*leaving, *arriving))) == 3


def test_three_sessions_of_one_instance_are_too_few_for_a_move() -> None:
    roles = ("web-role", "app-role", "job-role")
    records = [
        record
        for role in roles
        for record in (*day(VICTIM, EGRESS, range(8, 12), role=role), call(VICTIM, THIEF, "12:30", role=role))
    ]
    assert len([one for one in findings_of(*records) if one.stray.address == THIEF]) == 3


@pytest.mark.parametrize("many", [3, 5])
def test_where_one_goes_back_nobody_moved(many: int) -> None:
    numbers = range(1, many + 1)
    found = thefts(findings_of(*moved(numbers), call(name(2), EGRESS, "17:30")))
    assert found == {(name(number), SECOND) for number in numbers}


def test_one_that_stayed_behind_keeps_no_others_from_moving() -> None:
    records = [*moved(range(1, 4)), *day(name(9), EGRESS)]
    assert thefts(findings_of(*records)) == set()


def test_one_that_came_to_the_new_home_late_is_explained_by_those_who_moved_before() -> None:
    late = [*day(name(4), EGRESS, range(8, 14)), *day(name(4), SECOND, range(14, 18))]
    assert thefts(findings_of(*moved(range(1, 4)), *late)) == set()


@pytest.mark.parametrize("clock", ["11:30", "12:30", "17:30"], ids=["just before", "after", "at the end"])
@pytest.mark.parametrize("address", [THIEF, OUTSIDE], ids=["in AWS", "outside AWS"])
def test_a_thief_inside_a_move_is_found(address: str, clock: str) -> None:
    found = thefts(findings_of(*moved(range(1, 5)), call(name(2), address, clock)))
    assert found == {(name(2), address)}


@pytest.mark.parametrize("clock", ["11:30", "14:30"], ids=["just before", "after"])
def test_a_thief_inside_a_move_is_found_with_three_stolen_keys(clock: str) -> None:
    stolen = [call(name(number), OUTSIDE, clock) for number in range(1, 4)]
    found = thefts(findings_of(*moved(range(1, 5)), *stolen))
    assert found == {(name(number), OUTSIDE) for number in range(1, 4)}


def test_a_move_does_not_explain_an_address_to_which_others_of_other_homes_came() -> None:
    other = [*day(name(8), "198.18.1.8", range(8, 18)), call(name(8), SECOND, "14:30")]
    found = thefts(findings_of(*moved(range(1, 3)), *other))
    assert (name(8), SECOND) in found


HUB_EGRESS = ("198.18.0.81", "198.18.0.82")


def behind_endpoints(numbers: range) -> list[RawRecord]:
    """What instances call through an endpoint of their account, from early on."""
    private = {"endpoint": VPCE, "endpoint_owner": OWN}
    return [record for number in numbers for record in day(name(number), f"10.0.0.{number}", range(7, 18), **private)]


def central(numbers: range) -> list[RawRecord]:
    """Instances behind two gateways of a hub account, which take turns."""
    records = [
        allocation_record(account=HUB, address=address, time="2026-05-01T09:00:00Z", event_id=address)
        for address in HUB_EGRESS
    ]
    for number in numbers:
        records += day(name(number), HUB_EGRESS[number % 2], range(8, 18))
        records += [call(name(number), HUB_EGRESS[1 - number % 2], f"{hour:02d}:30") for hour in range(9, 17, 2)]
    return records


BESIDE_ENDPOINTS = behind_endpoints(range(1, 7))
WITHOUT_AND_WITH = pytest.mark.parametrize(
    "beside", [[], BESIDE_ENDPOINTS], ids=["without endpoints", "with endpoints"]
)


@WITHOUT_AND_WITH
def test_a_fleet_behind_the_egress_of_another_account_of_ours_is_at_home(beside: list[RawRecord]) -> None:
    assert findings_of(*beside, *central(range(1, 7))) == []


@WITHOUT_AND_WITH
def test_a_fleet_behind_the_one_gateway_of_another_account_of_ours_is_at_home(beside: list[RawRecord]) -> None:
    given = allocation_record(account=HUB, address=EGRESS)
    assert findings_of(given, *beside, *fleet(EGRESS, range(1, 7))) == []


@WITHOUT_AND_WITH
def test_a_thief_is_found_beside_the_egress_of_another_account_of_ours(beside: list[RawRecord]) -> None:
    records = [*beside, *central(range(1, 7)), call(name(2), THIEF, "12:40")]
    assert thefts(findings_of(*records)) == {(name(2), THIEF)}


def test_the_egress_of_another_account_of_ours_is_no_home_where_nobody_of_this_account_lives() -> None:
    given = allocation_record(account=HUB, address=SECOND)
    hub = fleet(SECOND, range(1, 4), account=HUB)
    (finding,) = findings_of(given, *hub, *day(VICTIM, EGRESS), call(VICTIM, SECOND, "12:30"))
    assert (finding.session.instance_id, finding.severity) == (VICTIM, Severity.MEDIUM)


def test_two_halves_of_a_fleet_that_each_visit_the_others_home_once_are_at_home_there() -> None:
    homes = [*fleet(EGRESS, range(1, 4)), *fleet(SECOND, range(4, 7))]
    visits = [call(name(number), SECOND if number < 4 else EGRESS, "12:30") for number in range(1, 7)]
    assert thefts(findings_of(*homes, *visits)) == set()


OFFICE_WITHOUT_AND_WITH = pytest.mark.parametrize(
    "beside", [[], behind_endpoints(range(1, 6))], ids=["without endpoints", "with endpoints"]
)


@OFFICE_WITHOUT_AND_WITH
def test_a_fleet_that_goes_out_through_an_office_is_at_home(beside: list[RawRecord]) -> None:
    assert findings_of(*beside, *fleet(OFFICE, range(1, 6))) == []


@pytest.mark.parametrize("address", [OUTSIDE, THIEF], ids=["outside AWS", "in AWS"])
@OFFICE_WITHOUT_AND_WITH
def test_a_thief_is_found_beside_an_office(address: str, beside: list[RawRecord]) -> None:
    records = [*beside, *fleet(OFFICE, range(1, 6)), call(name(2), address, "12:30")]
    assert thefts(findings_of(*records)) == {(name(2), address)}


@pytest.mark.parametrize("address", [OUTSIDE, THIEF], ids=["outside AWS", "in AWS"])
@OFFICE_WITHOUT_AND_WITH
def test_a_thief_with_every_key_of_a_fleet_is_found_beside_its_office(address: str, beside: list[RawRecord]) -> None:
    stolen = [call(name(number), address, f"12:{number:02d}") for number in range(1, 6)]
    found = thefts(findings_of(*beside, *fleet(OFFICE, range(1, 6)), *stolen))
    assert found == {(name(number), address) for number in range(1, 6)}


@pytest.mark.parametrize("beside", [[], day(VICTIM, "10.0.0.9", range(7, 18), endpoint=VPCE, endpoint_owner=OWN)])
def test_one_instance_alone_outside_aws_makes_no_home_beside_one_in_aws(beside: list[RawRecord]) -> None:
    records = [*beside, *day(VICTIM, EGRESS), call(VICTIM, OFFICE, "12:30")]
    assert standing(*records, address=OFFICE) == STRAY


def test_an_instance_that_joins_a_fleet_behind_an_office_is_at_home_there() -> None:
    joined = [*day(VICTIM, EGRESS), call(VICTIM, OFFICE, "12:30")]
    assert standing(*joined, *fleet(OFFICE), address=OFFICE) == SHARED
