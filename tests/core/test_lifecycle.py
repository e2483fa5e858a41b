"""What becomes of a finding, step by step, whatever was said of it before."""

import pytest
from msgspec.structs import replace

from straykey.core import lifecycle
from straykey.core.finding import Confidence, Finding, Severity, Status
from straykey.core.lifecycle import Tracked
from straykey.core.rule import Rule
from tests.core.test_rule import theft

T0, T1, T2, T3 = (f"2026-05-04T1{hour}:00:00Z" for hour in range(4))
FOUND = theft()
RULE = Rule(id="r1", reason="red team", by="ann", created=T0, expires="2026-05-05T00:00:00Z", network="203.0.113.0/24")


def opened(finding: Finding = FOUND) -> Tracked:
    return lifecycle.judged(None, finding, [], T0)


def told(tracked: Tracked, now: str = T0) -> Tracked:
    return lifecycle.telling(tracked, now)[0]


def grown(finding: Finding, *, count: int = 9, last_seen: str = "") -> Finding:
    stray = replace(finding.stray, count=count, last_seen=last_seen or finding.stray.last_seen)
    return replace(finding, stray=stray)


WORSE = [
    replace(FOUND, severity_score=9.0),
    replace(FOUND, access_keys=[*FOUND.access_keys, "ASIAOTHER"]),
    replace(FOUND, pivots_count=1),
]


def test_what_is_found_first_is_open() -> None:
    assert opened() == Tracked(FOUND, Status.OPEN, T0, T0)


def test_what_is_judged_again_as_it_was_does_not_change() -> None:
    for known in (
        opened(),
        lifecycle.judged(None, FOUND, [RULE], T0),
        lifecycle.acknowledged(opened(), "looking", "ann", T1),
        lifecycle.resolved(opened(), "was me", "ann", T1),
    ):
        rules = [RULE] if known.rule else []
        assert lifecycle.judged(known, FOUND, rules, T2) == known


def test_what_grows_stays_open_since_it_was_opened() -> None:
    later = lifecycle.judged(opened(), grown(FOUND), [], T2)
    assert (later.opened, later.changed, later.finding.stray.count) == (T0, T0, 9)


def test_what_evidence_resolved_opens_again_as_soon_as_evidence_leads_to_it() -> None:
    over = lifecycle.explained(opened(), "address-grant: given", T1)
    assert (over.status, over.note, over.by, over.changed) == (Status.RESOLVED, "address-grant: given", "", T1)
    again = lifecycle.judged(over, FOUND, [], T2)
    assert (again.status, again.note, again.opened, again.changed) == (Status.OPEN, "", T0, T2)


def test_what_is_over_is_not_explained_once_more() -> None:
    over = lifecycle.resolved(opened(), "was me", "ann", T1)
    assert lifecycle.explained(over, "address-grant: given", T2) is over


def test_what_a_person_resolved_stays_so_while_older_calls_come_late() -> None:
    over = lifecycle.resolved(opened(), "was me", "ann", T1)
    still = lifecycle.judged(over, grown(FOUND), [], T2)
    assert (still.status, still.by, still.finding.stray.count) == (Status.RESOLVED, "ann", 9)


@pytest.mark.parametrize("after", [*WORSE, grown(FOUND, last_seen=T3)])
def test_what_a_person_resolved_opens_when_it_is_used_again_or_gets_worse(after: Finding) -> None:
    over = lifecycle.resolved(opened(), "was me", "ann", T1)
    again = lifecycle.judged(over, after, [], T2)
    assert (again.status, again.note, again.by) == (Status.OPEN, "", "")


def test_what_a_person_resolved_and_a_rule_hides_is_hidden_when_it_comes_back() -> None:
    over = lifecycle.resolved(opened(), "was me", "ann", T1)
    assert lifecycle.judged(over, grown(FOUND, last_seen=T3), [RULE], T2).status is Status.SUPPRESSED


@pytest.mark.parametrize("after", WORSE)
def test_what_gets_worse_opens_though_it_was_acknowledged(after: Finding) -> None:
    seen = lifecycle.acknowledged(opened(), "looking", "ann", T1)
    assert lifecycle.judged(seen, after, [], T2).status is Status.OPEN


