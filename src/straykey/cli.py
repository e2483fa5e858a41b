"""The command line: parse arguments, call the pipeline, print, choose the exit code.

Results go to stdout, everything else to stderr.  Exit codes: 0 done, 1 findings at or above --fail-on, 2 wrong usage,
3 some input could not be read (results are printed all the same); 1 goes before 3.
"""

import ipaddress
import os
import shlex
import sys
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_cache_path
from rich.console import Console, RenderableType

from straykey import __version__, pipeline
from straykey.core.finding import Severity
from straykey.core.moment import moment
from straykey.core.network import IPNetwork, is_account
from straykey.core.settings import Settings
from straykey.errors import StraykeyError, UsageError
from straykey.formats import explanation, finding_json, finding_table, summary
from straykey.formats.text import printable
from straykey.progress import Progress
from straykey.sources import aws_ranges
from straykey.sources.files import Files, find

if TYPE_CHECKING:
    from straykey.sim import delivery

app = typer.Typer(
    name="straykey",
    help="Finds AWS keys that strayed from the workload they were issued to, from CloudTrail alone.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)

EXIT_FOUND = 1
EXIT_USAGE = 2
EXIT_UNREAD = 3
_EXIT_INTERRUPTED = 130
_EXIT_BUG = 70
_WIDTH_OFF_TERMINAL = 140
_MOST_BLOCKS = 20


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


class ExplainFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="CloudTrail files, folders of them, or - for stdin.")]
IpRanges = Annotated[
    Path | None,
    typer.Option("--ip-ranges", metavar="FILE", help="AWS's ip-ranges.json; default: a copy downloaded once a week."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never download the ranges; use the cached copy if any.")]
Accounts = Annotated[
    str,
    typer.Option("--accounts", metavar="IDS|FILE", help="Accounts of ours besides those whose records are read."),
]
Trusted = Annotated[
    list[str],
    typer.Option("--trusted-network", metavar="CIDR", help="A network that is fine for every session; repeatable."),
]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="Read records from this time on (2026-05-04T10:00Z).")
]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Read records before this time.")]
RequireIssuance = Annotated[
    bool,
    typer.Option("--require-issuance", help="Judge only keys whose issuance was read, as the 2018 method does."),
]


def main() -> None:
    """Run the command line; no traceback reaches a user."""
    try:
        app(prog_name="straykey")
    except StraykeyError as error:
        _say(f"straykey: {error}")
        if error.hint:
            _say(f"  {error.hint}")
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more on exit
        sys.exit(0)
    except OSError as error:
        _say(f"straykey: cannot write the output: {error.strerror}")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last line
        _say(f"straykey: this is a bug: {type(error).__name__}: {error}")
        _say("  please report it with the command you ran")
        sys.exit(_EXIT_BUG)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"straykey {__version__}")
        raise typer.Exit


@app.command(epilog="Example: straykey scan AWSLogs/ --ip-ranges ip-ranges.json --fail-on HIGH")
def scan(
    paths: Paths,
    format: Annotated[Format, typer.Option("--format", help="How to print findings.")] = Format.TABLE,  # noqa: A002
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    since: Since = "",
    until: Until = "",
    require_issuance: RequireIssuance = False,
    fail_on: Annotated[
        Severity | None, typer.Option("--fail-on", help="Exit 1 if a finding is at least this severe.")
    ] = None,
) -> None:
    """Find stolen instance keys in CloudTrail files."""
    ranges = _ranges(ip_ranges, offline=offline)
    request = _request(ranges, accounts, trusted, since, until, require_issuance=require_issuance)
    scanned = _scan(paths, request, ranges.told)
    _print_findings(scanned, format, [*paths, *(["--ip-ranges", str(ip_ranges)] if ip_ranges else [])], ranges)
    if fail_on and any(finding.severity_score >= fail_on.score for finding in scanned.findings):
        raise typer.Exit(EXIT_FOUND)
    _exit_for_losses(scanned)


