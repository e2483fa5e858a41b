"""What a rule covers, and when."""

import pytest

from straykey.core.rule import rule_of
from tests.records import use_record
from tests.seen import findings_of

(STOLEN,) = findings_of(
    use_record(),
    use_record(time="2026-05-04T11:00:00Z"),
    use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z"),
)
SAID = {"reason": "red team", "by": "ann", "created": "2026-05-04T00:00:00Z", "expires": "2026-05-05T00:00:00Z"}


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, False),
        ({"type": "*OutsideAWS"}, True),
        ({"type": "*InsideAWS"}, False),
        ({"account": "111122223333", "role": "web-role"}, True),
        ({"account": "111122223333", "role": "other"}, False),
        ({"instance": "i-0123456789abcdef0"}, True),
        ({"network": "203.0.113.0/24"}, True),
        ({"network": "2001:db8::/32"}, False),
    ],
)
def test_a_rule_covers_what_agrees_with_all_it_names(scope: dict[str, str], covers: bool) -> None:
    assert rule_of(scope, **SAID).covers(STOLEN) is covers


def test_to_say_the_same_twice_makes_one_rule_and_anything_else_another() -> None:
    one = rule_of({"role": "web-role"}, **SAID)
    assert rule_of({"role": "web-role"}, **SAID) == one
    others = [rule_of({"instance": "web-role"}, **SAID), rule_of({"role": "web-role"}, **SAID | {"by": "berta"})]
    assert len({one.id, *(other.id for other in others)}) == 3


def test_a_rule_tells_what_it_names() -> None:
    scope = {"role": "web-role", "network": "203.0.113.0/24"}
    assert rule_of(scope, **SAID).scope == scope


def test_a_rule_that_was_ended_holds_no_more_and_one_that_was_over_is_not_prolonged() -> None:
    rule = rule_of({"role": "web-role"}, **SAID)
    ended = rule.ended("2026-05-04T12:00:00Z")
    assert ended.is_live("2026-05-04T11:59:59Z")
    assert not ended.is_live("2026-05-04T12:00:00Z")
    assert rule.ended("2026-06-01T00:00:00Z") == rule
