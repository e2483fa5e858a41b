"""Does what a plan says, in the account, and remembers how to take it back.

What undoes a step is journaled before the step is done.  So whenever this process ends, and between whichever two
instructions, `roll_back` finds in the journal all that may have been changed.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from straykey.contain.check import Order, check
from straykey.contain.clients import Clients
from straykey.contain.execute import Hands, NotDoneError
from straykey.contain.patience import Clock
from straykey.contain.plan import Call, Changes, Step
from straykey.contain.room import minified
from straykey.contain.state import State
from straykey.contain.stored import calls_written, plan_written
from straykey.errors import ContainError
from straykey.ports import Containment, Entry, Journal, Phase, StepState


class Point(StrEnum):
    """Between which instructions a hook is called, for each step."""

    READ = "read"  # what is there before it
    NOTED = "noted"  # begun, in the journal
    CALLED = "called"
    SEEN = "seen"
    DONE = "done"  # in the journal


Hook = Callable[[Point, int], None]


def no_hook(_: Point, __: int) -> None:
    """Nobody wants to be told."""


class Stop(msgspec.Struct, frozen=True):
    """At which step it went no further, and why; `is_in_doubt`: that step may have changed something."""

    step: str
    reason: str
    hint: str
    is_in_doubt: bool


class Applied(msgspec.Struct, frozen=True):
    """What was done, by the names of the steps, in order; without a `stop` that is all of them.

    `already`: those of `done` that had nothing to do, and so are not undone either.  `skipped`: optional steps that
    could not be done, and why.
    """

    id: str
    done: tuple[str, ...]
    already: tuple[str, ...]
    left: tuple[str, ...]
    stop: Stop | None = None
    skipped: tuple[Stop, ...] = ()


def apply(
    plan: Changes,
    order: Order,
    journal: Journal,
    clients: Clients,
    clock: Clock = Clock(),  # noqa: B008 - frozen
    *,
    step_hook: Hook = no_hook,
) -> Applied:
    """Check, then do all steps; stops at the first that fails.

    `ContainError`, and nothing was changed, where anything stands in the way, or where this was begun already.
    """
    checked = check(plan, order, clients, clock)
    if checked.troubles:
        listed = "".join(f"\n  {one.text}" + (f": {one.hint}" if one.hint else "") for one in checked.troubles)
        raise ContainError(f"{plan.option} cannot be applied, and nothing was changed{listed}")
    containment = journal.open(_containment(plan, order))
    work = _Work(journal, Hands(clients, clock, containment.id), containment.id, step_hook)
    unfit = dict(checked.left)
    for number, step in enumerate(plan.steps):
        stop = work.leave(number, step, unfit[step.name]) if step.name in unfit else work.do(number, step)
        if stop and step.is_optional:
            work.skipped.append(stop)
        elif stop:
            journal.move(containment.id, Phase.STOPPED, out_of=[Phase.APPLYING])
            return work.ended(tuple(one.name for one in plan.steps[number + 1 :]), stop)
    journal.move(containment.id, Phase.APPLIED, out_of=[Phase.APPLYING])
    return work.ended()


def _containment(plan: Changes, order: Order) -> Containment:
    return Containment(
        finding=order.finding,
        option=plan.option,
        account=order.account,
        region=order.region,
        begun=order.at,
        plan=plan_written(plan),
        phase=Phase.APPLYING,
        entries=tuple(
            Entry(number, step.name, StepState.PLANNED, calls_written(step.undo))
            for number, step in enumerate(plan.steps)
        ),
    )


def _undo(step: Step, found: State) -> tuple[Call, ...]:
    """As planned; where that did not look, with what is found there, in the form that IAM takes."""
    if not step.is_unread or found is None:
        return step.undo
    parameters = {**step.call.parameters, "PolicyDocument": minified(found)}
    return (msgspec.structs.replace(step.call, parameters=parameters),)


class _Work:
    """One containment being applied; `done`, `already` and `skipped` grow."""

    def __init__(self, journal: Journal, hands: Hands, identity: str, hook: Hook) -> None:
        self._journal = journal
        self._hands = hands
        self._identity = identity
        self._hook = hook
        self.done: list[str] = []
        self.already: list[str] = []
        self.skipped: list[Stop] = []

    def ended(self, left: tuple[str, ...] = (), stop: Stop | None = None) -> Applied:
        return Applied(self._identity, tuple(self.done), tuple(self.already), left, stop, tuple(self.skipped))

    def leave(self, number: int, step: Step, reason: str) -> Stop:
        """Do not even try it."""
        self._note(Entry(number, step.name, StepState.FAILED, calls_written(step.undo)))
        return Stop(step.name, reason, "", is_in_doubt=False)

    def do(self, number: int, step: Step) -> Stop | None:
        entry = Entry(number, step.name, StepState.PLANNED, calls_written(step.undo))
        try:
            found = self._hands.look(step.call)
            is_already = self._hands.has_effect(step.call, found)
        except NotDoneError as error:
            return self._stopped(entry, error, is_in_doubt=False)
        self._hook(Point.READ, number)
        entry = msgspec.structs.replace(
            entry,
            state=StepState.BEGUN,
            undo=b"[]" if is_already else calls_written(_undo(step, found)),  # others' is not ours to take back
            found=msgspec.json.encode(found),
        )
        self._note(entry)
        self._hook(Point.NOTED, number)
        if is_already:
            self.already.append(step.name)
        else:
            try:
                self._hands.do(step.call, lambda: self._hook(Point.CALLED, number))
            except NotDoneError as error:
                return self._stopped(entry, error, is_in_doubt=error.is_in_doubt)
        self._hook(Point.SEEN, number)
        self._note(msgspec.structs.replace(entry, state=StepState.DONE))
        self.done.append(step.name)
        self._hook(Point.DONE, number)
        return None

    def _stopped(self, entry: Entry, error: NotDoneError, *, is_in_doubt: bool) -> Stop:
        if not is_in_doubt:
            self._note(msgspec.structs.replace(entry, state=StepState.FAILED))
        return Stop(entry.name, str(error), error.hint, is_in_doubt)

    def _note(self, entry: Entry) -> None:
        self._journal.note(self._identity, Phase.APPLYING, entry)
