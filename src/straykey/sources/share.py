"""Cuts what is to be read into shares for processes; neighbours stay together, for they hold the same sessions.

Shares are as large as may be: what a session has in several of them is met in each.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")
# In bytes, as they lie there.  A process that dies costs a share.
_SMALLEST = 1 << 20
_LARGEST = 1 << 25


def cut(whole: Sequence[_T], cost: Callable[[_T], int], jobs: int) -> list[list[_T]]:
    """`whole` in shares of about equal cost, in bytes, as many for each process.

    The last are smaller, so that nobody waits long for the one that is behind.
    """
    shares: list[list[_T]] = []
    left = sum(map(cost, whole))
    room, due = 0, 0  # of this share; shares of this round
    for one in whole:
        if room <= 0:
            due = due or jobs
            room = max(min(left // due, _LARGEST), _SMALLEST)
            due -= 1
            shares.append([])
        shares[-1].append(one)
        room -= cost(one)
        left -= cost(one)
    return shares
