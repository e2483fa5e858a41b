"""Endpoints: whose they are, which services name owners, and what each account calls through which.

Sessions come and go: each line is counted, and holds as long as anybody tells it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from straykey.core.fleet import Ask
from straykey.core.glance import Glance, Passage


class Doorways:
    """Parts of a `Fleet`, to be read in place; `granted` are the owners that EC2's own records tell."""

    def __init__(self, granted: Mapping[str, str]) -> None:
        self.owners: dict[str, str] = dict(granted)
        self.naming: set[str] = set()
        self.by_service: dict[tuple[str, str], set[str]] = {}
        self.changed: set[Ask] = set()  # since it was emptied last
        self._granted = dict(granted)
        self._named: dict[str, Counter[str]] = defaultdict(Counter)  # by endpoint: how many name which owner
        self._naming: Counter[str] = Counter()
        self._uses: Counter[tuple[str, str, str]] = Counter()  # by account, service and endpoint

    def grant(self, granted: Mapping[str, str]) -> None:
        """Take these for the owners that EC2's records tell."""
        before, self._granted = self._granted, dict(granted)
        self._find_owners(endpoint for endpoint, _ in before.items() ^ self._granted.items())

    def note(self, glance: Glance) -> None:
        """Take in a session."""
        for passage in glance.passages:
            self._count(passage, 1)
            for service in _used(passage, glance):
                use = (glance.account, service, passage.endpoint)
                self._uses[use] += 1
                if self._uses[use] == 1:
                    self.by_service.setdefault(use[:2], set()).add(passage.endpoint)
                    self.changed.add(("endpoints", use[:2]))

    def put(self, before: Glance | None, after: Glance | None) -> None:
        """Take a session as it is now for what was noted of it."""
        if before and after and before.passages == after.passages and before.is_workload == after.is_workload:
            return
        if after is not None:
            self.note(after)  # first, or what both tell would go and come
        if before is not None:
            self._forget(before)

    def _forget(self, glance: Glance) -> None:
        for passage in glance.passages:
            self._count(passage, -1)
            for service in _used(passage, glance):
                use = (glance.account, service, passage.endpoint)
                self._uses[use] -= 1
                if not self._uses[use]:
                    self._close(use)

    def _close(self, use: tuple[str, str, str]) -> None:
        del self._uses[use]
        there = self.by_service[use[:2]]
        there.discard(use[2])
        if not there:
            del self.by_service[use[:2]]
        self.changed.add(("endpoints", use[:2]))

    def _count(self, passage: Passage, by: int) -> None:
        """Count what a record that names the owner tells."""
        if not passage.owner:
            return
        named = self._named[passage.endpoint]
        named[passage.owner] += by
        if not named[passage.owner]:
            del named[passage.owner]
        self._find_owners([passage.endpoint])
        for service in passage.services:
            self._naming[service] += by
            if not self._naming[service]:
                del self._naming[service]
            if (service in self.naming) != (service in self._naming):
                self.naming ^= {service}
                self.changed.add(("naming", service))

    def _find_owners(self, endpoints: Iterable[str]) -> None:
        for endpoint in endpoints:
            owner = max((*self._named.get(endpoint, ()), self._granted.get(endpoint, "")))
            if self.owners.get(endpoint, "") != owner:
                self.owners[endpoint] = owner
                self.changed.add(("endpoint_owners", endpoint))


def _used(passage: Passage, glance: Glance) -> Iterable[str]:
    """Of what is no workload nobody asks what it calls."""
    return passage.services if glance.is_workload else ()
