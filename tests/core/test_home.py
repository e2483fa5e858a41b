"""Each explanation, for the case it covers and for the nearest theft that looks like it."""

from typing import Any

import pytest

from straykey.core.explanation import EXPLANATIONS
from straykey.core.home import Standing, Verdict
from straykey.core.settings import Settings
from tests.records import RawRecord, allocation_record, issuance_record, use_record
from tests.seen import trusting, verdicts_in_order, verdicts_of

HOME = "198.18.0.10"
OWN = "111122223333"
THIEF = "999988887777"
OTHER_INSTANCE = "i-0fedcba9876543210"
VPCE = "vpce-0aaaabbbbccccdddd"
OTHER_VPCE = "vpce-0eeeeffff00001111"


def home(minute: int = 0, **changes: Any) -> RawRecord:
    return use_record(**{"address": HOME, "time": f"2026-05-04T10:{minute:02d}:00Z", **changes})


def through(address: str, endpoint: str, owner: str | None, minute: int = 30, **changes: Any) -> RawRecord:
    changes.setdefault("time", f"2026-05-04T10:{minute:02d}:00Z")
    return use_record(address=address, endpoint=endpoint, endpoint_owner=owner, **changes)


def standing(verdicts: dict[str, Verdict], address: str) -> tuple[str, str]:
    verdict = verdicts[address]
    return verdict.standing.value, verdict.code


def test_the_network_used_first_is_home() -> None:
    verdicts = verdicts_of(home(5, address="203.0.113.66"), home(0))
    assert standing(verdicts, HOME) == ("home", "first-use")
    assert standing(verdicts, "203.0.113.66") == ("stray", "")


def test_of_two_networks_used_in_one_second_the_choice_does_not_depend_on_order() -> None:
    one, other = home(0, event_id="a"), home(0, address="198.18.0.99", event_id="b")
    assert verdicts_of(one, other) == verdicts_of(other, one)


def test_a_service_that_acts_for_the_session_is_explained() -> None:
    verdicts = verdicts_of(home(), home(1, address="kms.amazonaws.com"), home(2, address="AWS Internal/3"))
    assert standing(verdicts, "kms.amazonaws.com") == ("explained", "service-call")
    assert standing(verdicts, "AWS Internal/3") == ("explained", "service-call")


def test_a_service_call_that_comes_first_makes_no_home() -> None:
    verdicts = verdicts_of(home(0, address="s3.amazonaws.com"), home(1))
    assert standing(verdicts, HOME) == ("home", "first-use")


def test_an_address_that_cannot_be_read_is_neither_home_nor_stray() -> None:
    verdicts = verdicts_of(home(0, address="053.1.1.1"), home(1))
    assert verdicts["053.1.1.1"].standing is Standing.UNREADABLE
    assert standing(verdicts, HOME) == ("home", "first-use")


def test_a_trusted_network_is_home_whenever_it_comes() -> None:
    verdicts = verdicts_of(home(0), home(1, address="203.0.113.7"), settings=trusting("203.0.113.0/28"))
    assert standing(verdicts, "203.0.113.7") == ("home", "trusted-network")
    assert standing(verdicts, HOME) == ("home", "first-use")


def test_who_trusts_the_instances_own_egress_still_sees_the_thief() -> None:
    verdicts = verdicts_of(home(0), home(1, address="203.0.113.66"), settings=trusting("198.18.0.0/24"))
    assert standing(verdicts, HOME) == ("home", "trusted-network")
    assert standing(verdicts, "203.0.113.66") == ("stray", "")


def test_a_trusted_private_network_does_not_excuse_a_strangers_endpoint() -> None:
    verdicts = verdicts_of(home(0), through("10.9.9.9", OTHER_VPCE, THIEF), settings=trusting("10.0.0.0/8"))
    assert standing(verdicts, "10.9.9.9") == ("stray", "")


