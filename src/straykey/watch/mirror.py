"""What a process that watches keeps in memory of the store, so that it need not read all of it at every commit.

It is brought up to date inside each transaction, from what others wrote since.  After a transaction that failed it is
worth nothing, and is read anew.
"""

from collections import OrderedDict

import msgspec

from straykey.core.docket import Docket
from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.grant import Grant
from straykey.core.household import addresses_of
from straykey.core.lifecycle import Tracked
from straykey.core.making import Made
from straykey.core.ranges import AwsRanges
from straykey.core.rule import Rule
from straykey.core.settings import Settings
from straykey.stores import evidence, findings
from straykey.stores.sql import Changes, Held, Writing

_MOST_HELD = 8 << 20  # bytes of evidence as it is stored; in the open it takes twenty times as much


class Judging(msgspec.Struct, frozen=True):
    """How to judge."""

    settings: Settings
    ranges: AwsRanges | None
    bounds: Bounds = Bounds()


class Stay(msgspec.Struct, frozen=True):
    """When a session's last key expires, or it called last, and its public addresses."""

    ends: str
    addresses: tuple[str, ...]


class Mirror:
    """The store as of one revision."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging
        self.forget()

    def forget(self) -> None:
        """As if nothing had been read yet."""
        self.revision = self.epoch = -1
        self.held: OrderedDict[str, Held] = OrderedDict()
        self.findings: dict[str, Tracked] = {}
        self.rules: list[Rule] = []
        self.stays: dict[str, Stay] = {}  # by ARN
        self._grants: Facts[Grant] = Facts()
        self._makings: Facts[Made] = Facts()
        self._accounts: frozenset[str] = frozenset()
        self._writing: Writing | None = None
        judging = self._judging
        self.docket = Docket(judging.settings, judging.ranges, judging.bounds, self.evidence_of)

    def catch_up(self, writing: Writing) -> bool:
        """Take in what others wrote; true if that was anything to be judged.  To be called first in a transaction."""
        if writing.epoch != self.epoch:
            self.forget()
            self.epoch = writing.epoch
        self._writing = writing
        since, is_other = self.revision, False
        for one in writing.sessions_since(since):  # not all at once: after a start that is all there is
            self.held.pop(one.session.arn, None)
            self._note(one.session.arn, one)
            is_other = True
        rules = findings.rules_of(writing.connection)
        is_other |= self.take(writing.facts_since(since)) or rules != self.rules
        self.findings |= findings.findings_since(writing.connection, since)
        self.rules = rules
        return is_other

    def take(self, changes: Changes) -> bool:
        """Take in what changed; false if that was nothing."""
        assert self._writing is not None
        for arn, one in changes.sessions.items():
            self._note(arn, one)
        accounts = evidence.accounts_of(self._writing.connection)
        if changes.grants.by_subject or changes.makings.by_subject or accounts != self._accounts:
            self._accounts = accounts
            self._grants = Facts(self._grants.by_subject | changes.grants.by_subject)
            self._makings = Facts(self._makings.by_subject | changes.makings.by_subject)
            self.docket.set_facts(self._grants, self._makings, accounts)
            return True
        return bool(changes.sessions)

    def _note(self, arn: str, one: Evidence) -> None:
        self.stays[arn] = Stay(evidence.ends(one), tuple(sorted(addresses_of(one))))
        self.docket.note(arn, one)
        if arn in self.held:
            self.held.move_to_end(arn)  # what changes will change again

    def committed(self) -> None:
        """What was written is there."""
        assert self._writing is not None
        self.revision, self.epoch = self._writing.revision, self._writing.epoch
        self._writing = None
        size = sum(len(one.data) for one in self.held.values())
        while size > _MOST_HELD:
            _, least = self.held.popitem(last=False)
            size -= len(least.data)

    def evidence_of(self, arn: str) -> Evidence:
        """To be asked for within a transaction only."""
        held = self.held.get(arn)
        if held is not None:
            self.held.move_to_end(arn)
            return held.evidence
        if arn not in self.stays or self._writing is None:
            raise KeyError(arn)
        return evidence.session_of(self._writing.connection, arn)

    def has(self, arn: str) -> bool:
        return arn in self.stays

    def let_go(self, arns: list[str]) -> None:
        """These sessions leave."""
        for arn in arns:
            self.stays.pop(arn, None)
            self.held.pop(arn, None)
            self.docket.forget(arn)

    def bring_back(self, arns: list[str]) -> None:
        """They do not leave after all, and the store has them still."""
        assert self._writing is not None
        for one in evidence.sessions_of(self._writing.connection, arns):
            self._note(one.session.arn, one)

    @property
    def sessions(self) -> int:
        return len(self.stays)
