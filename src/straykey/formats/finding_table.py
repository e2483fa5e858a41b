"""Findings for a terminal: one block each, worst first, and what to do next."""

import re
import shlex
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.core.finding import Finding, FindingType, Home, PivotUse, Severity, Stray
from straykey.core.session import IDENTITY_ROLE, is_instance_id
from straykey.formats.text import printable

COLOURS = {
    Severity.HIGH: "bold white on red",
    Severity.MEDIUM: "bold black on yellow",
    Severity.LOW: "bold black on cyan",
    Severity.INFORMATIONAL: "bold white on blue",
}
NOTHING_JUDGED = "Nothing to judge: these records hold no session of an instance, a task, a function or a pod."
_MOST_CALLS = 8
_MOST_AGENTS = 3
_MOST_PIVOTS = 12
_AGENT_WIDTH = 60
_ID_SHOWN = 12
_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")


def render(findings: Sequence[Finding], *, instances: int, most: int) -> RenderableType:
    """The first `most` findings in full, then the number of the others; `instances`: sessions that were judged."""
    if not findings:
        return Text("No stray keys found." if instances else NOTHING_JUDGED, style="green" if instances else "yellow")
    blocks: list[RenderableType] = [block(finding) for finding in findings[:most]]
    if len(findings) > most:
        blocks.append(Text(f"… and {len(findings) - most} more: --format json or jsonl has all of them\n"))
    return Group(*blocks)


def block(finding: Finding) -> RenderableType:
    """One finding in full: what it is, the facts, why, its id."""
    head = Text.assemble(
        (f" {finding.severity.value} ", COLOURS[finding.severity]),
        f" {finding.confidence.value}  ",
        (printable(finding.title), "bold"),
    )
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column(overflow="fold")
    for name, text in _rows(finding):
        rows.add_row(name, Text(printable(text)))
    return Group(head, Padding(rows, (0, 0, 1, 2)))


def _rows(finding: Finding) -> list[tuple[str, str]]:
    rows = [] if finding.severity is Severity.INFORMATIONAL else _facts(finding)
    rows += [("" if index else "why", reason.text) for index, reason in enumerate(finding.reasons)]
    rows.append(("id", finding.id))
    return rows


def _facts(finding: Finding) -> list[tuple[str, str]]:
    """Who, where, what; what is not known has no line."""
    session, stray = finding.session, finding.stray
    rows = [("session", f"{session.role} / {session.instance_id or session.arn}, account {session.account}")]
    rows.append((_VERBS.get(finding.type, "strayed"), _stray_line(stray)))
    if finding.type is not FindingType.SPOOFED_NAME:
        rows += [("home", line) for line in _home_lines(finding.home)]
    rows.append(("keys", ", ".join(finding.access_keys)))
    rows.append(("calls", calls_line(stray.calls)))
    rows.append(("agents", _some(_short(stray.user_agents), _MOST_AGENTS)))
    rows += [("" if index else "made", line) for index, line in enumerate(_pivot_lines(finding))]
    return [(name, text) for name, text in rows if text]


_VERBS = {FindingType.USER_AGENT: "used", FindingType.SPOOFED_NAME: "taken"}


def _pivot_lines(finding: Finding) -> list[str]:
    """What the thief made, the nearest first."""
    lines = [pivot_line(pivot) for pivot in finding.pivots[:_MOST_PIVOTS]]
    more = finding.pivots_count - len(lines)
    return [*lines, f"… and {more} more"] if more else lines


def pivot_line(pivot: PivotUse) -> str:
    """What was made, by which call, and its use."""
    key = f" key {pivot.access_key}," if pivot.access_key else ""
    where = f" from {_some(pivot.addresses, _MOST_AGENTS)}" if pivot.addresses else ""
    used = f"{count_line(pivot.uses, estimated=False)}{where}" if pivot.uses else "no use seen"
    call = pivot.call.replace(".amazonaws.com", "")
    return f"{'  ' * (pivot.depth - 1)}{pivot.time}  {call}  {pivot.made or ''}{key} {used}"


