"""Makes one call that changes something, and waits until its effect is seen."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from straykey import aws
from straykey.contain.clients import Clients, Reach
from straykey.contain.effect import Effect
from straykey.contain.lookup import AbsentError, resolved
from straykey.contain.needs import NEEDS, permissions_of
from straykey.contain.operations import Operation, operation_of, subject_of
from straykey.contain.patience import Clock, patiently, tries
from straykey.contain.plan import Call
from straykey.contain.refusal import is_not_there, is_there_already, passing
from straykey.contain.state import State, Subject, state_of

_T = TypeVar("_T")

Then = Callable[[], None]

_LONGEST_TOKEN = 64
_LOST = "ResourceNotFound"  # our own word for what a lookup does not find


class NotDoneError(Exception):
    """A call did not do what it should; `is_in_doubt`: but may have, or may still.  `code` is AWS's word for it."""

    def __init__(
        self, reason: str, hint: str = "", *, code: str = "", is_in_doubt: bool, may_pass: bool = False
    ) -> None:
        super().__init__(reason)
        self.hint = hint
        self.code = code
        self.is_in_doubt = is_in_doubt
        self.may_pass = may_pass


class Hands(msgspec.Struct, frozen=True):
    """With what is acted: AWS, and time; `token` tells calls of one containment from those of another."""

    clients: Clients
    clock: Clock
    token: str = ""

    def look(self, call: Call) -> State:
        """What is there now of what a call changes."""
        return self.seen(subject_of(call), NEEDS[call.operation], call.region)

    def seen(self, subject: Subject, needs: Sequence[str], region: str = "") -> State:
        return self.ask(lambda at: state_of(at, subject), needs, region)

    def ask(self, question: Callable[[Reach], _T], needs: Sequence[str], region: str = "") -> _T:
        """What AWS answers; `NotDoneError` if it does not, naming the permissions that are needed."""
        reach = self.clients.at(region)
        try:
            return patiently(self.clock, lambda: question(reach))
        except aws.failures() as error:
            told = aws.refusal(error, f"AWS in {self.clients.region}", " and ".join(needs))
            raise NotDoneError(str(told), told.hint, code=aws.code_of(error), is_in_doubt=True) from error

    def has_effect(self, call: Call, state: State) -> bool:
        """Whether what is there is what the call would make."""
        return self._has(operation_of(call).is_done, call, state)

    def _has(self, effect: Effect, call: Call, state: State) -> bool:
        operation = operation_of(call)
        try:
            needs = NEEDS[call.operation]
            return effect(state, self.ask(lambda at: resolved(at, call.parameters), needs, call.region))
        except AbsentError:
            return operation.takes_away and effect(state, {})

    def do(self, call: Call, then: Then) -> None:
        """Make the call, tell `then`, and see its effect; `NotDoneError` if that cannot be."""
        operation = operation_of(call)
        was_there = False
        try:
            self._make(operation, call, is_undo=False)
        except NotDoneError as error:
            was_there = is_there_already(error.code)
            if not was_there:
                raise
        then()
        # What was there already is ours only if it is the same to the letter.
        effect = operation.is_done if was_there else operation.is_seen or operation.is_done
        for _ in tries(self.clock, operation.patience_seconds):
            if self._has(effect, call, self.look(call)):
                return
        if was_there:
            raise NotDoneError("something else of that name is there already", is_in_doubt=True)
        raise _unseen(operation)

    def undo(self, call: Call, then: Then) -> bool:
        """Make a call that undoes, tell `then`, and see its effect; false if what it is about is not there any more."""
        operation = operation_of(call)
        if not (operation.once and self.has_effect(call, self.look(call))):
            try:
                self._make(operation, call, is_undo=True)
            except NotDoneError as error:
                if not (is_not_there(error.code) or error.code == _LOST):
                    raise
        then()
        for _ in tries(self.clock, operation.patience_seconds):
            state = self.look(call)
            if self.has_effect(call, state):
                return True
            if state is None:
                return False
        raise _unseen(operation)

    def _make(self, operation: Operation, call: Call, *, is_undo: bool) -> None:
        """Ask until AWS takes it, or says that it will not."""
        was_lost = False
        for is_last in tries(self.clock, operation.patience_seconds):
            try:
                self._made(operation, call, is_undo=is_undo)
            except NotDoneError as error:
                # What was lost on its way may have been done: whatever is said of it the next time.
                if was_lost and self.has_effect(call, self.look(call)):
                    return
                was_lost = error.is_in_doubt = was_lost or error.is_in_doubt
                if is_last or not error.may_pass:
                    raise
            else:
                return

    def _made(self, operation: Operation, call: Call, *, is_undo: bool) -> None:
        reach = self.clients.at(call.region)
        try:
            parameters = self._parameters(reach, call)
        except AbsentError as error:
            raise NotDoneError(str(error), code=_LOST, is_in_doubt=False, may_pass=not is_undo) from error
        except aws.failures() as error:
            raise _refused(error, call, is_in_doubt=False) from error
        try:
            answer = operation.method(reach)(**parameters)
        except aws.failures() as error:
            raise _refused(error, call, is_in_doubt=aws.is_passing(error)) from error
        for one in answer.get("Unsuccessful", []):  # of a call that takes many
            code = str(one.get("Error", {}).get("Code", ""))
            raise NotDoneError(f"AWS refuses the call ({code})", code=code, is_in_doubt=False)

    def _parameters(self, reach: Reach, call: Call) -> dict[str, Any]:
        parameters = resolved(reach, call.parameters)
        if call.operation == "CreateVpcEndpoint" and self.token:
            # An answer that was lost must not make a second one.
            left = _LONGEST_TOKEN - len(self.token) - 1
            parameters.setdefault("ClientToken", f"{self.token}-{parameters['ServiceName'][-left:]}")
        return parameters


def _refused(error: Exception, call: Call, *, is_in_doubt: bool) -> NotDoneError:
    code = aws.code_of(error)
    told = aws.refusal(error, f"{call.service}:{call.operation}", " and ".join(permissions_of(call)))
    may_pass = aws.is_throttling(error) or aws.is_passing(error) or code in passing(call.operation)
    return NotDoneError(str(told), told.hint, code=code, is_in_doubt=is_in_doubt, may_pass=may_pass)


def _unseen(operation: Operation) -> NotDoneError:
    reason = f"AWS took the call, but nothing is seen of it after {operation.patience_seconds:.0f} seconds"
    return NotDoneError(reason, "look at it in the console: it may come late", is_in_doubt=True)
