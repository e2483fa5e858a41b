"""The command line: parse arguments, call the pipeline, print, choose the exit code.

Results go to stdout, everything else to stderr.  Exit codes: 0 done, 1 findings at or above --fail-on, 2 wrong usage,
3 some input could not be read (results are printed all the same); 1 goes before 3.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from straykey import __version__, containing, hardening, keeping, pipeline, watching, worlds
from straykey.core.finding import Severity
from straykey.errors import StraykeyError, UsageError
from straykey.formats import agent_json, agent_table, allow_list, explanation
from straykey.formats.text import printable
from straykey.options import (
    Accounts,
    Agents,
    Beacons,
    IpRanges,
    Jobs,
    Offline,
    Ours,
    Paths,
    Reports,
    RequireIssuance,
    Since,
    Trusted,
    Until,
    ranges_of,
    request_of,
)
from straykey.terminal import Format, TableOrJson, say, scanned, show, show_findings

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


def main() -> None:
    """Run the command line; no traceback reaches a user."""
    try:
        app(prog_name="straykey")
    except StraykeyError as error:
        say(f"straykey: {error}")
        if error.hint:
            say(f"  {error.hint}")
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more on exit
        sys.exit(0)
    except OSError as error:
        say(f"straykey: cannot write the output: {error.strerror}")
        sys.exit(EXIT_USAGE)
    except KeyboardInterrupt:
        sys.exit(_EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last line
        say(f"straykey: this is a bug: {type(error).__name__}: {error}")
        say("  please report it with the command you ran")
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
    jobs: Jobs = None,
    require_issuance: RequireIssuance = False,
    agents: Agents = None,
    beacons: Beacons = [],  # noqa: B006 - typer copies it
    report: Reports = [],  # noqa: B006 - typer copies it
    fail_on: Annotated[
        Severity | None, typer.Option("--fail-on", help="Exit 1 if a finding is at least this severe.")
    ] = None,
) -> None:
    """Find stolen instance keys in CloudTrail files."""
    ranges = ranges_of(ip_ranges, offline=offline)
    ours = Ours(accounts, trusted, beacons)
    request = request_of(ranges, ours, since, until, require_issuance=require_issuance, agents=agents, report=report)
    outcome = scanned(paths, request, ranges.told, jobs)
    files = {"--ip-ranges": ip_ranges, "--agents": agents}
    same = [*paths, *(part for option, file in files.items() if file for part in (option, str(file)))]
    same += [part for role in beacons for part in ("--beacon", role)]
    show_findings(outcome, format, same, ranges)
    if fail_on and any(finding.severity_score >= fail_on.score for finding in outcome.findings):
        raise typer.Exit(EXIT_FOUND)
    _exit_for_losses(outcome)


@app.command(epilog="Example: straykey explain i-0123456789abcdef0 AWSLogs/")
def explain(
    session: Annotated[str, typer.Argument(metavar="SESSION|INSTANCE", help="A session's ARN or an instance id.")],
    paths: Paths,
    format: Annotated[  # noqa: A002
        TableOrJson, typer.Option("--format", help="How to print.")
    ] = TableOrJson.TABLE,
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    since: Since = "",
    until: Until = "",
    jobs: Jobs = None,
    require_issuance: RequireIssuance = False,
    agents: Agents = None,
    beacons: Beacons = [],  # noqa: B006 - typer copies it
    report: Reports = [],  # noqa: B006 - typer copies it
) -> None:
    """Show every network of a session: home, stray or explained, why, and the record that proves it."""
    ranges = ranges_of(ip_ranges, offline=offline)
    ours = Ours(accounts, trusted, beacons)
    request = request_of(ranges, ours, since, until, require_issuance=require_issuance, agents=agents, report=report)
    outcome = scanned(paths, request, ranges.told, jobs)
    found = pipeline.explain(session, outcome, request)
    if not found:
        raise UsageError(
            f"{printable(session)}: no such session or instance in these files",
            hint="give a session's ARN, or an instance id as it stands in the records",
        )
    if format is TableOrJson.JSON:
        typer.echo(explanation.to_document(found))
    else:
        for one in found:
            show(explanation.render(one))
        show(explanation.LIMITS)
    _exit_for_losses(outcome)


@app.command("agents", epilog="Example: straykey agents AWSLogs/ --write agents.json")
def programs(
    paths: Paths,
    format: Annotated[  # noqa: A002
        TableOrJson, typer.Option("--format", help="How to print.")
    ] = TableOrJson.TABLE,
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    beacons: Beacons = [],  # noqa: B006 - typer copies it
    since: Since = "",
    until: Until = "",
    jobs: Jobs = None,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write the list that scan --agents takes.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write it over a file that is there.")] = False,
) -> None:
    """List the programs that each role's instances use from home, and write the list that allows them."""
    if write is not None and write.exists() and not force:
        raise _is_there(write)
    ranges = ranges_of(ip_ranges, offline=offline)
    request = request_of(ranges, Ours(accounts, trusted, beacons), since, until)
    outcome = scanned(paths, request, ranges.told, jobs)
    inventory = pipeline.agents(outcome, request)
    if format is TableOrJson.JSON:
        typer.echo(agent_json.to_document(inventory))
    else:
        show(agent_table.render(inventory))
    for line in agent_table.notes(inventory):
        say(line)
    if write is not None:
        _write(write, allow_list.to_document(inventory), force=force)
        say(f"wrote:    {printable(str(write))}: {allow_list.told(inventory)}")
    _exit_for_losses(outcome)


def _write(file: Path, text: str, *, force: bool) -> None:
    try:
        with file.open("w" if force else "x", encoding="ascii") as written:
            written.write(text)
    except FileExistsError as error:
        raise _is_there(file) from error
    except OSError as error:
        told = f"--write {printable(str(file))}: {error.strerror}"
        raise UsageError(told, hint="name a file that can be written") from error


def _is_there(file: Path) -> UsageError:
    told = f"--write {printable(str(file))}: is there already, and somebody may have mended it"
    return UsageError(told, hint="name a new file, or write over this one with --force")


def _exit_for_losses(outcome: pipeline.Scanned) -> None:
    if outcome.tally.losses:
        raise typer.Exit(EXIT_UNREAD)


app.add_typer(watching.app)
app.add_typer(keeping.app)
app.add_typer(containing.app)
app.add_typer(hardening.app)
app.add_typer(worlds.app)  # last: help lists commands in this order
