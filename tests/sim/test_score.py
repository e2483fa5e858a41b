"""The score: what counts as found, what as a false alarm, and that worlds add up."""

from dataclasses import astuple
from typing import Any

import pytest

from straykey.sim.score import AGENT_TYPE, MOVE_TYPE, NAME_TYPE, QUIET, Claim, Outcome, Score, score
from straykey.sim.truth import Change, Theft

OUTSIDE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
INSIDE = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS"
VICTIM, BYSTANDER, MADE = "arn:victim", "arn:bystander", "arn:made"
THIEF, HOME = "203.0.113.66", "198.18.0.10"


def theft(**changes: Any) -> Theft:
    facts: dict[str, Any] = {
        "kind": "outside-aws",
        "session_arn": VICTIM,
        "account": "111122223333",
        "instance_id": "i-0123456789abcdef0",
        "access_keys": ("ASIAEXAMPLESTOLEN001",),
        "address": THIEF,
        "vpc_endpoint": None,
        "vpc_endpoint_account": None,
        "expected_type": OUTSIDE,
        "expected_severity": "HIGH",
        "first_seen": "2026-05-04T10:05:00Z",
        "last_seen": "2026-05-04T10:05:00Z",
        "event_ids": ("00000000-0000-4000-8000-000000000001",),
    }
    return Theft(**(facts | changes))


def change(kind: str = "nat-pool", *arns: str, addresses: tuple[str, ...] = ()) -> Change:
    return Change(kind, arns or (BYSTANDER,), addresses, "2026-05-04T10:05:00Z")


def claim(arn: str = VICTIM, address: str = THIEF, **more: Any) -> Claim:
    return Claim(arn, address, **({"type": OUTSIDE, "severity": "HIGH"} | more))


def scored(*claims: Claim, thefts: tuple[Theft, ...] = (), changes: tuple[Change, ...] = ()) -> Score:
    return score(thefts, changes, (VICTIM, BYSTANDER), claims)


def outcome(*claims: Claim, **facts: Any) -> Outcome:
    """Of one theft."""
    (result,) = scored(*claims, thefts=(theft(**facts),)).outcomes.values()
    return result


def test_a_theft_is_found_by_its_session_and_address() -> None:
    assert outcome(claim()) == Outcome(stolen=1, found=1, type_right=1, severity_right=1)


@pytest.mark.parametrize("wrong", [claim(address=HOME), claim(BYSTANDER)], ids=["address", "session"])
def test_another_session_or_address_finds_nothing(wrong: Claim) -> None:
    assert outcome(wrong).found == 0


def test_an_address_is_the_same_however_it_is_written() -> None:
    assert outcome(claim(address="2001:db8:0::66"), address="2001:DB8::66").found == 1


def test_a_wrong_type_and_a_wrong_severity_are_counted_apart() -> None:
    assert outcome(claim(type=INSIDE)) == Outcome(stolen=1, found=1, severity_right=1)
    assert outcome(claim(severity="LOW")) == Outcome(stolen=1, found=1, type_right=1)


def test_a_detector_without_types_may_find_a_theft() -> None:
    assert outcome(claim(type="", severity="")) == Outcome(stolen=1, found=1)


def test_a_foreign_agent_at_home_is_found_by_type_not_by_address() -> None:
    facts = {"expected_type": AGENT_TYPE, "expected_severity": "MEDIUM", "address": HOME, "user_agent": "curl/8.5.0"}
    right = claim(address="", type=AGENT_TYPE, severity="MEDIUM")
    assert outcome(right, **facts) == Outcome(stolen=1, found=1, type_right=1, severity_right=1)
    assert outcome(claim(address=HOME), **facts) == Outcome(stolen=1, blamed=1)


def test_a_claim_that_names_other_agents_is_not_about_this_one() -> None:
    facts = {"expected_type": AGENT_TYPE, "address": HOME, "user_agent": "curl/8.5.0"}
    assert outcome(claim(type=AGENT_TYPE, user_agents=("[curl/8.5.0]",)), **facts).found == 1
    assert outcome(claim(type=AGENT_TYPE, user_agents=("Wget/1.21",)), **facts).found == 0


@pytest.mark.parametrize("right", [claim(type=NAME_TYPE, address=""), claim()], ids=["type", "address"])
def test_a_spoofed_name_is_found_by_type_or_address(right: Claim) -> None:
    assert outcome(right, expected_type=NAME_TYPE).found == 1


def test_pivots_are_right_when_every_key_made_is_named() -> None:
    made = ("ASIAEXAMPLEMADE00001", "AKIAEXAMPLEMADE00002")
    assert outcome(claim(keys=("ASIAEXAMPLESTOLEN001", *made)), made_keys=made).pivots_right == 1
    assert outcome(claim(keys=made[:1]), made_keys=made) == Outcome(1, 1, 1, 1, pivots=1)


