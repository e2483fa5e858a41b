"""What was found out of sessions, kept until something changes that it came of."""

from collections.abc import Callable, Iterable, Set
from typing import TypeVar, cast

import msgspec

from straykey.core.asking import Asked
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
        answer = find(asked.of(fleet))
        there[about] = _Found(given, answer, asked)
        self._note(arn, asked)
        return answer

    def drop(self, arn: str) -> None:
        """Forget all that was found out of a session."""
        self._found.pop(arn, None)
        for ask in self._asked.pop(arn, ()):
            self._askers.discard(ask, arn)

    def shaken(self, fleet: Fleet, changed: Set[Ask]) -> set[str]:
        """The sessions of which something may be otherwise in a fleet in which these keys changed."""
        askers = {arn for ask in changed for arn in self._askers.get(ask)}
        return {arn for arn in askers if not self._stands(arn, fleet, changed)}

    def _stands(self, arn: str, fleet: Fleet, changed: Set[Ask]) -> bool:
        for found in self._of(arn):
            if not found.asked.stands(fleet, changed):
                return False
            self._note(arn, found.asked)  # for the same answers it may have looked up others
        return True

    def _note(self, arn: str, asked: Asked) -> None:
        known = self._asked.setdefault(arn, set())
        for ask in asked.keys - known:
            self._askers.add(ask, arn)
        known |= asked.keys

    def shaken_by(self, holdings: Holds) -> set[str]:
        """The sessions of which something may be otherwise with these grants."""
        return {arn for arn in self._found if not all(one.asked.stands_by(holdings) for one in self._of(arn))}

    def sessions(self) -> set[str]:
        """Those of which anything was found out."""
        return set(self._found)

    def _of(self, arn: str) -> Iterable[_Found]:
        return self._found[arn].values()
