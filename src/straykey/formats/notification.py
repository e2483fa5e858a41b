"""A notification as JSON on one line of plain ASCII, in the shape its reader knows, no longer than he takes."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from straykey.core.finding import Finding
from straykey.formats import asff, guardduty, ocsf
from straykey.formats.text import as_json, bounded
from straykey.ports import Notification

# How many of each list are kept, from try to try, and in the end how much of each text.
_KEPT = (32, 8, 2, 1)
_LONGEST_TEXT = 256


class Shape(StrEnum):
    """Our own carries key and time beside the finding; the others are as those who made them have it."""

    JSON = "json"
    OCSF = "ocsf"
    GUARDDUTY = "guardduty"
    ASFF = "asff"


def to_line(notification: Notification, shape: Shape = Shape.JSON) -> str:
    return _written(notification, notification.finding, shape, {})


def within(most: int, notification: Notification, shape: Shape = Shape.JSON) -> str | None:
    """The line, with less of the finding where it would take more than so many bytes; None if nothing helps.

    Our own shape then tells how much is missing, in `left_out`.  The counts in a finding stay those of the whole.
    """
    for finding, left_out in lessened(notification.finding):
        line = _written(notification, finding, shape, left_out)
        if len(line) <= most:
            return line
    return None


def lessened(finding: Finding) -> Iterator[tuple[Finding, dict[str, int]]]:
    """The finding, then less and less of it, each with how many of what are left out."""
    yield finding, {}
    lesser = finding
    for most in _KEPT:
        lesser = _first(lesser, most)
        yield lesser, _missing(finding, lesser)
    told = msgspec.to_builtins(lesser)
    cut = sum(len(text) > _LONGEST_TEXT for text in _texts(told))
    yield msgspec.convert(_cut(told), Finding), _missing(finding, lesser) | {"texts": cut}


def _written(notification: Notification, finding: Finding, shape: Shape, left_out: dict[str, int]) -> str:
    at, key, is_known = notification.at, notification.key, notification.is_known
    match shape:
        case Shape.OCSF:
            told = ocsf.to_finding(finding, is_known=is_known, at=at, uid=key)
        case Shape.GUARDDUTY:
            told = guardduty.to_event(finding, at=at)
        case Shape.ASFF:
            told = asff.to_finding(finding, at=at)
        case Shape.JSON:
            told = {"key": key, "at": at, "is_known": is_known, "finding": msgspec.to_builtins(finding)}
            told |= {"left_out": left_out} if left_out else {}
    return as_json(told)


def _first(finding: Finding, most: int) -> Finding:
    stray = finding.stray
    return replace(
        finding,
        events=finding.events[:most],
        pivots=finding.pivots[:most],
        sessions=finding.sessions[:most],
        access_keys=finding.access_keys[:most],
        home=finding.home[:most],
        reasons=finding.reasons[:most],
        stray=replace(stray, calls=dict([*stray.calls.items()][:most]), user_agents=stray.user_agents[:most]),
    )


def _missing(whole: Finding, lesser: Finding) -> dict[str, int]:
    counts = {name: len(getattr(whole, name)) - len(getattr(lesser, name)) for name in _LISTS}
    counts |= {name: len(getattr(whole.stray, name)) - len(getattr(lesser.stray, name)) for name in _STRAY_LISTS}
    return {name: count for name, count in counts.items() if count}


_LISTS = ("events", "pivots", "sessions", "access_keys", "home", "reasons")
_STRAY_LISTS = ("calls", "user_agents")


def _texts(told: object) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict | list):
        for inner in [*told, *told.values()] if isinstance(told, dict) else told:
            yield from _texts(inner)


def _cut(told: object) -> object:
    if isinstance(told, str):
        return bounded(told, _LONGEST_TEXT)
    if isinstance(told, dict):
        return {_cut(name): _cut(inner) for name, inner in told.items()}
    return [_cut(inner) for inner in told] if isinstance(told, list) else told
