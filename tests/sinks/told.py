"""Notifications for sinks to deliver."""

from msgspec.structs import replace

from straykey.core.finding import Finding
from straykey.ports import Notification
from tests.formats import variants

AT = "2026-05-05T08:00:00Z"


def notification(number: int = 1, *, status: str = "open", finding: Finding | None = None) -> Notification:
    """A change of the finding with that number."""
    known = replace(finding or variants.stolen(), id=f"{number:032x}", status=status)
    return Notification(f"{known.id}-{status}", known, AT, is_known=status != "open")
