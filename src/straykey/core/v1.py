"""Which roles' keys were handed out by IMDSv1."""

from collections import defaultdict
from operator import itemgetter

import msgspec

from straykey.core.evidence import Evidence

V1 = "1.0"


class V1Use(msgspec.Struct, frozen=True, gc=False):
    """Use of such keys by one session: when the first was used, and when its networks were used last."""

    first: str
    last: str


def v1_use_of(evidence: Evidence) -> V1Use | None:
    seen = [one for one in evidence.sightings.values() if V1 in one.deliveries.times]
    if not seen:
        return None
    return V1Use(min(one.deliveries.times[V1] for one in seen), max(one.last.time for one in seen))


class V1Role(msgspec.Struct):
    """What is told of one role: how many of its sessions used such keys, some by name, and when."""

    count: int = 0
    first: str = ""
    last: str = ""
    arns: list[str] = []


class Deliveries:
    """Filled session by session, then asked; of each role the first sessions by name are kept."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._by_role: dict[str, V1Role] = defaultdict(V1Role)

    def note(self, role: str, arn: str, use: V1Use) -> None:
        known = self._by_role[role]
        known.count += 1
        known.first = min(known.first or use.first, use.first)
        known.last = max(known.last, use.last)
        known.arns.append(arn)
        if len(known.arns) > 2 * self._most:
            known.arns = sorted(known.arns)[: self._most]

    def by_role(self) -> list[tuple[str, V1Role]]:
        return [(role, self._first_by_name(known)) for role, known in sorted(self._by_role.items(), key=itemgetter(0))]

    def _first_by_name(self, known: V1Role) -> V1Role:
        return msgspec.structs.replace(known, arns=sorted(known.arns)[: self._most])
