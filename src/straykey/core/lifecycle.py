"""What becomes of a finding while logs go on: it opens, grows, is resolved with the reason why, and opens again.

Each step is a function of what was known and what is judged now, so any process may take it.  Nothing is resolved
because time went by, nor because a person looked at it: what gets worse is open again.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from straykey.core.finding import Confidence, Finding, Status
from straykey.core.moment import later
from straykey.core.rule import Rule

_QUIET = frozenset({Status.SUPPRESSED, Status.RESOLVED})  # of what stays so, nobody is told more
_SURENESS = {confidence: place for place, confidence in enumerate(Confidence)}


class Told(msgspec.Struct, frozen=True):
    """What was said of a finding last, and when."""

    at: str
    status: Status
    finding: Finding


class Tracked(msgspec.Struct, frozen=True):
    """A finding as it was judged last, and what became of it.

    `opened` and `changed`: when it was found, and when its status changed.  `note` is the resolution, or what was said
    when it was acknowledged; `by` is who did that, empty where evidence did.  `rule` is the id of the rule that hides
    it.  `tellings` counts how often there was something to tell, and `worst` is the highest severity score told.
    """

    finding: Finding
    status: Status
    opened: str
    changed: str
    note: str = ""
    by: str = ""
    rule: str = ""
    told: Told | None = None
    tellings: int = 0
    worst: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.status is Status.RESOLVED

    def shown(self) -> Finding:
        """The finding with its status, and why it has it."""
        if self.status is Status.OPEN:
            return self.finding
        why = f"{self.by}: {self.note}" if self.by and self.note else self.by or self.note
        if self.status is Status.RESOLVED:
            return replace(self.finding, status=self.status.value, resolution=why)
        if self.status is Status.ACKNOWLEDGED:
            return replace(self.finding, status=self.status.value, acknowledged=why)
        return replace(self.finding, status=self.status.value, suppression=f"{self.rule}: {self.note}")


def judged(known: Tracked | None, finding: Finding, rules: Iterable[Rule], now: str) -> Tracked:
    """What becomes of a finding that the evidence leads to, whether or not it is new."""
    rule = next((one for one in rules if one.is_live(now) and one.covers(finding)), None)
    if known is None:
        return _settled(Tracked(finding, Status.OPEN, now, now), rule, now)
    grown = replace(known, finding=finding)
    if known.status is Status.RESOLVED:
        is_back = not known.by or _is_used_again(known.finding, finding)
        return _settled(grown, rule, now) if is_back else grown
    if known.status is Status.ACKNOWLEDGED and not is_worse(known.finding, finding):
        return grown
    return _settled(grown, rule, now)


def _settled(tracked: Tracked, rule: Rule | None, now: str) -> Tracked:
    """Open, or hidden by a rule."""
    status = Status.SUPPRESSED if rule else Status.OPEN
    name, note = (rule.id, rule.reason) if rule else ("", "")
    if (tracked.status, tracked.rule, tracked.note, tracked.by) == (status, name, note, ""):
        return tracked
    changed = tracked.changed if tracked.status is status else now
    return replace(tracked, status=status, changed=changed, note=note, by="", rule=name)


def explained(known: Tracked, why: str, now: str) -> Tracked:
    """What becomes of a finding that the evidence leads to no more; `why` names the explanation."""
    if known.is_over:
        return known
    return replace(known, status=Status.RESOLVED, changed=now, note=why, by="", rule="")


def resolved(known: Tracked, why: str, by: str, now: str) -> Tracked:
    """A person says it is over; it opens again when the keys are used from there again, or it gets worse."""
    return replace(known, status=Status.RESOLVED, changed=now, note=why, by=by, rule="")


def acknowledged(known: Tracked, why: str, by: str, now: str) -> Tracked:
    """A person has seen it; it opens again when it gets worse."""
    return replace(known, status=Status.ACKNOWLEDGED, changed=now, note=why, by=by, rule="")


def reopened(known: Tracked, now: str) -> Tracked:
    """A person takes back what was said of it."""
    return replace(known, status=Status.OPEN, changed=now, note="", by="", rule="")


def is_worse(before: Finding, after: Finding) -> bool:
    """More severe or more certain, with other keys, or more was made with them."""
    return (
        after.severity_score > before.severity_score
        or _SURENESS[after.confidence] < _SURENESS[before.confidence]
        or after.pivots_count > before.pivots_count
        or not set(after.access_keys) <= set(before.access_keys)
    )


def _is_used_again(before: Finding, after: Finding) -> bool:
    return after.stray.last_seen > before.stray.last_seen or is_worse(before, after)


def is_news(tracked: Tracked) -> bool:
    """True if sinks should hear of it at once: it opened, changed its status, or is another finding than was told."""
    told = tracked.told
    if told is None:
        return tracked.status is not Status.SUPPRESSED and not tracked.is_over
    if told.status is not tracked.status:
        return True
    if tracked.status is Status.SUPPRESSED:
        return False  # that it is hidden was said
    before, after = told.finding, tracked.finding
    is_other = (before.type, before.severity, before.confidence) != (after.type, after.severity, after.confidence)
    return not tracked.is_over and (is_other or is_worse(before, after))


def has_grown(tracked: Tracked, *, since: str) -> bool:
    """True if what was told at `since` or before is out of date: the same finding, with more calls to it."""
    told = tracked.told
    if told is None or tracked.status in _QUIET:
        return False
    return told.at <= since and told.finding != tracked.finding


def telling(tracked: Tracked, now: str) -> tuple[Tracked, str]:
    """With what it is now noted as told; and when, which is later than what was told before."""
    at = max(now, later(tracked.told.at, 1)) if tracked.told else now
    told = Told(at, tracked.status, tracked.finding)
    worst = max(tracked.worst, tracked.finding.severity_score)
    return replace(tracked, told=told, tellings=tracked.tellings + 1, worst=worst), at
