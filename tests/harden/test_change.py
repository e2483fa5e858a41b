"""Each change applied and taken back on a simulated AWS: as before, whatever happens between any two instructions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from straykey.contain.apply import Applied, Hook, apply, no_hook
from straykey.contain.check import Order
from straykey.contain.stored import plan_written, steps_read
from straykey.errors import ContainError
from straykey.harden.change import Change, Doing, perimeter, tokens, v2_keys
from straykey.harden.perimeter import Level, role_policy
from straykey.harden.posture import Machine
from straykey.ports import Phase
from straykey.stores.journal import SqlJournal, containments_for
from tests.contain.applying import CrashAfter, CrashError, Time, taken_back
from tests.contain.conftest import here, journal
from tests.contain.grounds import ACCOUNT, REGION, ROLE, Scene, clients, snapshot
from tests.contain.test_apply import points_of
from tests.harden.machines import machine
from tests.harden.workers import footprint, scattered

__all__ = ["here", "journal"]


def own(here: Scene) -> Machine:
    """As the account tells of the instance."""
    return replace(machine(here.instance, region=REGION), vpc=here.vpc)


CHANGES: dict[Doing, Callable[[Scene], Change]] = {
    Doing.PERIMETER: lambda _: perimeter(role_policy(footprint(ACCOUNT, ROLE), Level.NETWORK)),
    Doing.V2_KEYS: lambda _: v2_keys(ACCOUNT, ROLE),
    Doing.TOKENS: lambda here: tokens(ACCOUNT, own(here)),
}


def applied(change: Change, journal: SqlJournal, hook: Hook = no_hook) -> Applied:
    order = Order(change.journaled_as, change.account, REGION, "2026-05-04T10:41:00Z")
    return apply(change, order, journal, clients(), Time().clock, step_hook=hook)


def begun(change: Change, journal: SqlJournal) -> str:
    """The id of the one that is not rolled back, or of any."""
    with journal._database.snapshot() as connection:
        there = containments_for(connection, change.journaled_as)
    return next((one.id for one in there if one.phase is not Phase.ROLLED_BACK), there[-1].id)


def test_every_change_is_tried() -> None:
    assert set(CHANGES) == set(Doing)


@pytest.mark.parametrize("doing", Doing)
def test_what_is_applied_is_seen_in_the_account_and_what_is_taken_back_is_as_before(
    doing: Doing, here: Scene, journal: SqlJournal
) -> None:
    change, before = CHANGES[doing](here), snapshot()
    done = applied(change, journal)
    assert (done.stop, len(done.done)) == (None, 1)
    assert snapshot() != before
    back = taken_back(done.id, journal)
    assert (back.stop, back.undone) == (None, done.done)
    assert snapshot() == before


@pytest.mark.parametrize("doing", Doing)
def test_after_a_crash_at_any_point_of_applying_the_account_can_be_taken_back_to_as_before(
    doing: Doing, here: Scene, journal: SqlJournal
) -> None:
    change, before = CHANGES[doing](here), snapshot()
    points = points_of(change)
    for point in points:
        with pytest.raises(CrashError):
            applied(change, journal, CrashAfter(point))
        back = taken_back(begun(change, journal), journal)
        assert (back.stop, back.left) == (None, ()), point
        assert snapshot() == before, point


def test_a_tighter_perimeter_is_put_over_the_first_and_taken_back_to_it(here: Scene, journal: SqlJournal) -> None:
    loose, tight = (perimeter(role_policy(footprint(ACCOUNT, ROLE), level)) for level in Level)
    before = snapshot()
    first = applied(loose, journal)
    between = snapshot()
    second = applied(tight, journal)
    assert (first.stop, second.stop) == (None, None)
    assert len({str(one) for one in (before, between, snapshot())}) == 3
    taken_back(second.id, journal)
    assert snapshot() == between
    taken_back(first.id, journal)
    assert snapshot() == before


@pytest.mark.parametrize("doing", Doing)
def test_a_change_is_begun_once_until_it_is_taken_back(doing: Doing, here: Scene, journal: SqlJournal) -> None:
    change = CHANGES[doing](here)
    with pytest.raises(CrashError):
        applied(change, journal, CrashAfter(1))
    with pytest.raises(ContainError):
        applied(change, journal)
    taken_back(begun(change, journal), journal)
    assert applied(change, journal).stop is None


@pytest.mark.parametrize("doing", Doing)
def test_a_change_is_read_from_the_journal_as_it_was_written(doing: Doing, here: Scene) -> None:
    change = CHANGES[doing](here)
    assert steps_read(plan_written(change)) == change.steps


def test_a_policy_that_is_too_long_is_not_put() -> None:
    change = perimeter(role_policy(footprint(addresses=scattered(2_000)), Level.NETWORK))
    assert [one.hint for one in change.troubles] == ["see --level instance"]


def test_tokens_leave_the_rest_of_the_metadata_options_as_they_are() -> None:
    (step,) = tokens(ACCOUNT, machine(hops=3)).steps
    (undo,) = step.undo
    rest = {"InstanceId": machine().id, "HttpPutResponseHopLimit": 3, "HttpEndpoint": "enabled"}
    assert step.call.parameters == rest | {"HttpTokens": "required"}
    assert undo.parameters == rest | {"HttpTokens": "optional"}


def test_a_metadata_service_that_is_off_is_not_turned_on() -> None:
    change = tokens(ACCOUNT, machine(is_on=False))
    assert (change.steps, bool(change.troubles)) == ((), True)
