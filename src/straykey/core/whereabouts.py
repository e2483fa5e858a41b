"""Where what was made was used: which sessions bear each made key, or are a user that was taken.

Only their names are kept; what was seen of them is looked up when a theft leads there.
"""

from collections import defaultdict
from collections.abc import Callable

from straykey.core.evidence import Evidence, Sighting
from straykey.core.pivot import Makings, taken_users, user_key


class Whereabouts:
    """Filled session by session, then asked."""

    def __init__(self, makings: Makings) -> None:
        self._made_keys = {made.access_key for made in makings} - {""}
        self._users = taken_users(makings)
        self._by_key: dict[str, list[tuple[str, str]]] = defaultdict(list)  # session and network
        self._by_user: dict[str, list[str]] = defaultdict(list)

    def note(self, arn: str, evidence: Evidence) -> None:
        if self._made_keys:
            for network, sighting in evidence.sightings.items():
                for key in sighting.keys.times:
                    if key in self._made_keys:
                        self._by_key[key].append((arn, network))
        if not evidence.session.role and user_key(arn) in self._users:
            self._by_user[user_key(arn)].append(arn)

    def of_key(self, key: str, evidence_of: Callable[[str], Evidence]) -> list[Sighting]:
        return [evidence_of(arn).sightings[network] for arn, network in self._by_key.get(key, ())]

    def of_user(self, user: str, evidence_of: Callable[[str], Evidence]) -> list[Sighting]:
        return [one for arn in self._by_user.get(user, ()) for one in evidence_of(arn).sightings.values()]
