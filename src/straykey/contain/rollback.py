"""Takes back what was done in an account, from the journal alone: also after a crash, and also after one of its own."""

import msgspec

from straykey.contain.apply import Hook, Point, Stop, no_hook
from straykey.contain.clients import Clients
from straykey.contain.execute import Hands, NotDoneError
from straykey.contain.leavings import explained, leavings_of
from straykey.contain.operations import operation_of, subject_of
from straykey.contain.patience import Clock, tries
from straykey.contain.plan import Call, Step
from straykey.contain.state import State
from straykey.contain.stored import calls_read, calls_written, steps_read
from straykey.errors import ContainError
from straykey.ports import Containment, Entry, Journal, Phase, StepState

# For which a call that was on its way when its process died may still take effect.
SETTLE_SECONDS = 10.0
_GUARD_SECONDS = 60.0
_MAY_BE_DONE = (StepState.BEGUN, StepState.DONE)


class RolledBack(msgspec.Struct, frozen=True):
    """What was taken back, by the names of the steps, in that order; without a `stop` that is all there was.

    `gone`: of those, what was not there any more.  `removed`: what others had put on a role that was made, in full.
    """

    id: str
    undone: tuple[str, ...]
    gone: tuple[str, ...]
    left: tuple[str, ...]
    stop: Stop | None = None
    removed: tuple[str, ...] = ()


def roll_back(
    identity: str,
    journal: Journal,
    clients: Clients,
    clock: Clock = Clock(),  # noqa: B008 - frozen
    *,
    step_hook: Hook = no_hook,
    is_forced: bool = False,
) -> RolledBack:
    """Undo all steps that were done or may have been, the last first; stops where one cannot be undone.

    What somebody else set meanwhile is not written over unless `is_forced`, nor taken off a role that was made.
    `ContainError` where nothing is left to take back, where the option was applied again since and that is not taken
    back, or the credentials are of another account.
    """
    containment = journal.read(identity)
    if containment.phase is Phase.ROLLED_BACK:
        raise ContainError(f"containment {identity} was rolled back already", hint="there is nothing left to take back")
    clients.check_account(containment.account)
    journal.move(identity, Phase.ROLLING_BACK, out_of=[one for one in Phase if one is not Phase.ROLLED_BACK])
    containment = journal.read(identity)  # from here on nobody else writes
    if any(entry.state is StepState.BEGUN for entry in containment.entries):
        clock.sleep(SETTLE_SECONDS)
    work = _Work(containment, journal, Hands(clients, clock), step_hook, is_forced=is_forced)
    entries = [entry for entry in reversed(containment.entries) if entry.state in _MAY_BE_DONE]
    for place, entry in enumerate(entries):
        if stop := work.undo(entry):
            left = tuple(one.name for one in entries[place + 1 :])
            return work.ended(left, stop)
    journal.move(identity, Phase.ROLLED_BACK, out_of=[Phase.ROLLING_BACK])
    return work.ended()


class _Work:
    """One containment being taken back; `undone`, `gone` and `removed` grow."""

    def __init__(
        self, containment: Containment, journal: Journal, hands: Hands, hook: Hook, *, is_forced: bool
    ) -> None:
        self._identity = containment.id
        self._steps = steps_read(containment.plan)
        self._journal = journal
        self._hands = hands
        self._hook = hook
        self._is_forced = is_forced
        self.undone: list[str] = []
        self.gone: list[str] = []
        self.removed: list[str] = []

    def ended(self, left: tuple[str, ...] = (), stop: Stop | None = None) -> RolledBack:
        return RolledBack(self._identity, tuple(self.undone), tuple(self.gone), left, stop, tuple(self.removed))

    def undo(self, entry: Entry) -> Stop | None:
        step = self._steps[entry.number]
        self._hook(Point.READ, entry.number)
        try:
            entry = self._stripping(step, entry) if self._is_forced else entry
            for call in calls_read(entry.undo):
                self._guard(step, call, entry)
                self._take_back(step, call, entry)
        except NotDoneError as error:
            return Stop(step.name, str(error), error.hint, error.is_in_doubt)
        undone = msgspec.structs.replace(entry, state=StepState.UNDONE)
        self._journal.note(self._identity, Phase.ROLLING_BACK, undone)
        self.undone.append(step.name)
        self._hook(Point.DONE, entry.number)
        return None

    def _take_back(self, step: Step, call: Call, entry: Entry) -> None:
        try:
            if not self._hands.undo(call, lambda: self._hook(Point.CALLED, entry.number)):
                self.gone.append(step.name)
        except NotDoneError as error:
            raise explained(error, call, self._hands) from error
        self._hook(Point.SEEN, entry.number)

    def _stripping(self, step: Step, entry: Entry) -> Entry:
        """Of a role that the step made: first what others put on it is taken off, and the journal says so before."""
        calls = calls_read(entry.undo)
        if step.call.operation != "CreateRole" or not calls or not self._is_ours(step, entry):
            return entry
        there = leavings_of(str(step.call.parameters["RoleName"]), self._hands)
        more = tuple(one for one in there.calls if one not in calls)
        if not more:
            return entry
        self.removed += there.told
        entry = msgspec.structs.replace(entry, undo=calls_written((*more, *calls)))
        self._journal.note(self._identity, Phase.ROLLING_BACK, entry)
        self._hook(Point.NOTED, entry.number)
        return entry

    def _is_ours(self, step: Step, entry: Entry) -> bool:
        """Of a step that was only begun, what bears the name may be somebody else's."""
        return entry.state is StepState.DONE or self._hands.has_effect(step.call, self._hands.look(step.call))

    def _guard(self, step: Step, call: Call, entry: Entry) -> None:
        """Refuse to write over what is neither what the step made nor what was there before it."""
        is_same = subject_of(call) == subject_of(step.call)
        if self._is_forced or not operation_of(call).restores or not is_same:
            return
        found = _settled(msgspec.json.decode(entry.found))
        for _ in tries(self._hands.clock, _GUARD_SECONDS):
            there = self._hands.look(call)
            is_known = there is None or _settled(msgspec.json.decode(msgspec.json.encode(there))) == found
            if is_known or self._hands.has_effect(step.call, there) or self._hands.has_effect(call, there):
                return
        raise NotDoneError(
            f"{subject_of(call).kind}: neither what this step made nor what was there before it",
            "somebody changed it since: see what it should be, or roll back by force",
            is_in_doubt=False,
        )


def _settled(state: State) -> State:
    """Without what says that a change is on its way."""
    return {name: value for name, value in state.items() if name != "State"} if isinstance(state, dict) else state