def test_one_thief_with_two_keys_and_one_rented_endpoint_vouches_for_nobody() -> None:
    at_home = [use_record(instance=OTHER_INSTANCE, address="198.18.0.11", time="2026-05-04T10:00:00Z")]
    thefts = [through("10.9.9.9", OTHER_VPCE, None), through("10.9.9.9", OTHER_VPCE, None, instance=OTHER_INSTANCE)]
    assert standing(verdicts_of(home(0), *at_home, *thefts), "10.9.9.9") == ("stray", "")


def test_an_endpoint_used_now_and_then_from_several_private_addresses_is_the_accounts_own() -> None:
    fleet = [f"i-{n:017x}" for n in range(4)]
    days = [
        use_record(instance=one, address=HOME, time=f"2026-05-04T{hour:02d}:00:00Z")
        for one in fleet
        for hour in range(9)
    ]
    nights = [
        through(f"10.0.0.{n + 1}", VPCE, None, instance=one, time="2026-05-04T02:30:00Z") for n, one in enumerate(fleet)
    ]
    verdicts = verdicts_of(*days, *nights, instance=fleet[0])
    assert standing(verdicts, "10.0.0.1") == ("home", "endpoint-pair")


def test_a_session_that_knows_but_endpoints_of_a_hub_account_is_at_home_there() -> None:
    verdicts = verdicts_in_order(through("10.0.0.5", VPCE, THIEF, 0), through("10.0.0.5", OTHER_VPCE, THIEF, 5))
    assert verdicts[0].code == "first-use"


def test_a_private_address_seen_before_its_endpoint_is_no_stray() -> None:
    private = use_record(address="10.0.0.5", time="2026-05-04T10:05:00Z")
    verdicts = verdicts_in_order(home(0), private, through("10.0.0.5", VPCE, OWN, 10))
    assert {verdict.standing for verdict in verdicts} == {Standing.HOME}


def test_an_endpoint_shows_an_ipv6_address_of_its_own() -> None:
    both = [through("10.0.0.5", VPCE, OWN, 0), through("2001:db8:1000::5", VPCE, OWN, 5)]
    assert {verdict.standing for verdict in verdicts_in_order(*both)} == {Standing.HOME}


def test_one_endpoint_is_one_network_whether_its_owner_is_named_or_not() -> None:
    named, unnamed = through("10.9.9.9", OTHER_VPCE, THIEF, 5), through("10.9.9.9", OTHER_VPCE, None, 6)
    for order in ((named, unnamed), (unnamed, named)):
        (stray,) = (one for one in verdicts_in_order(home(0), *order) if one.standing is Standing.STRAY)
        assert stray.sighting.network.endpoint_owner == THIEF


def test_the_neighbour_of_a_trusted_network_is_stray() -> None:
    verdicts = verdicts_of(home(), home(1, address="203.0.113.17"), settings=trusting("203.0.113.0/28"))
    assert standing(verdicts, "203.0.113.17") == ("stray", "")


def test_a_trusted_ipv4_network_says_nothing_about_ipv6() -> None:
    verdicts = verdicts_of(home(), home(1, address="2001:db8:f000::1"), settings=trusting("203.0.113.0/24"))
    assert standing(verdicts, "2001:db8:f000::1") == ("stray", "")


def test_the_first_private_address_through_an_endpoint_of_its_own_account_is_home() -> None:
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, OWN))
    assert standing(verdicts, "10.0.1.10") == ("home", "endpoint-pair")


def test_an_endpoint_of_a_strangers_account_is_stray_whatever_address_it_shows() -> None:
    """A thief can rent an endpoint and pick the victim's private address; its owner gives him away."""
    verdicts = verdicts_of(home(), through("10.0.1.10", OTHER_VPCE, THIEF))
    assert standing(verdicts, "10.0.1.10") == ("stray", "")


def test_an_endpoint_of_an_affiliated_account_is_home() -> None:
    hub = "444455556666"
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, hub), settings=Settings(accounts=frozenset({hub})))
    assert standing(verdicts, "10.0.1.10") == ("home", "endpoint-pair")


def test_a_second_private_address_is_stray_even_through_our_own_endpoint() -> None:
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, OWN, 10), through("10.0.1.99", VPCE, OWN, 20))
    assert standing(verdicts, "10.0.1.99") == ("stray", "")