def _stray_line(stray: Stray) -> str:
    place = f"{stray.address} through {stray.vpc_endpoint}" if stray.vpc_endpoint else stray.address
    owner = f", account {stray.account}{' (ours)' if stray.affiliated else ' (not ours)'}" if stray.account else ""
    region = f", AWS {stray.aws_region}" if stray.aws_region else ""
    errors = f", {stray.errors} failed" if stray.errors else ""
    calls = count_line(stray.count, stray.count_is_estimate)
    return f"{place}{region}{owner}  {stray.first_seen} – {stray.last_seen}  {calls}{errors}"


def count_line(count: int, estimated: bool) -> str:
    """`about 138 calls`."""
    return f"{'about ' if estimated else ''}{count} call{'' if count == 1 else 's'}"


def _home_lines(homes: Sequence[Home]) -> list[str]:
    """One line for each address; the endpoints it goes through are counted."""
    by_address: dict[str, list[Home]] = defaultdict(list)
    for home in homes:
        by_address[home.address].append(home)
    return [_home_line(address, same) for address, same in by_address.items()] or ["none known"]


def _home_line(address: str, homes: Sequence[Home]) -> str:
    endpoints = [home.vpc_endpoint for home in homes if home.vpc_endpoint]
    through = f" through {endpoints[0] if len(endpoints) == 1 else f'{len(endpoints)} endpoints'}" if endpoints else ""
    calls = count_line(sum(home.count for home in homes), any(home.count_is_estimate for home in homes))
    first, last = min(home.first_seen for home in homes), max(home.last_seen for home in homes)
    return f"{address}{through} ({homes[0].why})  {first} – {last}  {calls}"


def calls_line(calls: dict[str, int]) -> str:
    """The calls made most, each with its number."""
    often = sorted(calls.items(), key=lambda call: (-call[1], call[0]))
    return _some([f"{call.replace('.amazonaws.com', '')} {count}" for call, count in often], _MOST_CALLS)


def _short(agents: Sequence[str]) -> list[str]:
    """The beginnings of the agents, each once: S3 writes the same agent in brackets."""
    plain = [agent.strip("[]") for agent in agents]
    return sorted({agent if len(agent) <= _AGENT_WIDTH else f"{agent[:_AGENT_WIDTH]}…" for agent in plain})


def _some(items: Sequence[str], most: int) -> str:
    more = f" … and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def next_steps(findings: Sequence[Finding], arguments: Sequence[str]) -> Text:
    """What a responder does now about the worst finding, with the price of each step.

    `arguments`: the paths and options of the scan, for the command that explains it.
    """
    worst = findings[0]
    if worst.severity is Severity.INFORMATIONAL:
        return Text()
    text = Text.assemble(("What to do next", "bold"))
    for number, (what, command) in enumerate(_steps(worst, arguments), start=1):
        text.append(f"\n{number}. {what}:\n   ")
        text.append(printable(shlex.join(command)), style="cyan")
    return text


def _steps(worst: Finding, arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Each step in words and as a command.  Log text gets into a command only if it is what AWS allows there."""
    session = worst.session
    instance = session.instance_id if is_instance_id(session.instance_id or "") else None
    region = session.region if _REGION.fullmatch(session.region or "") else None
    steps = [("See every network of it", ["straykey", "explain", instance or session.arn, *arguments])]
    if worst.type in (FindingType.USER_AGENT, FindingType.SPOOFED_NAME):
        return steps
    if session.role == IDENTITY_ROLE:
        stop = ["aws", "ec2", "stop-instances", "--instance-ids", instance or "INSTANCE", *_in(region)]
        return [
            *steps,
            ("These are the instance's own identity keys, which no policy reaches. Stop the instance", stop),
        ]
    compare = "Compare the ways to lock the thief out, rehearsed on these calls; --option NAME --apply does one"
    steps.append((compare, ["straykey", "contain", worst.id[:_ID_SHOWN], *arguments]))
    if instance:
        require = ["aws", "ec2", "modify-instance-metadata-options", "--instance-id", instance, *_in(region)]
        steps.append(
            (
                "Then end the leak: require IMDSv2, and replace what was reached by the calls above",
                [*require, "--http-tokens", "required", "--http-endpoint", "enabled"],
            )
        )
    return steps


def _in(region: str | None) -> list[str]:
    return ["--region", region] if region else []
