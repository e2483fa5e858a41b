"""What a plan stops and what it breaks: its policies, put to the calls that were recorded.

Nothing is guessed: where the answer hangs on what the logs do not say, it is unknown, and the condition keys are named.
The numbers are those of the calls that evidence keeps; of a network with very many that is a sample.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from straykey.contain.account import Endpoint
from straykey.contain.plan import Option, Plan
from straykey.contain.policy import Answer, Request, Verdict
from straykey.contain.request import request_of
from straykey.contain.rerouting import sent, way_of
from straykey.contain.theft import Called, Caller, Theft
from straykey.contain.trial import Trial, together
from straykey.core.network import Network
from straykey.core.reasons import is_denied
from straykey.core.session import IDENTITY_ROLE

NEVER_DENIED = "sts:GetCallerIdentity"  # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_SHOWN = 20


class Counted(msgspec.Struct, frozen=True, order=True):
    """Calls of one kind from one network."""

    call: str
    network: Network
    count: int


class Tally(msgspec.Struct, frozen=True):
    """What becomes of some callers' calls.

    `calls` are those that were put to the policies: denied, passed and unknown together.  `failed` were denied when
    they were made, and so not put: nothing can break there.  Nor are the `never_denied`, which are answered whatever a
    policy says: they can neither be stopped nor broken.  The `…_calls` hold the most frequent 20, `hit` the first 20 of
    those callers that lose a call; `callers_hit` is how many they are.
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
    never_denied: int = 0


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
    force = InForce(theft, plan, endpoints)
    return Rehearsal(
        plan.option,
        thief=_tally(force, [theft.thief]),
        workload=_tally(force, [theft.workload]),
        sisters=_tally(force, theft.sisters),
        heirs=_tally(force, theft.heirs),
    )


_Rehearsed = tuple[Plan, Rehearsal | None]


def best_first(rehearsed: Iterable[_Rehearsed]) -> list[_Rehearsed]:
    """What can be applied and leaves the thief least comes first; of equals what breaks least.

    Left are calls that pass, then what he made and the plan does not touch: what a user he made will do is in no
    record yet.  What could not be rehearsed comes after what could.
    """
    return sorted(rehearsed, key=_order)


_OPTIONS = tuple(Option)


def _order(rehearsed: _Rehearsed) -> tuple[bool | int, ...]:
    plan, found = rehearsed
    place = (plan.option.is_companion, bool(plan.troubles), found is None)
    if found is None:
        return (*place, _OPTIONS.index(plan.option))
    left = found.thief.passed + found.heirs.passed
    unsure = found.thief.unknown + found.heirs.unknown
    broken = found.workload.denied + found.sisters.denied
    risky = found.workload.unknown + found.sisters.unknown
    covered = len(plan.covers)
    return *place, left, -covered, unsure, broken, risky, _OPTIONS.index(plan.option)


class InForce:
    """A plan as if its policies stood: put to one call after the other."""

    def __init__(self, theft: Theft, plan: Plan, endpoints: Iterable[Endpoint] = ()) -> None:
        self._theft = theft
        self._rerouted = plan.rerouted
        self._vpcs = {one.id: one.vpc for one in endpoints}
        self._trials = [(one, Trial(one.document, is_boundary=one.is_boundary)) for one in plan.denies]

    def verdict(self, caller: Caller, called: Called, *, is_thiefs: bool = False) -> Verdict:
        """What would have become of the call, had the plan been in force.

        Only callers that are not the thief's take the way that the plan's steps open to them.
        """
        if caller.role == IDENTITY_ROLE:  # no policy applies to it
            return Verdict(Answer.ALLOWED)
        whose = (caller.account, caller.role)
        theirs = [trial for deny, trial in self._trials if (deny.account, deny.role) == whose]
        request = self._request(caller, called, is_thiefs)
        return together(trial.verdict(request, caller, called, self._theft.partition) for trial in theirs)

    def _request(self, caller: Caller, called: Called, is_thiefs: bool) -> Request:
        request = request_of(caller, called, self._theft.partition, self._vpcs)
        if self._rerouted is None or is_thiefs:
            return request
        return sent(request, way_of(caller, called, self._theft, self._rerouted), self._rerouted.vpc)


def _tally(force: InForce, callers: Sequence[Caller]) -> Tally:
    counts: dict[Answer, Counter[tuple[str, Network]]] = {answer: Counter() for answer in Answer}
    keys: set[str] = set()
    hit: list[str] = []
    for caller in callers:
        put = [one for one in caller.calls if _is_put(one)]
        verdicts = [force.verdict(caller, called) for called in put]
        for called, verdict in zip(put, verdicts, strict=True):
            counts[verdict.answer][called.call, called.network] += 1
            keys.update(verdict.keys)
        if any(verdict.answer is Answer.DENIED for verdict in verdicts):
            hit.append(caller.arn)
    all_calls = [called for caller in callers for called in caller.calls]
    denied, passed, unknown = (counts[one] for one in (Answer.DENIED, Answer.ALLOWED, Answer.UNKNOWN))
    return Tally(
        calls=denied.total() + passed.total() + unknown.total(),
        denied=denied.total(),
        passed=passed.total(),
        unknown=unknown.total(),
        failed=sum(is_denied(one.error) for one in all_calls if one.call != NEVER_DENIED),
        hangs_on=tuple(sorted(keys)),
        denied_calls=_most(denied),
        passed_calls=_most(passed),
        unknown_calls=_most(unknown),
        callers=len(callers),
        callers_hit=len(hit),
        hit=tuple(sorted(hit)[:_SHOWN]),
        never_denied=sum(one.call == NEVER_DENIED for one in all_calls),
    )


def _is_put(called: Called) -> bool:
    return called.call != NEVER_DENIED and not is_denied(called.error)


def _most(counts: Counter[tuple[str, Network]]) -> tuple[Counted, ...]:
    counted = sorted(Counted(call, network, count) for (call, network), count in counts.items())
    return tuple(sorted(counted, key=lambda one: one.count, reverse=True)[:_SHOWN])
