"""All folded evidence.

Folding and merging are commutative, associative and idempotent (see `core.evidence`): any order, any grouping and any
repetition of the same records gives the same ledger once it is settled.
"""

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting, Trace
from straykey.core.network import is_account
from straykey.core.record import Allocation, Issued, Observation, Use
from straykey.core.sample import Firsts
from straykey.core.session import Session


class Ledger(msgspec.Struct):
    """Evidence by session ARN, the accounts whose own records were read, and who was given which public address."""

    bounds: Bounds = Bounds()
    sessions: dict[str, Evidence] = {}
    accounts: set[str] = set()
    owners: dict[str, Firsts] = {}

    def observe(self, observation: Observation) -> None:
        """Fold one observation."""
        if isinstance(observation, Use):
            self.observe_use(observation)
        elif isinstance(observation, Issued):
            self._evidence(observation.session).observe_issuance(observation, self.bounds)
        else:
            self._own(observation)

    def observe_use(self, use: Use) -> Sighting | Trace:
        """Fold one use; returns the sighting, or the trace, it belongs to."""
        return self._evidence(use.session).observe(use, self.bounds)

    def absorb(self, other: "Ledger") -> None:
        """Fold all of `other`, which must not be used afterwards: its parts may become ours."""
        for arn, theirs in other.sessions.items():
            ours = self.sessions.setdefault(arn, theirs)
            if ours is not theirs:
                ours.absorb(theirs, self.bounds)
        self.accounts |= other.accounts
        for address, theirs_of_address in other.owners.items():
            self.owners.setdefault(address, Firsts()).absorb(theirs_of_address, self.bounds.owners)

    def settle(self) -> None:
        """Bring to the one form that any order of reading leads to.  Needed before judging or comparing."""
        self.accounts = set(filter(is_account, self.accounts))
        for evidence in self.sessions.values():
            evidence.settle(self.bounds)
        for holders in self.owners.values():
            holders.settle(self.bounds.owners)

    def _evidence(self, session: Session) -> Evidence:
        evidence = self.sessions.get(session.arn)
        if evidence is None:
            evidence = self.sessions[session.arn] = Evidence(session)
        return evidence

    def _own(self, allocation: Allocation) -> None:
        holders = self.owners.setdefault(allocation.address, Firsts())
        holders.note(allocation.account, allocation.time, self.bounds.owners)
