"""Which roles' keys were handed out by IMDSv1."""

from collections import defaultdict
from operator import itemgetter

import msgspec

from straykey.core.evidence import Evidence

V1 = "1.0"


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

    def note(self, role: str, arn: str, evidence: Evidence) -> None:
        seen = [one for one in evidence.sightings.values() if V1 in one.deliveries.times]
        if not seen:
            return
        known = self._by_role[role]
        known.count += 1
        firsts = [one.deliveries.times[V1] for one in seen]
        known.first = min(known.first or firsts[0], *firsts)
        known.last = max(known.last, *(one.last.time for one in seen))
        known.arns.append(arn)
        if len(known.arns) > 2 * self._most:
            known.arns = sorted(known.arns)[: self._most]

    def by_role(self) -> list[tuple[str, V1Role]]:
        return [(role, self._first_by_name(known)) for role, known in sorted(self._by_role.items(), key=itemgetter(0))]

    def _first_by_name(self, known: V1Role) -> V1Role:
        return msgspec.structs.replace(known, arns=sorted(known.arns)[: self._most])
