"""What the instances of each role do from home, kept as sessions come, change and go."""

from collections import defaultdict
from collections.abc import Iterator

from straykey.core.custom import Customs, Kit
from straykey.core.v1 import Deliveries, V1Role, V1Use


class Habits:
    """Of a role in which something changed all is asked anew, of the others nothing."""

    def __init__(self, allowed: dict[str, frozenset[str]]) -> None:
        self._allowed = allowed
        self._kits: dict[str, dict[str, tuple[str, Kit]]] = defaultdict(dict)  # by role and session, with whose it is
        self._uses: dict[str, dict[str, V1Use]] = defaultdict(dict)
        self._strange: dict[str, list[tuple[str, frozenset[str]]]] = {}
        self._delivered: dict[str, V1Role] = {}
        self._other_kits: set[str] = set()  # roles in which these changed
        self._other_uses: set[str] = set()

    def put_kit(self, role: str, arn: str, who: str, kit: Kit) -> None:
        if self._kits[role].get(arn) != (who, kit):
            self._kits[role][arn] = (who, kit)
            self._other_kits.add(role)

    def put_use(self, role: str, arn: str, use: V1Use) -> None:
        if self._uses[role].get(arn) != use:
            self._uses[role][arn] = use
            self._other_uses.add(role)

    def drop_kit(self, role: str, arn: str) -> None:
        if self._kits[role].pop(arn, None) is not None:
            self._other_kits.add(role)

    def drop_use(self, role: str, arn: str) -> None:
        if self._uses[role].pop(arn, None) is not None:
            self._other_uses.add(role)

    def strange(self) -> Iterator[tuple[str, frozenset[str]]]:
        """As `Customs.strange` of all."""
        for role in self._other_kits:
            customs = Customs(self._allowed)
            for arn, (who, kit) in self._kits[role].items():
                customs.note(role, who, arn, kit)
            self._strange[role] = list(customs.strange())
        self._other_kits.clear()
        for strange in self._strange.values():
            yield from strange

    def deliveries(self) -> list[tuple[str, V1Role]]:
        """As `Deliveries.by_role` of all."""
        for role in self._other_uses:
            self._delivered.pop(role, None)
            deliveries = Deliveries()
            for arn, use in self._uses[role].items():
                deliveries.note(role, arn, use)
            self._delivered.update(deliveries.by_role())
        self._other_uses.clear()
        return sorted(self._delivered.items())
