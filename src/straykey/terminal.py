"""What the person who typed the command sees: results on stdout, everything else on stderr."""

import sys
import time
from collections.abc import Callable
from enum import StrEnum

import typer
from rich.console import Console, RenderableType

from straykey import pipeline
from straykey.core.finding import Finding
from straykey.engines.local import processors
from straykey.formats import asff, finding_json, finding_table, guardduty, ocsf, summary
from straykey.formats.text import as_json
from straykey.progress import Progress
from straykey.sources.aws_ranges import Obtained

EXIT_NOT_DONE = 1  # of what changes an account, or looks whether that helped
_WIDTH_OFF_TERMINAL = 140
_MOST_BLOCKS = 20


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    ASFF = "asff"
    OCSF = "ocsf"
    GUARDDUTY = "guardduty"


class TableOrJson(StrEnum):
    TABLE = "table"
    JSON = "json"


_OF_OTHERS: dict[Format, Callable[[Finding], dict[str, object]]] = {
    Format.ASFF: asff.to_finding,
    Format.OCSF: ocsf.to_finding,
    Format.GUARDDUTY: guardduty.to_event,
}


def scanned(paths: list[str], request: pipeline.Request, ranges_told: str, jobs: int | None = None) -> pipeline.Scanned:
    """Scan under a progress bar, then say what was read, lost and found."""
    began = time.monotonic()
    source = pipeline.source_of(paths, request.period, say)
    # What only this process can read tells no size beforehand.
    total = None if source.is_bound else sum(size for _, size in source.contents)
    with Progress(total) as progress:
        outcome = pipeline.scan(source, request, jobs=jobs or processors(), progress=progress.advance)
    for line in summary.lines(
        outcome.tally,
        outcome.findings,
        sessions=len(outcome.ledger.sessions),
        instances=outcome.instances,
        ranges=ranges_told,
        seconds=time.monotonic() - began,
    ):
        say(line)
    return outcome


def show_findings(outcome: pipeline.Scanned, how: Format, arguments: list[str], ranges: Obtained) -> None:
    """Print all findings; `arguments` are those of the command line that scans the same again."""
    findings = outcome.findings
    if how is Format.JSON:
        used = ranges.ranges
        about = {"token": used.token if used else None, "created": used.created if used else None}
        typer.echo(finding_json.to_document(findings, about))
    elif how is Format.JSONL:
        for finding in findings:
            typer.echo(finding_json.to_line(finding))
    elif how in _OF_OTHERS:
        typer.echo(as_json([_OF_OTHERS[how](finding) for finding in findings], indent=2))
    else:
        show(finding_table.render(findings, instances=outcome.instances, most=_MOST_BLOCKS))
        if findings:
            show(finding_table.next_steps(findings, arguments), fold=False)


def show(what: RenderableType, *, fold: bool = True) -> None:
    """Print to stdout; without `fold` a long line stays one, so that a command can be copied."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(what, soft_wrap=not fold)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def say(line: str) -> None:
    """Tell something that is no result."""
    print(line, file=sys.stderr)  # noqa: T201 - the one place that talks
