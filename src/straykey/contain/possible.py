"""What a condition key may have held of which only a part is known.

When a key was handed out may not be known, but it was before it was used; of `aws:userid` the session's name is, of an
instance's ARN all but the region.  So a policy is asked for each value that may make a difference to it: those it names
itself, and one that it does not.  If all answers are one, nothing is unknown.
"""

from collections.abc import Callable, Iterator, Sequence

from straykey.contain.pattern import Gap
from straykey.contain.policy import Request
from straykey.contain.request import INSTANCE_ARN, ISSUED, USER_ID, instance_arn
from straykey.contain.theft import Called, Caller
from straykey.core.moment import later, moment

_LONG_AGO = "1970-01-01T00:00:00Z"
_NO_REGION = "-"
_NO_ID = "AROA-"  # so begin all ids of roles

Choices = dict[str, tuple[str, ...]]


def choices_of(request: Request, caller: Caller, called: Called, partition: str, named: Sequence[str]) -> Choices:
    """By key, the values it may have had; `named` are all texts of the policy that is asked."""
    asked: dict[str, Callable[[], Iterator[str]]] = {
        ISSUED: lambda: _times(called, named),
        USER_ID: lambda: _user_ids(caller, named),
        INSTANCE_ARN: lambda: _instances(caller, partition, named),
    }
    possible = {key: tells() for key, tells in asked.items() if request.context.get(key) is Gap.PRESENT}
    found = {key: tuple(sorted(set(values))) for key, values in possible.items()}
    return {key: values for key, values in found.items() if values}


def _times(called: Called, named: Sequence[str]) -> Iterator[str]:
    yield from (_LONG_AGO, called.time)
    for time in filter(None, map(moment, named)):
        yield from (one for one in (later(time, -1), time, later(time, 1)) if one <= called.time)


def _user_ids(caller: Caller, named: Sequence[str]) -> Iterator[str]:
    if caller.role:
        name = f":{caller.arn.split('/', 2)[2]}"
        yield f"{_NO_ID}{name}"
        yield from (one for one in named if one.endswith(name))


def _instances(caller: Caller, partition: str, named: Sequence[str]) -> Iterator[str]:
    if caller.instance:
        regions = [one.split(":")[3] for one in named if one.startswith("arn:") and one.count(":") >= 5]
        yield from (instance_arn(caller, partition, region) for region in (_NO_REGION, *regions))
