"""How long is waited for AWS: calls that fail for a moment come again, and what was changed is seen only later."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from straykey import aws

_T = TypeVar("_T")

_WAITS_SECONDS = (1, 2, 4, 8, 16)
_LONGEST_WAIT_SECONDS = 8.0


class Clock(msgspec.Struct, frozen=True):
    """How time passes."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def patiently(clock: Clock, ask: Callable[[], _T]) -> _T:
    """What AWS answers to a call that changes nothing; half a minute of throttling and passing failures is sat out."""
    for seconds in _WAITS_SECONDS:
        try:
            return ask()
        except aws.failures() as error:
            if not (aws.is_throttling(error) or aws.is_passing(error)):
                raise
        clock.sleep(seconds)
    return ask()


def tries(clock: Clock, patience_seconds: float) -> Iterator[bool]:
    """One for each try, with growing waits between; true for the last one."""
    ends = clock.now() + patience_seconds
    wait = 1.0
    while (left := ends - clock.now()) > 0:
        yield False
        clock.sleep(min(wait, max(left, 0.0)))
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
    yield True