def test_several_endpoints_with_one_private_address_are_one_home() -> None:
    records = [home(), through("10.0.1.10", VPCE, OWN, 10), through("10.0.1.10", OTHER_VPCE, OWN, 20)]
    verdicts = verdicts_of(*records)
    assert standing(verdicts, "10.0.1.10") == ("home", "endpoint-pair")
    assert len(verdicts) == 2


def test_an_endpoint_whose_owner_is_not_recorded_is_home_when_another_instance_lives_there() -> None:
    neighbour = through("10.0.1.20", VPCE, None, 1, instance=OTHER_INSTANCE)
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, None), neighbour)
    assert standing(verdicts, "10.0.1.10") == ("home", "endpoint-pair")


def test_an_endpoint_that_nobody_else_uses_and_nobody_is_named_to_own_is_stray() -> None:
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, None))
    assert standing(verdicts, "10.0.1.10") == ("stray", "")


def test_an_endpoint_that_only_instances_of_another_account_use_is_stray() -> None:
    stranger = through("10.0.1.20", VPCE, None, 1, instance=OTHER_INSTANCE, account=THIEF)
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, None), stranger)
    assert standing(verdicts, "10.0.1.10") == ("stray", "")


def test_an_endpoint_that_another_instance_merely_touched_is_stray() -> None:
    """One thief with two stolen keys and one endpoint stays visible on both."""
    busy = [
        use_record(instance=OTHER_INSTANCE, address=HOME, time=f"2026-05-04T{hour:02d}:00:00Z") for hour in range(10)
    ]
    touched = through("10.66.0.1", OTHER_VPCE, None, 31, instance=OTHER_INSTANCE)
    verdicts = verdicts_of(home(), through("10.66.0.1", OTHER_VPCE, None), touched, *busy)
    assert standing(verdicts, "10.66.0.1") == ("stray", "")


def lone(**changes: Any) -> RawRecord:
    """A call of a service that records no owner, through an endpoint nobody else uses, from the home's own address."""
    return through("10.0.1.10", OTHER_VPCE, None, **{"source": "monitoring.amazonaws.com", **changes})


def verdict_on_lone(record: RawRecord) -> list[tuple[str, str]]:
    verdicts = verdicts_in_order(through("10.0.1.10", VPCE, OWN, 0), record)
    return [(verdict.standing.value, verdict.code) for verdict in verdicts]


def test_the_only_endpoint_for_a_service_goes_with_the_home_it_shares_address_key_and_program_with() -> None:
    assert verdict_on_lone(lone()) == [("home", "first-use"), ("home", "endpoint-pair")]


@pytest.mark.parametrize(
    "thief",
    [{"source": "s3.amazonaws.com"}, {"key": "ASIAEXAMPLEKEY000002"}, {"agent": "python-requests/2.31"}],
    ids=["a rival of our endpoint", "another key", "another program"],
)
def test_a_rented_endpoint_with_the_victims_private_address_is_stray(thief: dict[str, Any]) -> None:
    assert verdict_on_lone(lone(**thief)) == [("home", "first-use"), ("stray", "")]


def test_an_endpoint_without_owner_does_not_go_with_a_home_whose_owner_is_unrecorded_too() -> None:
    verdicts = verdicts_in_order(through("10.0.1.10", VPCE, None, 0), lone())
    assert [verdict.standing for verdict in verdicts] == [Standing.HOME, Standing.STRAY]


def test_the_owner_of_an_endpoint_holds_for_records_that_do_not_name_it() -> None:
    named = through("10.0.1.20", VPCE, OWN, 59, instance=OTHER_INSTANCE)
    verdicts = verdicts_of(home(), through("10.0.1.10", VPCE, None), named)
    assert standing(verdicts, "10.0.1.10") == ("home", "endpoint-pair")


def test_a_private_address_without_endpoint_is_stray_beside_a_public_home() -> None:
    assert standing(verdicts_of(home(), home(1, address="10.9.9.9")), "10.9.9.9") == ("stray", "")


