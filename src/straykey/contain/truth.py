"""Yes, no, and what the logs do not say.

A rehearsal must not guess.  So a condition on something nobody wrote down is neither true nor false but `Unknown`,
with the names it hangs on, and only what decides without it decides.
"""

from collections.abc import Iterable

import msgspec


class Unknown(msgspec.Struct, frozen=True):
    """Would be settled by knowing `keys`; never empty."""

    keys: frozenset[str]


Truth = bool | Unknown


def unknown(key: str) -> Unknown:
    """What hangs on one name."""
    return Unknown(frozenset({key}))


def all_of(truths: Iterable[Truth]) -> Truth:
    """False if one is false, whatever is unknown beside it."""
    return inverse(any_of(map(inverse, truths)))


def any_of(truths: Iterable[Truth]) -> Truth:
    """True if one is true, whatever is unknown beside it."""
    # All of them, even after a true one: a refusal must not depend on the order.
    heard = list(truths)
    if any(truth is True for truth in heard):
        return True
    keys = frozenset[str]().union(*(truth.keys for truth in heard if isinstance(truth, Unknown)))
    return Unknown(keys) if keys else False


def inverse(truth: Truth) -> Truth:
    """What is unknown stays so."""
    return truth if isinstance(truth, Unknown) else not truth
