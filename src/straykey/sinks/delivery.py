"""What was handed over and what was not: the same rules for every sink.

A notification is refused for good only if it is itself to blame.  That the door is shut, moved or locked says nothing
of what waits before it: that can be mended, and then all of it is delivered.
"""

from collections.abc import Callable, Iterable, Sequence

from straykey import aws
from straykey.formats.text import bounded
from straykey.ports import Notification, Refusal

_LONGEST_REASON = 300
# What AWS says of what it was given, not of who gave it nor of how often.
_FINAL = frozenset(
    {
        "InvalidArgument",
        "InvalidInput",
        "InvalidInputException",
        "InvalidParameter",
        "InvalidParameterException",
        "InvalidParameterValue",
        "MalformedDetail",
        "ParamValidationError",
        "ParameterValueInvalid",
        "ValidationError",
        "ValidationException",
    }
)


class Shut(Exception):  # noqa: N818 - no error of the program: the other side is
    """Nothing gets through at present, for a reason that may be shown."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def in_turn(notifications: Sequence[Notification], send: Callable[[Notification], Refusal | None]) -> list[Refusal]:
    """Deliver one by one; once it is `Shut`, the rest is refused untried: each try might take as long as the first."""
    refused: list[Refusal] = []
    for number, notification in enumerate(notifications):
        try:
            refusal = send(notification)
        except Shut as shut:
            return refused + held_back(notifications[number:], shut)
        if refusal:
            refused.append(refusal)
    return refused


def held_back(notifications: Iterable[Notification], shut: Shut) -> list[Refusal]:
    """All of them, to be tried again."""
    return [Refusal(one.key, reason(str(shut)), retry_after=shut.retry_after) for one in notifications]


def too_large(notification: Notification, where: str) -> Refusal:
    return Refusal(notification.key, reason(f"{where}: too large, even with the least of it"), is_final=True)


def reason(text: str) -> str:
    """Whatever it was made of, in one short line that may be shown."""
    return bounded(text, _LONGEST_REASON)


def is_final(code: str) -> bool:
    """Whether this word of AWS's blames what was sent."""
    return code in _FINAL


def refused_by_aws(notification: Notification, error: Exception, where: str, permission: str) -> Refusal:
    """Of a call for one notification; raises `Shut` unless that one is to blame."""
    if not is_final(aws.code_of(error)):
        raise Shut(str(aws.refusal(error, where, permission))) from error
    return Refusal(notification.key, reason(f"{where}: not taken ({aws.code_of(error)})"), is_final=True)
