"""All folded evidence.

Folding and merging are commutative, associative and idempotent (see `core.evidence`): any order, any grouping and any
repetition of the same records gives the same ledger once it is settled.
"""

import msgspec

from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.fact import Facts
from straykey.core.grant import Grant
from straykey.core.making import Made
from straykey.core.network import is_account
from straykey.core.observation import Issued, Use
from straykey.core.session import Session, is_instance_id, parse_session


class Ledger(msgspec.Struct):
    """Evidence by ARN, the accounts whose own records were read, what EC2 granted, and what was made with keys."""

    bounds: Bounds = Bounds()
    sessions: dict[str, Evidence] = {}
    accounts: set[str] = set()
    grants: Facts[Grant] = msgspec.field(default_factory=Facts)
    makings: Facts[Made] = msgspec.field(default_factory=Facts)

    def observe(self, observation: Issued | Grant | Made) -> None:
        """Fold one observation that is no use."""
        if isinstance(observation, Issued):
            self._evidence(observation.session).observe_issuance(observation, self.bounds)
        elif isinstance(observation, Grant):
            self.grants.note(*_place_of_grant(observation), observation, self.bounds.grants)
        else:
            self.makings.note(*_place_of(observation), observation, self.bounds.makings)

    def observe_use(self, use: Use) -> Sighting:
        """Fold one use; returns the sighting it belongs to."""
        return self._evidence(use.session).observe(use, self.bounds)

    def absorb(self, other: "Ledger") -> None:
        """Fold all of `other`, which must not be used afterwards: its parts may become ours."""
        for arn, theirs in other.sessions.items():
            ours = self.sessions.setdefault(arn, theirs)
            if ours is not theirs:
                ours.absorb(theirs, self.bounds)
        self.accounts |= other.accounts
        self.grants.absorb(other.grants, self.bounds.grants)
        self.makings.absorb(other.makings, self.bounds.makings)

    def settle(self) -> None:
        """Bring to the one form that any order of reading leads to.  Needed before judging or comparing."""
        self.accounts = set(filter(is_account, self.accounts))
        for evidence in self.sessions.values():
            evidence.settle(self.bounds)
        self.grants.settle(self.bounds.grants)
        self.makings.settle(self.bounds.makings)

    def _evidence(self, session: Session) -> Evidence:
        evidence = self.sessions.get(session.arn)
        if evidence is None:
            evidence = self.sessions[session.arn] = Evidence(session)
        return evidence


def _place_of(made: Made) -> tuple[str, str]:
    """Under whom it is kept, and by which key there: by who made it from where, and of which kind it is.

    So neither another maker nor a flood of one kind crowds it out; sessions named after instances are a kind of their
    own.  The copy in the other account may not say who: it is joined later, by its identity.
    """
    whose = f"{made.maker} {made.maker_network}" if made.maker else made.made
    session = parse_session(made.made)
    return f"{whose} {made.api} {session is not None and is_instance_id(session.name)}", made.key


def _place_of_grant(grant: Grant) -> tuple[str, str]:
    """By what it is about and of which kind it is; a restart of what ran already is none."""
    return f"{grant.subject} {grant.api} {grant.was_stopped}", grant.key
