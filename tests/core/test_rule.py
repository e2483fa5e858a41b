"""What a rule holds for, and for how long."""

import pytest
from msgspec.structs import replace

from straykey.core.finding import Finding
from straykey.core.rule import Rule
from tests.records import use_record
from tests.seen import findings_of

V4, V6 = "203.0.113.66", "2001:db8:ffff::66"


def theft(address: str = V4) -> Finding:
    home = [use_record(time=f"2026-05-04T10:0{n}:00Z") for n in range(4)]
    (one,) = findings_of(*home, use_record(address=address, time="2026-05-04T10:05:00Z"))
    return one


THEFT = theft()


def without_address(finding: Finding) -> Finding:
    return replace(finding, stray=replace(finding.stray, address=None))


def rule(**said: str) -> Rule:
    usual = {"created": "2026-05-04T00:00:00Z", "expires": "2026-05-05T00:00:00Z"}
    return Rule(id="r1", reason="red team", by="ann", **(usual | said))


def covers(finding: Finding = THEFT, /, **said: str) -> bool:
    return rule(**said).covers(finding)


def test_a_rule_that_names_nothing_holds_for_nothing() -> None:
    assert not covers()


@pytest.mark.parametrize(
    "said",
    [
        {"type": THEFT.type},
        {"account": "111122223333"},
        {"role": "web-role"},
        {"instance": "i-0123456789abcdef0"},
        {"network": "203.0.113.0/24"},
        {"network": V4},
        {"network": "203.0.113.5/24"},
        {"account": "111122223333", "role": "web-role", "network": "0.0.0.0/0"},
    ],
)
def test_a_rule_holds_for_what_agrees_with_all_it_names(said: dict[str, str]) -> None:
    assert covers(**said)


@pytest.mark.parametrize("field", ["type", "account", "role", "instance", "network"])
def test_one_field_that_differs_is_enough_to_hold_no_more(field: str) -> None:
    agreed = {"account": "111122223333", "role": "web-role"}
    assert covers(**agreed)
    other = {"network": "198.51.100.0/24"}.get(field, "other")
    assert not covers(**(agreed | {field: other}))


def test_a_network_never_holds_for_a_finding_without_an_address() -> None:
    assert not covers(without_address(THEFT), network="0.0.0.0/0")
    assert not covers(without_address(THEFT), network="::/0")


def test_a_network_holds_for_addresses_of_its_own_version_only() -> None:
    assert not covers(network="::/0")
    assert covers(theft(V6), network="2001:db8:ffff::/48")
    assert not covers(theft(V6), network="0.0.0.0/0")


@pytest.mark.parametrize("network", ["everywhere", "203.0.113.0/99", "203.0.113.0/24/8", " ", "203.0.113.0/\x00"])
def test_what_is_no_network_hides_nothing_and_breaks_nothing(network: str) -> None:
    assert not covers(network=network)
    assert not covers(account="111122223333", network=network)


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ("*", True),
        ("UnauthorizedAccess:*", True),
        ("*.OutsideAWS", True),
        ("*Exfiltration*", True),
        ("*:IAMUser/*.OutsideAWS", True),
        ("unauthorizedaccess:*", False),
        ("UnauthorizedAccess:", False),
        ("*.InsideAWS", False),
        ("*.OutsideAWS*.OutsideAWS", False),
        ("*.OutsideAW?", False),
        ("[U]*", False),
        ("[", False),
        ("(", False),
        ("\\", False),
        ("***", True),
    ],
)
def test_a_star_stands_for_any_text_and_nothing_else_does(pattern: str, holds: bool) -> None:
    assert covers(type=pattern) is holds


def test_many_stars_take_no_longer_than_few() -> None:
    assert not covers(type="*a" * 500 + "*!")


def test_a_rule_holds_until_it_expires_and_not_then() -> None:
    one = rule(created="2026-05-04T10:00:00Z", expires="2026-05-04T11:00:00Z")
    assert [one.is_live(time) for time in ("2026-05-04T10:59:59Z", "2026-05-04T11:00:00Z")] == [True, False]


def test_a_rule_holds_at_once_though_its_maker_s_clock_is_ahead() -> None:
    assert rule(created="2026-05-04T10:00:00Z", expires="2026-05-04T11:00:00Z").is_live("2026-05-04T09:59:00Z")
