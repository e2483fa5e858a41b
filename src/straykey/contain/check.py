"""Asks whether a plan can be applied: all that stands in its way is told before the first change."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from straykey.contain.clients import Clients
from straykey.contain.execute import Hands, NotDoneError
from straykey.contain.operations import subject_of
from straykey.contain.patience import Clock
from straykey.contain.permitted import dry_runs, simulated
from straykey.contain.plan import Call, Changes, Step, Trouble
from straykey.contain.room import too_long
from straykey.contain.state import Kind, Subject
from straykey.formats.text import printable

_PLAN_ANEW = "plan anew"


class Order(msgspec.Struct, frozen=True):
    """For which finding, account and region a plan is applied; `at` is now, in the form of `core.moment`."""

    finding: str
    account: str
    region: str
    at: str


class Checked(msgspec.Struct, frozen=True):
    """With any `troubles` nothing is applied; `notes` say what could not be checked, and what is so already.

    `left` are optional steps that cannot be done, by name, each with why.
    """

    troubles: tuple[Trouble, ...]
    notes: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def check(plan: Changes, order: Order, clients: Clients, clock: Clock = Clock()) -> Checked:  # noqa: B008 - frozen
    """`ContainError` if the credentials are of another account, or the plan has a call that none may have."""
    for call in (call for step in plan.steps for call in (step.call, *step.undo)):
        subject_of(call)
    caller = clients.check_account(order.account)
    hands = Hands(clients, clock)
    troubles, notes = _asked([step for step in plan.steps if not step.is_optional], caller, hands)
    left = []
    for step in (one for one in plan.steps if one.is_optional):
        in_its_way, told = _asked([step], caller, hands)
        notes += told
        if in_its_way:
            left.append((step.name, "; ".join(one.text for one in in_its_way)))
    if not plan.steps:
        notes.append("there is nothing to apply")
    return Checked((*plan.troubles, *dict.fromkeys(troubles)), tuple(dict.fromkeys(notes)), tuple(left))


def _asked(steps: Sequence[Step], caller: str, hands: Hands) -> tuple[list[Trouble], list[str]]:
    """What stands in the way of these steps, and what else is to be known of them."""
    troubles: list[Trouble] = []
    notes: list[str] = []
    try:
        for asked in (_roles(steps, hands), _as_planned(steps, hands), too_long(steps, hands), _running(steps, hands)):
            _sort(asked, troubles, notes)
    except NotDoneError as error:
        troubles.append(Trouble(str(error), error.hint))
    _sort(dry_runs(steps, hands), troubles, notes)
    _sort(simulated([call for step in steps for call in (step.call, *step.undo)], caller, hands), troubles, notes)
    return troubles, notes


def _sort(found: Iterable[Trouble | str], troubles: list[Trouble], notes: list[str]) -> None:
    for one in found:
        if isinstance(one, Trouble):
            troubles.append(one)
        else:
            notes.append(one)


def _as_planned(steps: Sequence[Step], hands: Hands) -> Iterator[Trouble | str]:
    """What a step is undone to must be what is there now: later steps on the same thing start from another state."""
    touched: set[Subject] = set()
    for step in steps:
        subject = subject_of(step.call)
        if subject in touched:
            continue
        touched.add(subject)
        there = hands.look(step.call)
        if hands.has_effect(step.call, there):
            yield f"{step.name}: it is so already, so it is not done, and will not be undone"
        elif not step.is_unread and (undo := _undoing(step, subject)) and not hands.has_effect(undo, there):
            yield Trouble(f"{step.name}: {subject.kind} changed since this was planned", _PLAN_ANEW)


def _undoing(step: Step, subject: Subject) -> Call | None:
    return next((call for call in reversed(step.undo) if subject_of(call) == subject), None)


def _roles(steps: Sequence[Step], hands: Hands) -> Iterator[Trouble | str]:
    """Those that the plan does not make itself must be there, and may be changed."""
    made = {step.call.parameters["RoleName"] for step in steps if step.call.operation == "CreateRole"}
    named = {str(step.call.parameters["RoleName"]) for step in steps if "RoleName" in step.call.parameters}
    for role in sorted(named - made):
        there, shown = hands.seen(Subject(Kind.ROLE, (role,)), ("iam:GetRole",)), printable(role)
        if not isinstance(there, dict):
            yield Trouble(f"there is no role {shown} in the account", _PLAN_ANEW)
        elif there["Path"].startswith("/aws-service-role/"):
            yield Trouble(f"role {shown} belongs to a service of AWS, and cannot be changed", "take another option")


def _running(steps: Sequence[Step], hands: Hands) -> Iterator[Trouble | str]:
    for step in steps:
        if step.call.operation == "ReplaceIamInstanceProfileAssociation":
            subject = Subject(Kind.RUNNING, subject_of(step.call).names)
            if (there := hands.seen(subject, ("ec2:DescribeInstances",), step.call.region)) != "running":
                yield Trouble(f"{step.name}: the instance is {there or 'not there'}", f"start it, or {_PLAN_ANEW}")
