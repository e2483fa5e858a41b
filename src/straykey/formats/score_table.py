"""How two detectors fared, for a terminal: thefts, then benign changes, then what no detector by address can see."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.formats.score_json import ChangeRow, Evaluated, TheftRow

_RIGHT, _MISSED, _FALSE = "green", "bold red", "yellow"
_Cell = Callable[[Sequence[TheftRow]], Text]


def render(evaluated: Evaluated) -> RenderableType:
    """All of it; the method of 2018 stands beside straykey in every row."""
    expected = [row for row in evaluated.thefts if row.excluded is None]
    excluded = [row for row in evaluated.thefts if row.excluded is not None]
    parts: list[RenderableType] = [_head(evaluated), Padding(_thefts(expected), (1, 0))]
    parts.append(Padding(_changes(evaluated), (0, 0, 1, 0)))
    if excluded:
        parts.append(Text("No detector by address can see these, so nothing is expected."))
        parts.append(Padding(_excluded(excluded), (1, 0)))
    return Group(*parts, _tail(evaluated))


def _head(evaluated: Evaluated) -> Text:
    return Text(f"{_many(evaluated.worlds, 'world')}, {_many(evaluated.records, 'record')}", style="bold")


def _share(done: str, of: str) -> _Cell:
    """`3/4`; nothing where there is nothing to do."""

    def cell(rows: Sequence[TheftRow]) -> Text:
        right, due = (sum(map(attrgetter(name), rows)) for name in (done, of))
        return Text(f"{right}/{due}", style=_RIGHT if right == due else _MISSED) if due else Text("")

    return cell


def _alarms(name: str) -> _Cell:
    return lambda rows: _false(sum(map(attrgetter(name), rows)))


_COLUMNS: dict[str, _Cell] = {
    "found": _share("found", "stolen"),
    "type": _share("type_right", "stolen"),
    "severity": _share("severity_right", "stolen"),
    "pivots": _share("pivots_right", "pivots"),
    "turned": _share("turned_right", "turned"),
    "false alarms": _alarms("blamed"),
    "2018 found": _share("lock2018_found", "stolen"),
    "2018 false alarms": _alarms("lock2018_blamed"),
}


def _thefts(rows: Sequence[TheftRow]) -> Table:
    table = _table("theft", *_COLUMNS)
    for row in rows:
        table.add_row(row.kind, *(cell([row]) for cell in _COLUMNS.values()))
    table.add_row("all", *(cell(rows) for cell in _COLUMNS.values()), style="bold")
    return table


def _changes(evaluated: Evaluated) -> Table:
    table = _table("benign", "changes", "sessions", "false alarms", "2018 false alarms")
    for row in evaluated.changes:
        table.add_row(row.kind, *_change(row))
    blamed, blamed2018 = (sum(map(attrgetter(n), evaluated.thefts)) for n in ("blamed", "lock2018_blamed"))
    table.add_row("victims of theft", "", "", _false(blamed), _false(blamed2018))
    totals = evaluated.totals
    table.add_row("all", "", "", _false(totals.false_alarms), _false(totals.lock2018_false_alarms), style="bold")
    return table


def _change(row: ChangeRow) -> Iterable[Text]:
    yield Text(str(row.changes or ""))
    yield Text(str(row.sessions))
    yield _false(row.false_alarms)
    yield _false(row.lock2018_false_alarms)


def _excluded(rows: Sequence[TheftRow]) -> Table:
    table = _table("theft", "found", "2018 found")
    table.add_column("why", overflow="fold")
    for row in rows:
        table.add_row(
            row.kind, f"{row.found}/{row.stolen}", f"{row.lock2018_found}/{row.stolen}", Text(row.excluded or "")
        )
    return table


def _tail(evaluated: Evaluated) -> Text:
    totals = evaluated.totals
    lines = [
        f"innocent sessions accused  {totals.accused_sessions} of {totals.innocent_sessions:,}, "
        f"by the method of 2018 {totals.lock2018_accused_sessions}"
    ]
    if evaluated.egress_moves:
        lines.append(f"moves of an egress told    {evaluated.egress_moves_told} of {evaluated.egress_moves}, once each")
    if evaluated.notices:
        told = ", ".join(f"{count} {kind}" for kind, count in evaluated.notices.items())
        lines.append(f"informational findings     {told}")
    return Text("\n".join(lines))


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(first, overflow="fold")
    for name in others:
        table.add_column(name, justify="right")
    return table


def _false(count: int) -> Text:
    return Text(str(count), style=_FALSE if count else "")


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
