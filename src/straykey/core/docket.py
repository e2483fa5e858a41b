"""All sessions of a ledger that still grows, judged again and again: what changed, and what that can change in others.

`core.register` keeps what sessions tell of each other and says what of it changed; `core.memo` keeps what was found
out of each session, and knows for which of them that was asked.  So `Docket.judged` is `judge.judged` of a ledger that
holds the same, found with less work: there is one `concluded`, and nothing here knows what makes a finding.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from typing import TypeVar

from straykey.core.case import Context
from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.fleet import Fleet
from straykey.core.glance import Glance
from straykey.core.grant import Grant
from straykey.core.habit import Habits
from straykey.core.judge import Judged, concluded
from straykey.core.making import Made
from straykey.core.memo import Memo
from straykey.core.outcome import Outcome, outcome_of
from straykey.core.ranges import AwsRanges
from straykey.core.register import Change, Register
from straykey.core.settings import Settings
from straykey.core.v1 import V1Role

_T = TypeVar("_T")
_MOST_OPEN = 512  # sessions whose evidence is at hand


class Docket:
    """Of a quiet session a few values are kept, of others what was found out of them.

    `evidence_of` fetches the settled evidence of a session that was noted; it is seldom asked.
    """

    def __init__(
        self,
        settings: Settings,
        ranges: AwsRanges | None,
        bounds: Bounds,
        evidence_of: Callable[[str], Evidence],
    ) -> None:
        self._open = _Open(evidence_of)
        self._register = Register(settings, ranges, self._open.evidence_of)
        self._sitting = _Sitting(settings, ranges, bounds, self._register, self._open)

    def note(self, arn: str, evidence: Evidence) -> None:
        """Take new or changed evidence, which is settled and will not change; it replaces what was known."""
        self._open.put(arn, evidence)
        self._register.note(arn, evidence)

    def forget(self, arn: str) -> None:
        """Let go of a session that left."""
        self._open.drop(arn)
        self._register.forget(arn)

    def set_facts(self, grants: Facts[Grant], makings: Facts[Made], accounts: Set[str]) -> None:
        """All settled facts there are now; costs as much as there are, when next judged: for when they changed."""
        self._register.set_facts(grants, makings, accounts)

    @property
    def context(self) -> Context:
        """What a session is weighed by, as of when it was last judged."""
        return self._sitting.context

    def judged(self) -> Judged:
        """Equal to `judge.judged` of a ledger with all that."""
        self._sitting.resume()
        return concluded(self._sitting)


class _Open:
    """Evidence at hand: what was noted or fetched last."""

    def __init__(self, evidence_of: Callable[[str], Evidence]) -> None:
        self._fetch = evidence_of
        self._at_hand: dict[str, Evidence] = {}

    def evidence_of(self, arn: str) -> Evidence:
        evidence = self._at_hand.pop(arn, None)
        if evidence is None:
            evidence = self._fetch(arn)
        self.put(arn, evidence)
        return evidence

    def put(self, arn: str, evidence: Evidence) -> None:
        self._at_hand.pop(arn, None)
        self._at_hand[arn] = evidence
        if len(self._at_hand) > _MOST_OPEN:
            del self._at_hand[next(iter(self._at_hand))]

    def drop(self, arn: str) -> None:
        self._at_hand.pop(arn, None)


class _Sitting:
    """A `judge.Bench` that sits again and again."""

    def __init__(
        self, settings: Settings, ranges: AwsRanges | None, bounds: Bounds, register: Register, at_hand: _Open
    ) -> None:
        self.bounds = bounds
        self.evidence_of = at_hand.evidence_of
        self.whereabouts = register.whereabouts()
        self.context = Context(settings, register.fleet(), ranges)
        self._register = register
        self._memo = Memo()
        self._habits = Habits(settings.agents)
        self._placed: dict[str, Glance] = {}  # as of when it was last judged
        self._restless: set[str] = set()
        self._of_note: dict[str, Outcome] = {}

    @property
    def workloads(self) -> int:
        return self._register.workloads

    def resume(self) -> None:
        """Weigh again what changed, and what that can change."""
        change = self._register.settled()
        self.context = Context(self.context.settings, self._register.fleet(), self.context.ranges)
        unsure = self._unsure(change)
        for arn in unsure:
            self._memo.drop(arn)
        for arn in change.sessions:
            self._place(arn)
        for arn in sorted(unsure & self._restless):
            self._weigh(arn)

    def _unsure(self, change: Change) -> set[str]:
        """The sessions of which something may be found out that was not."""
        fleet = self.context.fleet
        unsure = change.sessions | self._memo.shaken(fleet, change.asks)
        if change.has_new_grants:
            unsure |= self._memo.shaken_by(fleet.holdings)
            unsure |= self._memo.sessions() - self._placed.keys()  # names that were taken, of which nothing was seen
        if change.has_new_spoofed:
            unsure.update(arn for arn, _ in self._habits.strange())
        return unsure

    def _place(self, arn: str) -> None:
        """Note whether it must be weighed, and what it tells of its role."""
        before, glance = self._placed.pop(arn, None), self._register.glance(arn)
        if glance is not None:
            self._placed[arn] = glance
        is_quiet = glance is None or glance.tenant.workload is None or self._register.is_quiet(glance)
        if is_quiet:
            self._restless.discard(arn)
            self._of_note.pop(arn, None)
        else:
            self._restless.add(arn)
        self._show_habits(arn, before, glance, is_quiet=is_quiet)

    def _show_habits(self, arn: str, before: Glance | None, glance: Glance | None, *, is_quiet: bool) -> None:
        if before is not None and before.role:
            if glance is None or not glance.role or (is_quiet and glance.kit is None):
                self._habits.drop_kit(before.role, arn)
            if glance is None or glance.v1 is None:
                self._habits.drop_use(before.role, arn)
        if glance is not None and glance.v1 is not None:
            self._habits.put_use(glance.role, arn, glance.v1)
        if glance is not None and is_quiet and glance.kit is not None:
            self._habits.put_kit(glance.role, arn, glance.tenant.who, glance.kit)

    def _weigh(self, arn: str) -> None:
        outcome = self.found(
            arn, ("outcome",), None, lambda context: outcome_of(self.evidence_of(arn), context, self.bounds)
        )
        glance = self._placed[arn]
        if outcome.kit is not None:
            self._habits.put_kit(glance.role, arn, glance.tenant.who, outcome.kit)
        if outcome.is_of_note:
            self._of_note[arn] = outcome
        else:
            self._of_note.pop(arn, None)

    def known(self, arn: str) -> Evidence | None:
        return self.evidence_of(arn) if arn in self._placed else None

    def outcomes(self) -> Iterator[tuple[str, Outcome]]:
        return iter(sorted(self._of_note.items()))

    def strange(self) -> Iterable[tuple[str, frozenset[str]]]:
        return self._habits.strange()

    def deliveries(self) -> Iterable[tuple[str, V1Role]]:
        return self._habits.deliveries()

    def found(self, arn: str, about: tuple[str, ...], given: object, find: Callable[[Context], _T]) -> _T:
        def of(fleet: Fleet) -> _T:
            return find(Context(self.context.settings, fleet, self.context.ranges))

        return self._memo.find(arn, about, given, self.context.fleet, of)
