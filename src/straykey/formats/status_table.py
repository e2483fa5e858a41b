"""How watching gets on, for a terminal: how late it is, what stands in its way, what it sees and what it does not."""

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.core.coverage import Kind
from straykey.core.finding import Severity, Status
from straykey.core.moment import seconds
from straykey.formats.status_json import Condition, GapState, SinkState, TroubleState, WorkerState
from straykey.formats.text import bounded, printable

_MOST_TROUBLES = 10
_MOST_COVERED = 40
_MOST_ACCOUNTS = 8
_LONGEST_NAME = 200
_LONGEST_REASON = 200
_GOOD, _BAD = "green", "bold red"
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def render(condition: Condition) -> RenderableType:
    """All of it, what is not there left out."""
    parts: list[RenderableType] = [_pairs(_head(condition))]
    parts += _section("processes that watch", [_worker(one) for one in condition.workers])
    parts += _section("sinks", [_sink(one) for one in condition.sinks])
    parts += _section("trouble", _troubles(condition))
    parts += _section("rules that end within a week", [_rule(one) for one in condition.rules])
    if condition.coverage:
        parts += [Text("last seen of each account, region and kind of record", style="bold")]
        parts += [Padding(_coverage(condition), (0, 0, 1, 2))]
    parts += _section("what is not seen", [_gap(one) for one in condition.gaps])
    return Group(*parts)


def _pairs(rows: Iterable[tuple[str, str]]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, Text(printable(text)))
    return Padding(table, (0, 0, 1, 0))


def _section(title: str, lines: Sequence[Text]) -> list[RenderableType]:
    return [Text(title, style="bold"), Padding(Group(*lines), (0, 0, 1, 2))] if lines else []


def _head(condition: Condition) -> list[tuple[str, str]]:
    waiting = f"{condition.backlog:,} waiting" if condition.backlog is not None else "what waits is not known"
    return [
        ("newest record", _since(condition.newest_record, condition.newest_record_seconds)),
        ("last commit", _since(condition.last_commit, condition.last_commit_seconds)),
        ("pace", f"{condition.records_per_second:,.1f} records a second, {waiting}"),
        ("last object", bounded(condition.last_object or "none", _LONGEST_NAME)),
        ("sessions", f"{condition.sessions:,}"),
        *(("" if place else "findings", line) for place, line in enumerate(_findings(condition.findings))),
    ]


def _since(time: str | None, age: int | None) -> str:
    return f"{told_age(age)} ago, {time}" if time and age is not None else "none yet"


def told_age(age: int) -> str:
    """`4 min`: in the largest unit of which there is a whole one."""
    size, unit = next(((size, unit) for size, unit in _UNITS if age >= size), _UNITS[-1])
    return f"{age // size} {unit}"


def _findings(counts: dict[str, dict[str, int]]) -> list[str]:
    """In order of status and severity."""
    lines = []
    for status in Status:
        by_severity = counts.get(status.value, {})
        told = ", ".join(f"{by_severity[one.value]:,} {one.value}" for one in Severity if one.value in by_severity)
        if told:
            lines.append(f"{status.value}: {told}")
    return lines or ["none"]


def _worker(worker: WorkerState) -> Text:
    state = ("stale ", _BAD) if worker.is_stale else ("alive ", _GOOD)
    told = f"{worker.name}  last commit {worker.at}, {worker.records:,} records in {worker.objects:,} objects"
    pace = "" if worker.is_stale else f", {worker.records_per_second:,.1f} a second"
    return Text.assemble(state, printable(f"{told} since {worker.began}{pace}"))


def _sink(sink: SinkState) -> Text:
    waiting = f"{sink.waiting:,} waiting" + (f" since {sink.oldest_waiting}" if sink.oldest_waiting else "")
    reason = f": {bounded(sink.reason, _LONGEST_REASON)}" if sink.reason else ""
    parked = (f", {sink.parked:,} given up", _BAD) if sink.parked else ("", "")
    return Text.assemble(printable(f"{sink.name}  {sink.delivered:,} delivered, {waiting}"), parked, reason)


def _troubles(condition: Condition) -> list[Text]:
    """The latest of each state, and how many there are."""
    lines: list[Text] = []
    for state, count in condition.troubles_count.items():
        of_state = [one for one in condition.troubles if one.state == state][:_MOST_TROUBLES]
        lines.append(Text(f"{state}: {count:,}", style=_BAD if state == "quarantined" else "yellow"))
        lines += [_trouble(one) for one in of_state]
        if count > len(of_state):
            lines.append(Text(f"  … and {count - len(of_state):,} more: --json has more of them"))
    return lines


def _trouble(trouble: TroubleState) -> Text:
    tries = f" after {trouble.tries} tries" if trouble.tries > 1 else ""
    reason = bounded(trouble.reason, _LONGEST_REASON)
    return Text(f"  {trouble.last}  {bounded(trouble.name, _LONGEST_NAME)}{tries}: {reason}")


def _rule(rule: dict[str, object]) -> Text:
    return Text(printable(f"{rule['id']}  until {rule['expires']}, hides {rule['hides']}: {rule['reason']}"))


def _coverage(condition: Condition) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("account", "region", *(kind.value for kind in Kind)):
        table.add_column(name, no_wrap=True)
    for row in condition.coverage[:_MOST_COVERED]:
        ages = (_told_since(row.seen[kind.value][1], condition.now) if kind.value in row.seen else "–" for kind in Kind)
        table.add_row(row.account, printable(row.region), *ages)
    more = len(condition.coverage) - _MOST_COVERED
    return Group(table, Text(f"… and {more:,} more: --json has all of them")) if more > 0 else table


def _told_since(time: str, now: str) -> str:
    return f"{told_age(max(0, seconds(now) - seconds(time)))} ago"


def _gap(gap: GapState) -> Text:
    more = len(gap.accounts) - _MOST_ACCOUNTS
    named = ", ".join(gap.accounts[:_MOST_ACCOUNTS]) + (f" and {more:,} more" if more > 0 else "")
    return Text.assemble((named, "yellow"), f": {gap.text}")
