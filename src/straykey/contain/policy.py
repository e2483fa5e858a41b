"""Would this call be denied?

Evaluates the policies we emit, to the letter of IAM's pages; `read_policy` refuses all others.  A verdict is never a
guess: where it hangs on something the logs do not say, it is unknown and names it.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from straykey.contain.condition import holds
from straykey.contain.document import Policy, Scope, Statement, read_policy
from straykey.contain.pattern import Context, Gap, Pattern, Said, Wild, arn_like, like
from straykey.contain.truth import Truth, Unknown, all_of, any_of, inverse, unknown
from straykey.errors import PolicyError

__all__ = ["Answer", "Gap", "Policy", "Request", "Verdict", "judge_call", "read_policy", "scopes_of"]

# It answers whatever a policy says.  https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
_NEVER_DENIED = "sts:getcalleridentity"


class Request(msgspec.Struct, frozen=True):
    """A call as IAM sees it.

    `action` is IAM's name (`s3:ListBucket`), which is not always the API's.  Where it is not known, `service` may still
    be: what stands before the colon, in lower case.  No `resources` means the call acts on none.  `context` has the
    condition keys: one that is not in it is absent from the request, one that is a list in IAM is a tuple, and one that
    nobody wrote down is a `Gap`.
    """

    action: str | Gap
    resources: tuple[str, ...] | Gap = Gap.UNKNOWN
    context: Mapping[str, Said] = {}
    service: str = ""


class Answer(StrEnum):
    """What the policy does to a call; `ALLOWED` says only that it does not stand in the way."""

    DENIED = "denied"
    ALLOWED = "allowed"
    UNKNOWN = "unknown"


class Verdict(msgspec.Struct, frozen=True):
    """`keys` is what an unknown answer hangs on: condition keys, `action` or `resource`; sorted."""

    answer: Answer
    keys: tuple[str, ...] = ()


def judge_call(policy: Policy, request: Request, *, boundary: bool = False) -> Verdict:
    """Say whether `policy` denies the call; as a `boundary`, also what none of its statements allows.

    Raises PolicyError where a condition cannot be put to this request, such as a plain operator to a list.
    """
    if isinstance(request.action, str) and request.action.lower() == _NEVER_DENIED:
        return Verdict(Answer.ALLOWED)
    context = {key.lower(): said for key, said in request.context.items()}
    if len(context) != len(request.context):
        raise PolicyError("request: a condition key stands twice, in different case")
    # A call on several resources is authorised for each of them, and fails with the first that is denied.
    resources = (request.resources,) if isinstance(request.resources, Gap) else request.resources or ("*",)
    denied = any_of(_denied(policy, _called(request), one, context, boundary) for one in resources)
    if isinstance(denied, Unknown):
        return Verdict(Answer.UNKNOWN, tuple(sorted(denied.keys)))
    return Verdict(Answer.DENIED if denied else Answer.ALLOWED)


class _Some(msgspec.Struct, frozen=True):
    """An action of which only the service is known."""

    service: str


_Action = str | Gap | _Some


def _called(request: Request) -> _Action:
    if isinstance(request.action, str):
        return request.action.lower()
    return _Some(request.service) if request.service else request.action


def scopes_of(policy: Policy, request: Request) -> tuple[Truth, ...]:
    """Which statements cover the action.  Requests that are alike in that, and in all but the action, fare alike."""
    action = _called(request)
    is_never = action == _NEVER_DENIED
    return (is_never, *(_covers(one.actions, action, "action") for one in policy.statements))


def _denied(policy: Policy, action: _Action, resource: str | Gap, context: Context, boundary: bool) -> Truth:
    applied = [(one.denies, _applies(one, action, resource, context)) for one in policy.statements]
    denied = any_of(truth for denies, truth in applied if denies)
    allowed = any_of(truth for denies, truth in applied if not denies)
    return any_of([denied, inverse(allowed)]) if boundary else denied


def _applies(statement: Statement, action: _Action, resource: str | Gap, context: Context) -> Truth:
    scoped = all_of([_covers(statement.actions, action, "action"), _covers(statement.resources, resource, "resource")])
    if scoped is False:
        return False
    try:
        return all_of([scoped, *(holds(one, context) for one in statement.conditions)])
    except PolicyError as error:
        raise PolicyError(f"{statement.name}: {error}") from None


def _covers(scope: Scope, named: _Action, what: str) -> Truth:
    matched = any_of(_matches(parts, named, what) for parts in scope.patterns)
    return inverse(matched) if scope.negated else matched


def _matches(parts: tuple[Pattern, ...], named: _Action, what: str) -> Truth:
    if parts == ((Wild.MANY,),):
        return True
    if isinstance(named, _Some):
        return _matches_some(parts[0], named.service)
    if isinstance(named, Gap):
        return unknown(what)
    return like(parts[0], named, {}) if len(parts) == 1 else all_of(arn_like(parts, named, {}))


def _matches_some(pattern: Pattern, service: str) -> Truth:
    """Whether all actions of the service fit, or none."""
    colon = pattern.index(":")
    if like(pattern[:colon], service, {}) is False:
        return False
    return True if pattern[colon + 1 :] == (Wild.MANY,) else unknown("action")