def test_a_private_address_without_endpoint_is_home_where_the_endpoint_shows_the_same() -> None:
    private = use_record(address="10.0.1.10", event="GetObject", time="2026-05-04T10:40:00Z", source="x.amazonaws.com")
    verdicts = verdicts_of(through("10.0.1.10", VPCE, OWN), private)
    assert [standing(verdicts, "10.0.1.10")] == [("home", "endpoint-pair")]


def test_a_strangers_endpoint_that_came_first_is_no_home_while_the_session_has_another() -> None:
    verdicts = verdicts_of(through("172.31.0.9", OTHER_VPCE, THIEF, 0), home(5))
    assert standing(verdicts, "172.31.0.9") == ("stray", "")
    assert standing(verdicts, HOME) == ("home", "first-use")


def test_the_first_ipv6_address_in_the_instances_region_is_home() -> None:
    verdicts = verdicts_of(issuance_record(), home(), home(1, address="2001:db8:1000::5"))
    assert standing(verdicts, "2001:db8:1000::5") == ("home", "dual-stack")


@pytest.mark.parametrize(
    ("address", "where"), [("2001:db8:f000::5", "outside AWS"), ("2001:db8:2000::5", "in another region")]
)
def test_the_first_ipv6_address_is_stray(address: str, where: str) -> None:
    assert standing(verdicts_of(issuance_record(), home(), home(1, address=address)), address) == ("stray", ""), where


def test_a_second_ipv6_address_is_stray_though_in_the_same_region() -> None:
    later = home(2, address="2001:db8:1000::66")
    verdicts = verdicts_of(issuance_record(), home(), home(1, address="2001:db8:1000::5"), later)
    assert standing(verdicts, "2001:db8:1000::66") == ("stray", "")


def test_without_ranges_a_second_public_lane_is_stray_because_nothing_vouches_for_it() -> None:
    verdicts = verdicts_of(home(), home(1, address="2001:db8:1000::5"), ranges=None)
    assert standing(verdicts, "2001:db8:1000::5") == ("stray", "")


def test_one_ipv6_address_in_two_spellings_is_one_network() -> None:
    verdicts = verdicts_of(home(0, address="2001:DB8:1000:0::5"), home(1, address="2001:db8:1000::5"))
    assert list(verdicts) == ["2001:db8:1000::5"]


def test_a_public_lane_opens_beside_an_endpoint_home_in_the_instances_region() -> None:
    verdicts = verdicts_of(issuance_record(), through("10.0.1.10", VPCE, OWN, 0), home(5))
    assert standing(verdicts, HOME) == ("home", "first-use")


@pytest.mark.parametrize("address", ["203.0.113.66", "198.19.7.7"])
def test_a_public_address_outside_aws_or_the_region_is_stray_beside_an_endpoint_home(address: str) -> None:
    verdicts = verdicts_of(issuance_record(), through("10.0.1.10", VPCE, OWN, 0), home(5, address=address))
    assert standing(verdicts, address) == ("stray", "")


def test_a_public_address_that_another_account_was_given_opens_no_lane() -> None:
    given = allocation_record(account="444455556666", address=HOME)
    verdicts = verdicts_of(issuance_record(), through("10.0.1.10", VPCE, OWN, 0), home(5), given)
    assert standing(verdicts, HOME) == ("stray", "")


def test_with_require_issuance_a_key_that_was_not_seen_issued_is_not_judged() -> None:
    strict = Settings(require_issuance=True)
    old = home(0, address="203.0.113.5", key="ASIAEXAMPLEOLDKEY001")
    verdicts = verdicts_of(issuance_record(), old, home(1), home(2, address="203.0.113.66"), settings=strict)
    assert list(verdicts) == [HOME, "203.0.113.66"]
    assert standing(verdicts, "203.0.113.66") == ("stray", "")


def test_every_explanation_has_a_code_of_its_own() -> None:
    codes = [explanation.code for explanation in EXPLANATIONS]
    assert len(set(codes)) == len(codes)