@app.command(epilog="Example: straykey explain i-0123456789abcdef0 AWSLogs/")
def explain(
    session: Annotated[str, typer.Argument(metavar="SESSION|INSTANCE", help="A session's ARN or an instance id.")],
    paths: Paths,
    format: Annotated[  # noqa: A002
        ExplainFormat, typer.Option("--format", help="How to print.")
    ] = ExplainFormat.TABLE,
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    since: Since = "",
    until: Until = "",
    require_issuance: RequireIssuance = False,
) -> None:
    """Show every network of a session: home, stray or explained, why, and the record that proves it."""
    ranges = _ranges(ip_ranges, offline=offline)
    request = _request(ranges, accounts, trusted, since, until, require_issuance=require_issuance)
    scanned = _scan(paths, request, ranges.told)
    found = pipeline.explain(session, scanned, request)
    if not found:
        raise UsageError(
            f"{printable(session)}: no such session or instance in these files",
            hint="give a session's ARN, or an instance id as it stands in the records",
        )
    if format is ExplainFormat.JSON:
        typer.echo(explanation.to_document(found))
    else:
        for one in found:
            _show(explanation.render(one))
        _show(explanation.LIMITS)
    _exit_for_losses(scanned)


@app.command(epilog="Example: straykey simulate company --hours 2 --instances 30 --seed 7")
def simulate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    hours: Annotated[int, typer.Option("--hours", min=1, max=720, help="How long to watch.")] = 1,
    instances: Annotated[int, typer.Option("--instances", min=1, max=10000, help="How many instances.")] = 12,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal files.")] = 1,
    thefts: Annotated[int, typer.Option("--thefts", min=0, help="How many keys are stolen.")] = 2,
) -> None:
    """Write a small company's CloudTrail with thefts in it, and the truth beside it."""
    delivered = _simulate(directory, hours=hours, instances=instances, seed=seed, thefts=thefts)
    typer.echo(f"{delivered.logs}: {delivered.files} files, {delivered.records} records")
    typer.echo(f"{delivered.truth}: what was stolen, and where it was used")
    typer.echo(f"{delivered.ip_ranges}: this world's AWS ranges")
    command = ["straykey", "scan", str(delivered.logs), "--ip-ranges", str(delivered.ip_ranges)]
    typer.echo(f"\nNext: {shlex.join(command)}")


@app.command(epilog="Example: straykey demo")
def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the company's files go, or already are.")
    ] = Path("straykey-demo"),
) -> None:
    """Simulate an hour of a small company with two thefts in it, and find them."""
    logs, copy = directory / "AWSLogs", directory / "ip-ranges.json"
    if logs.is_dir() and not copy.is_file():
        raise UsageError(f"{directory}: holds something else than a demo", hint="name a new folder")
    if not logs.is_dir():
        delivered = _simulate(directory, hours=1, instances=12, seed=1, thefts=2)
        _say(f"simulated an hour of a small company: {delivered.records} records in {delivered.files} files")
    _say(f"straykey scan {logs} --ip-ranges {copy}\n")
    ranges = aws_ranges.from_file(copy, now=_now())
    scanned = _scan([str(logs)], pipeline.Request(ranges=ranges.ranges), ranges.told)
    _say("")
    _print_findings(scanned, Format.TABLE, [str(logs), "--ip-ranges", str(copy)], ranges)
    _say("\nWith your own logs: straykey scan PATH   (a trail's files or folders; aws s3 sync brings them)")


def _simulate(directory: Path, *, hours: int, instances: int, seed: int, thefts: int) -> "delivery.Delivered":
    from straykey.sim import delivery, scenario  # noqa: PLC0415 - a scan need not pay for it

    try:
        world = scenario.simulate(seed=seed, hours=hours, instances=instances, thefts=thefts)
        return delivery.write(world, directory)
    except ValueError as error:
        raise UsageError(str(error), hint="ask for more instances or fewer thefts") from error
    except FileExistsError as error:
        raise UsageError(f"{directory}: holds a simulation already", hint="name a new folder") from error
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}", hint="name a folder that can be written") from error


