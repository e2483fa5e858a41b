"""Where what was made was used: which sessions bear each made key, or are a user that was taken.

Only their names are kept; what was seen of them is looked up when a theft leads there.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from straykey.core.evidence import Evidence, Sighting
from straykey.core.index import Index
from straykey.core.pivot import Makings, taken_users, user_key


class _Names(Protocol):
    def get(self, key: str, /) -> Collection[str]: ...


class Whereabouts:
    """By key, and by `user_key`, the sessions that bear it; a few that do not may be among them."""

    def __init__(self, by_key: _Names, by_user: _Names) -> None:
        self._by_key = by_key
        self._by_user = by_user

    def of_key(self, key: str, evidence_of: Callable[[str], Evidence]) -> list[Sighting]:
        seen = (one for arn in self._by_key.get(key) for one in evidence_of(arn).sightings.values())
        return [one for one in seen if key in one.keys.times]

    def of_user(self, user: str, evidence_of: Callable[[str], Evidence]) -> list[Sighting]:
        return [one for arn in self._by_user.get(user) for one in evidence_of(arn).sightings.values()]


class Lookout:
    """Filled session by session: keeps the names of those that bear anything made."""

    def __init__(self, makings: Makings) -> None:
        self._made_keys = {made.access_key for made in makings} - {""}
        self._users = taken_users(makings)
        self._by_key: Index[str] = Index()
        self._by_user: Index[str] = Index()

    def note(self, arn: str, evidence: Evidence) -> None:
        if self._made_keys:
            for sighting in evidence.sightings.values():
                for key in sighting.keys.times:
                    if key in self._made_keys:
                        self._by_key.add(key, arn)
        if not evidence.session.role and user_key(arn) in self._users:
            self._by_user.add(user_key(arn), arn)

    def whereabouts(self) -> Whereabouts:
        return Whereabouts(self._by_key, self._by_user)