def test_to_be_more_certain_is_worse_and_to_be_less_is_not() -> None:
    less, more = (replace(FOUND, confidence=one) for one in (Confidence.POSSIBLE, Confidence.CONFIRMED))
    assert lifecycle.is_worse(less, more)
    assert not lifecycle.is_worse(more, less)


def test_fewer_keys_are_not_worse() -> None:
    assert not lifecycle.is_worse(WORSE[1], FOUND)


def test_the_first_rule_that_holds_hides_it_and_says_why() -> None:
    other = replace(RULE, id="r2", reason="other")
    hidden = lifecycle.judged(None, FOUND, [replace(RULE, network="192.0.2.0/24", id="r0"), RULE, other], T1)
    assert (hidden.status, hidden.rule, hidden.note) == (Status.SUPPRESSED, "r1", "red team")
    assert hidden.shown().suppression == "r1: red team"


def test_a_rule_that_is_over_leaves_it_to_the_next_one_without_a_change_of_status() -> None:
    hidden = lifecycle.judged(None, FOUND, [RULE], T0)
    other = lifecycle.judged(hidden, FOUND, [replace(RULE, id="r2")], T2)
    assert (other.status, other.rule, other.changed) == (Status.SUPPRESSED, "r2", T0)


def test_what_a_rule_hid_and_evidence_explains_is_over_and_under_no_rule() -> None:
    over = lifecycle.explained(lifecycle.judged(None, FOUND, [RULE], T0), "address-grant: given", T1)
    assert (over.status, over.rule) == (Status.RESOLVED, "")


def test_what_a_person_takes_back_is_open_as_if_nothing_had_been_said() -> None:
    said = lifecycle.acknowledged(opened(), "looking", "ann", T1)
    assert lifecycle.reopened(said, T2) == replace(opened(), changed=T2)


def test_what_was_hidden_from_the_start_is_no_news_until_it_opens() -> None:
    hidden = lifecycle.judged(None, FOUND, [RULE], T0)
    assert not lifecycle.is_news(hidden)
    assert not lifecycle.is_news(lifecycle.explained(hidden, "address-grant: given", T1))
    assert lifecycle.is_news(lifecycle.judged(hidden, FOUND, [], T2))


def test_each_change_of_status_is_news_once() -> None:
    one = told(opened())
    assert not lifecycle.is_news(one)
    for changed in (
        lifecycle.acknowledged(one, "", "ann", T1),
        lifecycle.resolved(one, "", "ann", T1),
        lifecycle.explained(one, "given", T1),
        lifecycle.judged(one, FOUND, [RULE], T1),
    ):
        assert lifecycle.is_news(changed)
        assert not lifecycle.is_news(told(changed))


@pytest.mark.parametrize("after", [*WORSE, replace(FOUND, severity=Severity.MEDIUM)])
def test_another_severity_or_worse_is_news_but_more_calls_are_not(after: Finding) -> None:
    one = told(opened())
    assert lifecycle.is_news(replace(one, finding=after))
    assert not lifecycle.is_news(replace(one, finding=grown(FOUND)))


@pytest.mark.parametrize("after", [*WORSE, grown(FOUND)])
def test_of_what_is_hidden_nobody_hears_more_than_that_it_is(after: Finding) -> None:
    hidden = told(lifecycle.judged(told(opened()), FOUND, [RULE], T1), T1)
    assert hidden.told is not None
    more = lifecycle.judged(hidden, after, [RULE], T2)
    assert not lifecycle.is_news(more)
    assert not lifecycle.has_grown(more, since=T3)


def test_what_has_grown_is_told_once_so_much_time_went_by() -> None:
    one = replace(told(opened(), T1), finding=grown(FOUND))
    assert [lifecycle.has_grown(one, since=since) for since in (T0, T1, T2)] == [False, True, True]
    assert not lifecycle.has_grown(told(one, T2), since=T3)
    assert not lifecycle.has_grown(replace(opened(), finding=grown(FOUND)), since=T3)


def test_each_telling_is_later_than_the_one_before_though_the_clock_is_set_back() -> None:
    first, at_first = lifecycle.telling(opened(), T2)
    second, at_second = lifecycle.telling(first, T2)
    third, at_third = lifecycle.telling(second, T0)
    assert at_first < at_second < at_third
    assert [one.tellings for one in (first, second, third)] == [1, 2, 3]
