"""What was found out of sessions, kept until something changes that it came of."""

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import msgspec

from straykey.core.asking import Asked, asked_of
from straykey.core.fleet import Ask, Fleet
from straykey.core.holding import Holds
from straykey.core.index import Index

_T = TypeVar("_T")


class _Found(msgspec.Struct, frozen=True):
    given: object
    answer: object
    asked: Asked


class Memo:
    """Answers by session and by what they are about, with what was asked of the fleet for each."""

    def __init__(self) -> None:
        self._found: dict[str, dict[tuple[str, ...], _Found]] = {}
        self._asked: dict[str, set[Ask]] = {}  # by session, for any answer so far
        self._askers: Index[Ask] = Index()

    def find(self, arn: str, about: tuple[str, ...], given: object, fleet: Fleet, find: Callable[[Fleet], _T]) -> _T:
        """The answer as it was found before, or is now; `given` must be equal for the same answer."""
        there = self._found.setdefault(arn, {})
        known = there.get(about)
        if known is not None and known.given == given:
            return cast(_T, known.answer)
        asked = Asked()
        answer = find(asked_of(fleet, asked))
        there[about] = _Found(given, answer, asked)
        self._asked.setdefault(arn, set()).update(asked.keys)
        for ask in asked.keys:
            self._askers.add(ask, arn)
        return answer

    def drop(self, arn: str) -> None:
        """Forget all that was found out of a session."""
        self._found.pop(arn, None)
        for ask in self._asked.pop(arn, ()):
            self._askers.discard(ask, arn)

    def askers(self, asks: Iterable[Ask]) -> set[str]:
        """The sessions of which something was found out by asking for any of these."""
        return {arn for ask in asks for arn in self._askers.get(ask)}

    def answered_otherwise(self, holdings: Holds) -> set[str]:
        """The sessions of which something may be otherwise with these grants."""
        return {
            arn
            for arn, there in self._found.items()
            if not all(one.asked.is_answered_alike(holdings) for one in there.values())
        }

    def sessions(self) -> set[str]:
        """Those of which anything was found out."""
        return set(self._found)
