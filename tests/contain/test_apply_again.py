"""Options applied once more, with what came to be known since; and roles of the thief's that do not let themselves."""

import json
from collections.abc import Iterator

import pytest
from moto.iam.models import iam_backends
from msgspec.structs import replace

from straykey.contain.apply import Hook, Point, no_hook
from straykey.contain.options import plans_of
from straykey.contain.plan import Option, Plan
from straykey.contain.reading import read_account
from straykey.core.network import network_of
from straykey.errors import ContainError
from straykey.ports import Containment, Phase, StepState
from straykey.stores.journal import SqlJournal, containments_for
from tests.aws import Aws
from tests.contain.applying import (
    ORDER,
    SIMULATE,
    CrashAfter,
    CrashError,
    applied,
    latest,
    simulation,
    taken_back,
)
from tests.contain.grounds import ACCOUNT, ALLOW, REGION, ROLE, TRUST, Scene, client, clients, snapshot
from tests.contain.real import AT, stolen_from
from tests.contain.test_apply import points_of
from tests.contain.thefts import caller

LATER = "2026-05-04T13:00:00Z"
HEIR = "deploy-role"


@pytest.fixture
def heir(here: Scene) -> Scene:
    client("iam").create_role(RoleName=HEIR, AssumeRolePolicyDocument=json.dumps(TRUST))
    return here


def pinned(scene: Scene, at: str = AT, *, home: str = "198.18.0.10", sessions: tuple[str, ...] = ("loot",)) -> Plan:
    """The pin of the stolen key and of these sessions of another role, from the account as it is."""
    heirs = tuple(
        caller(HEIR, name, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{HEIR}/{name}", account=ACCOUNT)
        for name in sessions
    )
    theft = stolen_from(scene)
    theft = replace(theft, heirs=heirs, homes=(*theft.homes, network_of(home)))
    account = read_account(clients(), ACCOUNT, ROLE, scene.instance, REGION)
    return next(one for one in plans_of(theft, account, at) if one.option is Option.PIN_EVERYWHERE)


def letters() -> dict[str, dict[str, str]]:
    """All inline policies, letter by letter as they were sent."""
    return {one.name: dict(one.policies) for one in iam_backends[ACCOUNT]["aws"].roles.values()}


def standing(journal: SqlJournal) -> list[Containment]:
    """The last first."""
    with journal._database.snapshot() as connection:
        kept = containments_for(connection, ORDER.finding)
    return [one for one in reversed(kept) if one.phase is not Phase.ROLLED_BACK]


def put_of(plan: Plan) -> dict[str, str]:
    return {str(one.call.parameters["RoleName"]): str(one.call.parameters["PolicyDocument"]) for one in plan.steps}


def ours() -> dict[str, str]:
    found = {
        role: text for role, kept in letters().items() for name, text in kept.items() if name.startswith("straykey-")
    }
    return dict(sorted(found.items()))


def test_an_option_applied_again_takes_the_place_of_what_it_made_and_is_taken_back_to_that_and_then_to_nothing(
    heir: Scene, journal: SqlJournal
) -> None:
    before, first = letters(), pinned(heir)
    one = applied(first, journal)
    after_one = letters()
    assert ours() == put_of(first)
    second = pinned(heir, LATER, home="198.18.0.99", sessions=("loot", "more"))
    assert put_of(second).keys() == {ROLE, HEIR}
    assert not set(put_of(second).values()) & set(put_of(first).values())
    two = applied(second, journal)
    assert (two.stop, two.already, ours()) == (None, (), put_of(second))
    with pytest.raises(ContainError, match="applied again since"):
        taken_back(one.id, journal)
    assert ours() == put_of(second)
    assert taken_back(two.id, journal).stop is None
    assert letters() == after_one
    assert taken_back(one.id, journal).stop is None
    assert letters() == before


def test_a_plan_that_is_as_before_changes_nothing_when_it_is_applied_again(heir: Scene, journal: SqlJournal) -> None:
    applied(pinned(heir), journal)
    after = letters()
    again = applied(pinned(heir), journal)
    assert (again.stop, again.already) == (None, again.done)
    assert len(again.done) == 2
    assert letters() == after
    assert taken_back(again.id, journal).stop is None
    assert letters() == after


def test_after_a_crash_at_any_point_of_applying_again_all_is_taken_back_the_last_first(
    heir: Scene, journal: SqlJournal
) -> None:
    before, crashes = snapshot(), 0
    bytes_before = letters()
    for points in points_of(pinned(heir)):
        one = applied(pinned(heir), journal)
        after_one = letters()
        try:
            applied(pinned(heir, LATER, home="198.18.0.99"), journal, CrashAfter(points))
        except CrashError:
            crashes += 1
        two = standing(journal)[0]
        assert two.id != one.id, points
        assert taken_back(two.id, journal).stop is None, points
        assert letters() == after_one, points
        assert taken_back(one.id, journal).stop is None, points
        assert (snapshot(), letters()) == (before, bytes_before), points
    assert crashes == len(points_of(pinned(heir)))


def test_taking_back_both_that_crashes_at_every_point_can_be_taken_up_again(heir: Scene, journal: SqlJournal) -> None:
    before = letters()
    applied(pinned(heir), journal)
    applied(pinned(heir, LATER, home="198.18.0.99"), journal)
    for points in range(1_000):
        if not (left := standing(journal)):
            break
        try:
            taken_back(left[0].id, journal, CrashAfter(points % 5))
        except CrashError:
            continue
    assert letters() == before


def test_what_crashed_is_taken_back_before_the_option_is_applied_again(heir: Scene, journal: SqlJournal) -> None:
    applied(pinned(heir), journal)
    again = pinned(heir, LATER)
    with pytest.raises(CrashError):
        applied(again, journal, CrashAfter(2))
    with pytest.raises(ContainError, match="begun already, and is applying"):
        applied(again, journal)
    taken_back(standing(journal)[0].id, journal)
    assert applied(again, journal).stop is None


def test_what_the_account_has_of_its_own_under_our_name_is_what_comes_back(heir: Scene, journal: SqlJournal) -> None:
    """Another store applied it, say; or a person put it there in another form."""
    name = str(pinned(heir).steps[1].call.parameters["PolicyName"])
    said = {"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "é"}]}
    for role in (ROLE, HEIR):
        client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(said, indent=2))
    done = applied(pinned(heir), journal)
    assert (done.stop, done.already) == (None, ())
    assert taken_back(done.id, journal).stop is None
    minified = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Sid":"é"}]}'
    )
    assert ours() == {HEIR: minified, ROLE: minified}


