"""Each plan applied and taken back on a simulated AWS: as before, whatever happens between any two instructions."""

import pytest

from straykey.contain.apply import Point
from straykey.contain.plan import Changes
from straykey.contain.stored import plan_written, steps_read
from straykey.ports import Phase, StepState
from straykey.stores.journal import SqlJournal
from tests.contain.applying import CrashAfter, CrashError, applied, latest, taken_back
from tests.contain.grounds import Scene, snapshot
from tests.contain.handmade import PLANS as BY_HAND
from tests.contain.real import REAL

# By hand only what no option comes to in this account: the others are tried as they are made.
_AS_MADE = {"inline", "swap", "isolate", "imdsv2", "stop", "endpoint"}
PLANS = {**{name: plan for name, plan in BY_HAND.items() if name not in _AS_MADE}, **REAL}


@pytest.mark.parametrize("name", PLANS)
def test_what_is_applied_is_seen_in_the_account_and_what_is_taken_back_is_as_before(
    name: str, here: Scene, journal: SqlJournal
) -> None:
    plan, before = PLANS[name](here), snapshot()
    done = applied(plan, journal)
    assert (done.stop, done.left) == (None, ())
    assert done.done == tuple(step.name for step in plan.steps)
    assert snapshot() != before
    back = taken_back(done.id, journal)
    assert (back.stop, back.left, back.gone) == (None, (), ())
    assert back.undone == tuple(reversed(done.done))
    assert snapshot() == before


@pytest.mark.parametrize("name", PLANS)
def test_after_a_crash_at_any_point_of_applying_the_account_can_be_taken_back_to_as_before(
    name: str, here: Scene, journal: SqlJournal
) -> None:
    plan, before = PLANS[name](here), snapshot()
    crashes = 0
    for points in points_of(plan):
        try:
            applied(plan, journal, CrashAfter(points))
        except CrashError:
            crashes += 1
        back = taken_back(latest(journal).id, journal)
        assert (back.stop, back.left) == (None, ()), points
        assert snapshot() == before, points
    # A step that has nothing to do has one point less.
    assert crashes >= len(points_of(plan)) - len(plan.steps)
    assert crashes > 0


@pytest.mark.parametrize("name", PLANS)
def test_taking_back_that_crashes_at_every_point_can_be_taken_up_again(
    name: str, here: Scene, journal: SqlJournal
) -> None:
    plan, before = PLANS[name](here), snapshot()
    done = applied(plan, journal)
    for points in range(1_000):
        try:
            # Of each step the first point, then the second, and so on: until one time gets it behind us.
            taken_back(done.id, journal, CrashAfter(points % 5))
        except CrashError:
            continue
        break
    assert snapshot() == before
    assert latest(journal).phase is Phase.ROLLED_BACK
    assert {entry.state for entry in latest(journal).entries} == {StepState.UNDONE}


def points_of(plan: Changes) -> list[int]:
    """Where to crash: a step's end is the next one's beginning."""
    last = len(Point) * len(plan.steps) - 1
    return [point for point in range(last) if point % len(Point) != len(Point) - 1] + [last]


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_is_read_from_the_journal_as_it_was_written(name: str, here: Scene) -> None:
    plan = PLANS[name](here)
    assert steps_read(plan_written(plan)) == plan.steps