def _ranges(ip_ranges: Path | None, *, offline: bool) -> aws_ranges.Obtained:
    if ip_ranges is not None:
        return aws_ranges.from_file(ip_ranges, now=_now())
    folder = user_cache_path("straykey", appauthor=False)
    return aws_ranges.from_cache(folder, now=_now(), url="" if offline else aws_ranges.PUBLISHED_AT)


def _request(
    ranges: aws_ranges.Obtained, accounts: str, trusted: list[str], since: str, until: str, *, require_issuance: bool
) -> pipeline.Request:
    period = pipeline.Period(_time("--since", since), _time("--until", until))
    if period.until and period.since >= period.until:
        raise UsageError("--since is not before --until: no record can lie between", hint="swap them")
    return pipeline.Request(
        settings=Settings(
            accounts=_accounts(accounts),
            trusted=tuple(_network(cidr) for cidr in trusted),
            require_issuance=require_issuance,
        ),
        ranges=ranges.ranges,
        period=period,
    )


def _accounts(text: str) -> frozenset[str]:
    """Ids separated by commas or white space, given here or in a file."""
    ids = text.replace(",", " ").split()
    if not all(map(is_account, ids)):
        ids = _accounts_in_file(text)
    return frozenset(ids)


def _accounts_in_file(name: str) -> list[str]:
    hint = "give twelve digits each, separated by commas, or a file of them"
    try:
        lines = Path(name).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        told = f"--accounts {printable(name)}: neither account ids nor a file that can be read"
        raise UsageError(told, hint=hint) from error
    ids = [one for line in lines for one in line.partition("#")[0].replace(",", " ").split()]
    for one in ids:
        if not is_account(one):
            raise UsageError(f"--accounts {printable(name)}: {printable(one)} is no account id", hint=hint)
    return ids


def _network(cidr: str) -> IPNetwork:
    try:
        return ipaddress.ip_network(cidr)
    except ValueError as error:
        raise UsageError(f"--trusted-network {error}", hint="give a network such as 203.0.113.0/24") from error


def _time(option: str, text: str) -> str:
    time = moment(text) if text else ""
    if time is None:
        raise UsageError(
            f"{option} {printable(text)}: no time", hint="give a time such as 2026-05-04T10:00Z; UTC is meant"
        )
    return time


def _scan(paths: list[str], request: pipeline.Request, told: str) -> pipeline.Scanned:
    began = time.monotonic()
    found = find(paths)
    with Progress(sum(one.size for one in found)) as progress:
        scanned = pipeline.scan(Files(found), request, progress.advance)
    for line in summary.lines(
        scanned.tally,
        scanned.findings,
        sessions=len(scanned.ledger.sessions),
        instances=scanned.instances,
        ranges=told,
        seconds=time.monotonic() - began,
    ):
        _say(line)
    return scanned


def _print_findings(scanned: pipeline.Scanned, how: Format, arguments: list[str], ranges: aws_ranges.Obtained) -> None:
    findings = scanned.findings
    if how is Format.JSON:
        used = ranges.ranges
        about = {"token": used.token if used else None, "created": used.created if used else None}
        typer.echo(finding_json.to_document(findings, about))
    elif how is Format.JSONL:
        for finding in findings:
            typer.echo(finding_json.to_line(finding))
    else:
        _show(finding_table.render(findings, instances=scanned.instances, most=_MOST_BLOCKS))
        if findings:
            _show(finding_table.next_steps(findings, arguments), fold=False)


def _exit_for_losses(scanned: pipeline.Scanned) -> None:
    if scanned.tally.losses:
        raise typer.Exit(EXIT_UNREAD)


def _show(what: RenderableType, *, fold: bool = True) -> None:
    """Print to stdout; without `fold` a long line stays one, so that a command can be copied."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=_WIDTH_OFF_TERMINAL, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(what, soft_wrap=not fold)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - the one place that talks


def _now() -> datetime:
    return datetime.now(UTC)
