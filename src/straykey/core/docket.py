"""All cases of a ledger that still grows, judged again and again."""

from collections.abc import Callable, Set

import msgspec

from straykey.core.case import Context
from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.grant import Grant
from straykey.core.judge import Judged, judged
from straykey.core.making import Made
from straykey.core.ranges import AwsRanges
from straykey.core.settings import Settings
from straykey.core.survey import survey


class _All(msgspec.Struct):
    bounds: Bounds
    sessions: dict[str, Evidence]
    accounts: Set[str]
    grants: Facts[Grant]
    makings: Facts[Made]


class Docket:
    """Sessions as they were noted last, and all facts there are."""

    def __init__(
        self, settings: Settings, ranges: AwsRanges | None, bounds: Bounds, evidence_of: Callable[[str], Evidence]
    ) -> None:
        self._settings, self._ranges = settings, ranges
        self._all = _All(bounds, {}, frozenset(), Facts(), Facts())

    def note(self, arn: str, evidence: Evidence) -> None:
        self._all.sessions[arn] = evidence

    def forget(self, arn: str) -> None:
        self._all.sessions.pop(arn, None)

    def set_facts(self, grants: Facts[Grant], makings: Facts[Made], accounts: Set[str]) -> None:
        self._all = _All(self._all.bounds, self._all.sessions, accounts, grants, makings)

    def judged(self) -> Judged:
        return judged(self._all, self._settings, self._ranges)

    @property
    def context(self) -> Context:
        return Context(self._settings, survey(self._all, self._settings, self._ranges), self._ranges)
