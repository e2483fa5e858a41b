"""All folded evidence.

Folding and merging are commutative, associative and idempotent (see `core.evidence`): any order, any grouping and any
repetition of the same records gives the same ledger once it is settled.
"""

from collections.abc import Mapping, Set
from typing import Protocol

import msgspec

from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts, key_of
from straykey.core.grant import Grant
from straykey.core.making import Made
from straykey.core.network import is_account
from straykey.core.observation import Issued, Use, observe
from straykey.core.record import Record, Skipped
from straykey.core.run import Open, Packing, Runs
from straykey.core.session import Session, is_instance_id, parse_session


class Settled(Protocol):
    """A ledger that can be judged, whether its sessions lie open or packed.

    Looking at all of packed sessions costs as much as reading a few records of each.
    """

    @property
    def bounds(self) -> Bounds: ...

    @property
    def sessions(self) -> Mapping[str, Evidence]: ...

    @property
    def accounts(self) -> Set[str]: ...

    @property
    def grants(self) -> Facts[Grant]: ...

    @property
    def makings(self) -> Facts[Made]: ...


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

    def observe_use(self, use: Use) -> None:
        """Fold one use."""
        self._evidence(use.caller.session).observe(use, self.bounds)

    def take(self, record: Record) -> Skipped | None:
        """Fold one record the plain way; says why if it gave nothing.  The reference for `core.folding`."""
        self.see(record.recipient)
        observed = observe(record)
        for other in observed.others:
            self.observe(other)
        if observed.use is not None:
            self.observe_use(observed.use)
        return observed.skipped

    def see(self, account: str | None) -> None:
        """Note an account whose own records are read."""
        if account and account not in self.accounts and is_account(account):
            self.accounts.add(account)

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
        for evidence in self.sessions.values():
            evidence.settle(self.bounds)
        self.grants.settle(self.bounds.grants)
        self.makings.settle(self.bounds.makings)

    def _evidence(self, session: Session) -> Evidence:
        evidence = self.sessions.get(session.arn)
        if evidence is None:
            evidence = self.sessions[session.arn] = Evidence(session)
        return evidence


class PackedLedger(msgspec.Struct, frozen=True):
    """A settled ledger whose sessions are packed away."""

    bounds: Bounds
    sessions: Runs
    accounts: set[str]
    grants: Facts[Grant]
    makings: Facts[Made]

    @classmethod
    def empty(cls, bounds: Bounds, packing: Packing) -> "PackedLedger":
        return cls(bounds, Runs(bounds, packing), set(), Facts(), Facts())

    def absorb(self, other: "PackedLedger") -> None:
        """Fold all of `other`, which must not be used afterwards."""
        for run in other.sessions.runs:
            self.sessions.adopt(run)
        self.accounts.update(other.accounts)
        self.grants.absorb(other.grants, self.bounds.grants)
        self.makings.absorb(other.makings, self.bounds.makings)

    def settle(self) -> None:
        """Bring to the one form that any order of reading leads to.  Sessions are, when unpacked."""
        self.grants.settle(self.bounds.grants)
        self.makings.settle(self.bounds.makings)


class OpenLedger(msgspec.Struct, frozen=True):
    """A settled ledger of few records, whose sessions need not be packed away."""

    bounds: Bounds
    sessions: Open
    accounts: set[str]
    grants: Facts[Grant]
    makings: Facts[Made]


def _place_of(made: Made) -> tuple[str, str]:
    """Under whom it is kept, and by which key there: by who made it from where, and of which kind it is.

    So neither another maker nor a flood of one kind crowds it out; sessions named after instances are a kind of their
    own.  The copy in the other account may not say who: it is joined later, by its identity.
    """
    whose = f"{made.maker} {made.maker_network}" if made.maker else made.made
    session = parse_session(made.made)
    return f"{whose} {made.api} {session is not None and is_instance_id(session.name)}", key_of(made)


def _place_of_grant(grant: Grant) -> tuple[str, str]:
    """By what it is about and of which kind it is; a restart of what ran already is none."""
    return f"{grant.subject} {grant.api} {grant.was_stopped}", key_of(grant)