def test_what_somebody_made_of_it_since_is_not_written_over_when_it_is_taken_back(
    heir: Scene, journal: SqlJournal
) -> None:
    applied(pinned(heir), journal)
    two = applied(pinned(heir, LATER), journal)
    name = str(pinned(heir).steps[1].call.parameters["PolicyName"])
    other = json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]})
    client("iam").put_role_policy(RoleName=HEIR, PolicyName=name, PolicyDocument=other)
    back = taken_back(two.id, journal)
    assert back.stop is not None
    assert "neither what this step made" in back.stop.reason
    assert ours()[HEIR] == other


# Roles of which nothing was read.


def left_out(heir: Scene, journal: SqlJournal, hook: Hook = no_hook) -> Iterator[str]:
    """Why steps were left out; all else is applied, and taken back."""
    before = letters()
    done = applied(pinned(heir), journal, hook)
    assert (done.stop, done.left, len(done.done)) == (None, (), 1)
    assert ours()[ROLE] == put_of(pinned(heir))[ROLE]
    assert [one.state for one in latest(journal).entries] == [StepState.DONE, StepState.FAILED]
    assert latest(journal).phase is Phase.APPLIED
    assert taken_back(done.id, journal).undone == done.done
    assert letters() == before
    for one in done.skipped:
        assert HEIR in one.step
        yield one.reason


def test_a_role_of_the_thiefs_that_is_gone_is_left_out(heir: Scene, journal: SqlJournal) -> None:
    client("iam").delete_role(RoleName=HEIR)
    assert list(left_out(heir, journal)) == [f"there is no role {HEIR} in the account"]


def test_a_role_of_the_thiefs_without_room_is_left_out(heir: Scene, journal: SqlJournal) -> None:
    filler = json.dumps({"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "x" * 10_100}]})
    client("iam").put_role_policy(RoleName=HEIR, PolicyName="filler", PolicyDocument=filler)
    (reason,) = left_out(heir, journal)
    assert f"role {HEIR} would have 10," in reason


def test_a_role_of_the_thiefs_that_iam_says_may_not_be_changed_is_left_out(
    heir: Scene, journal: SqlJournal, aws: Aws
) -> None:
    aws.answer_xml(SIMULATE, simulation("allowed"), times=1)  # of the robbed role
    aws.answer_xml(SIMULATE.partition("=")[2], simulation("explicitDeny"))
    (reason,) = left_out(heir, journal)
    assert f"iam:PutRolePolicy is not allowed on arn:aws:iam::{ACCOUNT}:role/{HEIR}" in reason


def test_a_role_of_the_thiefs_that_iam_refuses_to_change_is_left_out(
    heir: Scene, journal: SqlJournal, aws: Aws
) -> None:
    def refuse(point: Point, number: int) -> None:
        if (point, number) == (Point.NOTED, 1):
            aws.refuse("Action=PutRolePolicy", "AccessDenied")

    (reason,) = left_out(heir, journal, refuse)
    assert "access denied" in reason


def test_what_is_in_the_way_of_the_pin_itself_stops_all(heir: Scene, journal: SqlJournal, aws: Aws) -> None:
    before = letters()
    aws.answer_xml(SIMULATE, simulation("implicitDeny"))
    with pytest.raises(ContainError, match="nothing was changed"):
        applied(pinned(heir), journal)
    assert letters() == before
