"""What became of findings as JSON: the contract of docs/findings.md, with each finding as docs/output.md has it."""

from collections.abc import Iterable

import msgspec

from straykey.core.lifecycle import Tracked
from straykey.core.rule import Rule
from straykey.formats.text import as_json


class Telling(msgspec.Struct, frozen=True):
    """What sinks were to be told: a status since some time, and why."""

    at: str
    status: str
    why: str


class Delivery(msgspec.Struct, frozen=True):
    """What became of one telling at one sink; `due` is when it is tried next."""

    sink: str
    state: str
    posted: str
    due: str
    tries: int
    reason: str


class Followed(msgspec.Struct, frozen=True):
    """All that is stored of one finding; `rule` is the one that hides it."""

    tracked: Tracked
    rule: Rule | None
    tellings: list[Telling]
    deliveries: list[Delivery]


class RuleState(msgspec.Struct, frozen=True):
    """`hid` counts all findings that it ever hid, `hides` those it hides now."""

    rule: Rule
    is_live: bool
    hid: int
    hides: int


def to_document(tracked: Iterable[Tracked]) -> str:
    """One document, `findings` as a scan's."""
    return as_json({"findings": [_object(one) for one in tracked]}, indent=2)


def to_line(tracked: Tracked) -> str:
    return as_json(_object(tracked))


def to_whole(followed: Followed) -> str:
    """One finding, with all that became of it."""
    found = _object(followed.tracked)
    found["tellings"] = msgspec.to_builtins(followed.tellings)
    found["deliveries"] = msgspec.to_builtins(followed.deliveries)
    found["suppressed_by"] = msgspec.to_builtins(followed.rule)
    return as_json(found, indent=2)


def to_rules(rules: Iterable[RuleState]) -> str:
    return as_json({"rules": [rule_object(one) for one in rules]}, indent=2)


def rule_object(state: RuleState) -> dict[str, object]:
    rule = state.rule
    return {
        "id": rule.id,
        "covers": rule.scope,
        "reason": rule.reason,
        "by": rule.by,
        "created": rule.created,
        "expires": rule.expires,
        "is_live": state.is_live,
        "hid": state.hid,
        "hides": state.hides,
    }


def _object(tracked: Tracked) -> dict[str, object]:
    """The finding with its status, and beside its own fields `tracked`."""
    finding: dict[str, object] = msgspec.to_builtins(tracked.shown())
    finding["tracked"] = {
        "opened": tracked.opened,
        "changed": tracked.changed,
        "by": tracked.by or None,
        "note": tracked.note or None,
        "rule": tracked.rule or None,
        "told": tracked.told.at if tracked.told else None,
    }
    return finding