def test_the_use_of_a_key_that_was_made_belongs_to_the_theft_but_does_not_find_it() -> None:
    made = ("ASIAEXAMPLEMADE00001",)
    result = scored(claim(MADE, "203.0.113.67", keys=made), thefts=(theft(made_keys=made),))
    assert result == Score(
        outcomes={("outside-aws", ""): Outcome(stolen=1, pivots=1)}, innocent=1, touched=result.touched
    )


def test_home_is_turned_right_when_the_thief_alone_is_accused() -> None:
    assert outcome(claim(), is_turned=True).turned_right == 1
    assert outcome(claim(), claim(address=HOME), is_turned=True) == Outcome(1, 1, 1, 1, turned=1, blamed=1)
    assert outcome(claim(address=HOME), is_turned=True) == Outcome(stolen=1, turned=1, blamed=1)


def test_an_excluded_theft_has_a_row_apart_and_is_no_false_alarm() -> None:
    result = scored(claim(), thefts=(theft(excluded="behind the same NAT"),))
    assert list(result.outcomes) == [("outside-aws", "behind the same NAT")]
    assert (result.accused, +result.false_alarms) == (0, {})


def test_a_claim_against_an_innocent_session_is_a_false_alarm() -> None:
    result = scored(claim(BYSTANDER), thefts=(theft(),))
    assert (result.false_alarms, result.innocent, result.accused) == ({QUIET: 1}, 1, 1)


def test_a_false_alarm_is_put_down_to_the_change_that_touched_the_session() -> None:
    assert scored(claim(BYSTANDER), changes=(change("nat-pool"),)).false_alarms == {"nat-pool": 1}


def test_of_two_changes_the_one_that_brought_the_address_is_to_blame() -> None:
    changes = change("stop-start"), change("nat-pool", addresses=(THIEF,))
    assert scored(claim(BYSTANDER), changes=changes).false_alarms == {"nat-pool": 1}


def test_a_false_alarm_in_a_robbed_session_is_counted_with_its_theft() -> None:
    result = scored(claim(address=HOME), thefts=(theft(),))
    assert (result.outcomes["outside-aws", ""].blamed, +result.false_alarms) == (1, {})


def test_what_a_change_brought_is_its_false_alarm_in_a_robbed_session_too() -> None:
    result = scored(claim(address=HOME), thefts=(theft(),), changes=(change("nat-pool", VICTIM, addresses=(HOME,)),))
    assert (result.outcomes["outside-aws", ""].blamed, result.false_alarms) == (0, {"nat-pool": 1})


def test_the_same_false_alarm_through_two_endpoints_counts_once() -> None:
    result = scored(claim(BYSTANDER), claim(BYSTANDER), claim(BYSTANDER, HOME))
    assert (result.false_alarms, result.accused) == ({QUIET: 2}, 1)


def test_informational_claims_are_neither_finds_nor_alarms() -> None:
    note = claim(type="Policy:EC2/InstanceMetadata.V1Delivery", severity="INFORMATIONAL")
    result = scored(note, thefts=(theft(),))
    assert result.outcomes["outside-aws", ""] == Outcome(stolen=1)
    assert result.notices == {"Policy:EC2/InstanceMetadata.V1Delivery": 1}


@pytest.mark.parametrize(("times", "told"), [(0, 0), (1, 1), (2, 0)])
def test_a_move_is_told_once_for_the_fleet(times: int, told: int) -> None:
    move = change("egress-moved", BYSTANDER, VICTIM, addresses=(HOME,))
    notes = [claim(BYSTANDER, HOME, type=MOVE_TYPE, severity="INFORMATIONAL")] * times
    result = scored(*notes, changes=(move,))
    assert (result.moves, result.moves_told) == (1, told)


def test_sessions_that_nothing_touched_are_quiet() -> None:
    assert scored(changes=(change("nat-pool", BYSTANDER),)).touched == {"nat-pool": 1, QUIET: 1}


def test_scores_add_up_in_any_order() -> None:
    worlds = [
        scored(claim(), claim(BYSTANDER), thefts=(theft(), theft(kind="many-keys", session_arn=MADE))),
        scored(claim(BYSTANDER), changes=(change("egress-moved"),)),
        Score(),
    ]
    one = sum(worlds, Score())
    other = sum(reversed(worlds), Score())
    assert one == other
    assert one.outcomes["outside-aws", ""] == Outcome(1, 1, 1, 1)
    assert (one.innocent, one.accused, one.moves) == (3, 2, 1)
    assert len(astuple(one)) == len(astuple(Score()))
