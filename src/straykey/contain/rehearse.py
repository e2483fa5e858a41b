"""What a plan stops and what it breaks: its policies, put to the calls that were recorded.

Nothing is guessed: where the answer hangs on what the logs do not say, it is unknown, and the condition keys are named.
The numbers are those of the calls that evidence keeps; of a network with very many that is a sample.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import product

import msgspec
from msgspec.structs import replace

from straykey.contain.account import Endpoint
from straykey.contain.pattern import Gap
from straykey.contain.plan import Deny, Option, Plan
from straykey.contain.policy import Answer, Policy, Request, Verdict, judge_call, read_policy
from straykey.contain.possible import Choices, choices_of
from straykey.contain.request import TOLD, request_of
from straykey.contain.theft import Called, Caller, Theft
from straykey.core.network import Network
from straykey.core.reasons import is_denied
from straykey.core.session import IDENTITY_ROLE

_SHOWN = 20
_SIGN_IN = "signin:"


class Counted(msgspec.Struct, frozen=True, order=True):
    """Calls of one kind from one network."""

    call: str
    network: Network
    count: int


class Tally(msgspec.Struct, frozen=True):
    """What becomes of some callers' calls.

    `calls` are those that were put to the policies: denied, passed and unknown together.  `failed` were denied when
    they were made, and so not put: nothing can break there.  The `…_calls` hold the most frequent 20, `hit` the first
    20 of those callers that lose a call; `callers_hit` is how many they are.
    """

    calls: int
    denied: int
    passed: int
    unknown: int
    failed: int
    hangs_on: tuple[str, ...]  # what unknown answers hang on: condition keys, `action` or `resource`
    denied_calls: tuple[Counted, ...]
    passed_calls: tuple[Counted, ...]
    unknown_calls: tuple[Counted, ...]
    callers: int
    callers_hit: int
    hit: tuple[str, ...]


class Rehearsal(msgspec.Struct, frozen=True):
    """One option.  Of `thief` and `heirs` what is denied is stopped, of `workload` and `sisters` it is broken."""

    option: Option
    thief: Tally
    workload: Tally
    sisters: Tally
    heirs: Tally


def rehearse(theft: Theft, plan: Plan, endpoints: Iterable[Endpoint] = ()) -> Rehearsal:
    """Put all recorded calls to a plan's policies.

    `endpoints` are those of the account, if it was read: then `aws:SourceVpc` is known.  Raises PolicyError for a
    policy that is not understood to the letter.
    """
    trial = Trial(theft, plan, endpoints)
    return Rehearsal(
        plan.option,
        thief=_tally(trial, [theft.thief]),
        workload=_tally(trial, [theft.workload]),
        sisters=_tally(trial, theft.sisters),
        heirs=_tally(trial, theft.heirs),
    )


def best_first(rehearsed: Iterable[tuple[Plan, Rehearsal]]) -> list[tuple[Plan, Rehearsal]]:
    """What can be applied and leaves the thief least comes first; of equals what breaks least."""
    return sorted(rehearsed, key=_order)


_OPTIONS = tuple(Option)


def _order(rehearsed: tuple[Plan, Rehearsal]) -> tuple[bool | int, ...]:
    plan, found = rehearsed
    left = found.thief.passed + found.heirs.passed
    unsure = found.thief.unknown + found.heirs.unknown
    broken = found.workload.denied + found.sisters.denied
    risky = found.workload.unknown + found.sisters.unknown
    return plan.option.is_companion, bool(plan.troubles), left, unsure, broken, risky, _OPTIONS.index(plan.option)


class _Asked(msgspec.Struct, frozen=True):
    """A policy, read.

    `keys` are the condition keys it asks for, in lower case and as it writes them; `named` are its texts, `known` is
    what it said before.
    """

    deny: Deny
    policy: Policy
    keys: dict[str, str]
    named: tuple[str, ...]
    known: dict[Hashable, Verdict]


class Trial:
    """One plan for one theft, put to one call after the other."""

    def __init__(self, theft: Theft, plan: Plan, endpoints: Iterable[Endpoint] = ()) -> None:
        self._partition = theft.partition
        self._vpcs = {one.id: one.vpc for one in endpoints}
        self._asked = list(map(_asked, plan.denies))

    def verdict(self, caller: Caller, called: Called) -> Verdict:
        """What would have become of the call, had the plan been in force."""
        if caller.role == IDENTITY_ROLE:  # no policy applies to it
            return Verdict(Answer.ALLOWED)
        request = request_of(caller, called, self._partition, self._vpcs)
        whose = (caller.account, caller.role)
        theirs = [one for one in self._asked if (one.deny.account, one.deny.role) == whose]
        found = _joined([self._answer(one, request, caller, called) for one in theirs])
        # Whether signing in at the console takes a permission at all, no page says.
        is_unsure = found.answer is Answer.DENIED and called.call.startswith(_SIGN_IN)
        return Verdict(Answer.UNKNOWN, ("action",)) if is_unsure else found

    def _answer(self, asked: _Asked, request: Request, caller: Caller, called: Called) -> Verdict:
        # What it does not ask for makes no difference: so most calls are one question.
        context = {key: request.context[key] for key in asked.keys.keys() & request.context.keys()}
        context |= dict.fromkeys(asked.keys.keys() - TOLD, Gap.UNKNOWN)
        put = replace(request, context=context)
        choices = choices_of(put, caller, called, self._partition, asked.named)
        question = (put.action, frozenset(context.items()), tuple(choices.items()))
        if question not in asked.known:
            asked.known[question] = _answered(asked, put, choices)
        return asked.known[question]


def _asked(deny: Deny) -> _Asked:
    policy = read_policy(deny.document)
    conditions = [one for statement in policy.statements for one in statement.conditions]
    keys = [*(one.key for one in conditions), *(variable.key for one in conditions for variable in one.variables)]
    spelled = {key.lower(): key for key in sorted(keys)}
    return _Asked(deny, policy, spelled, tuple(_texts(json.loads(deny.document))), {})


def _texts(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for one in said.values() if isinstance(said, dict) else said:
            yield from _texts(one)


def _answered(asked: _Asked, request: Request, choices: Choices) -> Verdict:
    """The answer, whichever of these values the call had; unknown where it makes a difference."""
    verdicts = {
        judge_call(
            asked.policy,
            replace(request, context={**request.context, **dict(zip(choices, values, strict=True))}),
            boundary=asked.deny.is_boundary,
        )
        for values in product(*choices.values())
    }
    if len(verdicts) == 1:
        return verdicts.pop()
    keys = {key for one in verdicts for key in one.keys} | {asked.keys[key] for key in choices}
    return Verdict(Answer.UNKNOWN, tuple(sorted(keys)))


def _joined(verdicts: list[Verdict]) -> Verdict:
    """One policy that denies is enough."""
    answers = {one.answer for one in verdicts}
    if Answer.DENIED in answers:
        return Verdict(Answer.DENIED)
    keys = {key for one in verdicts for key in one.keys}
    return Verdict(Answer.UNKNOWN, tuple(sorted(keys))) if Answer.UNKNOWN in answers else Verdict(Answer.ALLOWED)


def _tally(trial: Trial, callers: Sequence[Caller]) -> Tally:
    counts: dict[Answer, Counter[tuple[str, Network]]] = {answer: Counter() for answer in Answer}
    keys: set[str] = set()
    hit: list[str] = []
    failed = 0
    for caller in callers:
        put = [one for one in caller.calls if not is_denied(one.error)]
        failed += len(caller.calls) - len(put)
        verdicts = [trial.verdict(caller, called) for called in put]
        for called, verdict in zip(put, verdicts, strict=True):
            counts[verdict.answer][called.call, called.network] += 1
            keys.update(verdict.keys)
        if any(verdict.answer is Answer.DENIED for verdict in verdicts):
            hit.append(caller.arn)
    denied, passed, unknown = (counts[one] for one in (Answer.DENIED, Answer.ALLOWED, Answer.UNKNOWN))
    return Tally(
        calls=denied.total() + passed.total() + unknown.total(),
        denied=denied.total(),
        passed=passed.total(),
        unknown=unknown.total(),
        failed=failed,
        hangs_on=tuple(sorted(keys)),
        denied_calls=_most(denied),
        passed_calls=_most(passed),
        unknown_calls=_most(unknown),
        callers=len(callers),
        callers_hit=len(hit),
        hit=tuple(sorted(hit)[:_SHOWN]),
    )


def _most(counts: Counter[tuple[str, Network]]) -> tuple[Counted, ...]:
    counted = sorted(Counted(call, network, count) for (call, network), count in counts.items())
    return tuple(sorted(counted, key=lambda one: one.count, reverse=True)[:_SHOWN])
