"""What became of findings, for a terminal: a line each, or one with all that is stored of it; and rules."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.core.finding import Status
from straykey.core.lifecycle import Tracked
from straykey.core.rule import Rule
from straykey.formats.finding_table import COLOURS, block
from straykey.formats.text import bounded, printable
from straykey.formats.tracked_json import Delivery, Followed, RuleState, Telling

STATUS_COLOURS = {
    Status.OPEN: "bold red",
    Status.ACKNOWLEDGED: "yellow",
    Status.SUPPRESSED: "dim",
    Status.RESOLVED: "green",
}
_MOST_REASON = 200
_MOST_ROWS = 40
_MOST_NAME = 24


def render(tracked: Sequence[Tracked], *, id_length: int) -> RenderableType:
    """A line for each, in this order."""
    if not tracked:
        return Text("No findings like that.", style="green")
    table = _columns("id", "severity", "sure", "status", "last seen")
    table.add_column("what", overflow="fold")
    for one in tracked:
        finding = one.finding
        table.add_row(
            Text(finding.id[:id_length]),
            Text(finding.severity.value, style=COLOURS[finding.severity]),
            Text(finding.confidence.value),
            Text(one.status.value, style=STATUS_COLOURS[one.status]),
            Text(finding.stray.last_seen),
            Text(printable(finding.title)),
        )
    return table


def render_one(followed: Followed) -> RenderableType:
    """All that is stored of one finding."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, text in _rows(followed):
        rows.add_row(name, Text(printable(text)))
    return Group(block(followed.tracked.shown()), Padding(rows, (0, 0, 0, 2)))


def _rows(followed: Followed) -> list[tuple[str, str]]:
    tracked = followed.tracked
    rows = [("status", _status_line(tracked)), ("opened", tracked.opened)]
    rows += _named("told", [_telling_line(one) for one in followed.tellings] or ["nothing that is kept"])
    rows += _named("sinks", [_delivery_line(one) for one in followed.deliveries])
    if followed.rule:
        rows.append(("rule", _rule_line(followed.rule)))
    return rows


def _named(name: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    hidden = len(lines) - _MOST_ROWS
    shown = [f"… {hidden} before", *lines[hidden:]] if hidden > 0 else lines
    return [("" if place else name, line) for place, line in enumerate(shown)]


def _status_line(tracked: Tracked) -> str:
    by = f" by {tracked.by}" if tracked.by else f" by rule {tracked.rule}" if tracked.rule else ""
    by = by or (" by the logs" if tracked.is_over else "")
    note = f": {tracked.note}" if tracked.note else ""
    return f"{tracked.status.value} since {tracked.changed}{by}{note}"


def _telling_line(telling: Telling) -> str:
    return f"{telling.at}  {telling.status}" + (f"  {telling.why}" if telling.why else "")


def _delivery_line(delivery: Delivery) -> str:
    tries = f", refused {delivery.tries} time{'s' * (delivery.tries != 1)}" if delivery.tries else ""
    reason = f": {bounded(delivery.reason, _MOST_REASON)}" if delivery.reason else ""
    return f"{delivery.posted}  {delivery.sink}  {delivery.state}{tries}{reason}"


def scope_line(rule: Rule) -> str:
    """`role web-role, network 203.0.113.0/24`."""
    return ", ".join(f"{name} {said}" for name, said in rule.scope.items())


def _rule_line(rule: Rule) -> str:
    return f"{rule.id}, {scope_line(rule)}; until {rule.expires}, by {rule.by}: {rule.reason}"


def render_rules(rules: Sequence[RuleState]) -> RenderableType:
    """A line for each rule."""
    if not rules:
        return Text("No rules: nothing is hidden.", style="green")
    table = _columns("rule", "until", "hides", "hid", "by")
    for name in ("covers", "reason"):
        table.add_column(name, overflow="fold")
    for one in rules:
        rule = one.rule
        until = f"{rule.expires}{'' if one.is_live else ' (over)'}"
        cells = (
            rule.id,
            until,
            f"{one.hides:,}",
            f"{one.hid:,}",
            bounded(rule.by, _MOST_NAME),
            scope_line(rule),
            rule.reason,
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table


def _columns(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in names:
        table.add_column(name, no_wrap=True)
    return table
