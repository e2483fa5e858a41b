"""The command that makes the next stolen key worth nothing.

What it takes is imported where it is used: a scan need not pay for it.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from straykey import acting, idle, pipeline
from straykey.errors import ContainError, UsageError
from straykey.formats.text import printable
from straykey.options import (
    Accounts,
    Agents,
    Beacons,
    Config,
    IpRanges,
    Offline,
    Ours,
    Since,
    Store,
    Trusted,
    Until,
    now,
    ranges_of,
    request_of,
    store_of,
)
from straykey.terminal import say, scanned, show

if TYPE_CHECKING:
    from straykey.fortress import Basis, Hardening
    from straykey.harden.posture import Posture

app = typer.Typer(rich_markup_mode=None)


class Part(StrEnum):
    """What can be asked for alone."""

    PERIMETERS = "perimeters"
    ENDPOINTS = "endpoints"
    IMDSV2 = "imdsv2"
    COVERAGE = "coverage"
    HOST = "host"
    BEACON = "beacon"


class LevelName(StrEnum):
    """As `harden.perimeter.Level`, which a scan need not import."""

    NETWORK = "network"
    INSTANCE = "instance"


class Style(StrEnum):
    JSON = "json"
    TERRAFORM = "terraform"
    CLI = "cli"


class DoingName(StrEnum):
    """As `harden.change.Doing`."""

    PERIMETER = "perimeter"
    V2_KEYS = "v2-keys"
    TOKENS = "tokens"


class MeansName(StrEnum):
    """As `harden.beacon.Means`."""

    AWS_CLI = "aws-cli"
    PYTHON = "python"


class ToolName(StrEnum):
    """As `harden.host_filter.Tool`."""

    NFTABLES = "nftables"
    IPTABLES = "iptables"
    IP6TABLES = "ip6tables"
    PF = "pf"
    IPFW = "ipfw"


_Logs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH]…", help="Logs to rehearse on, as of a scan; default: what straykey watch keeps."),
]


@app.command(epilog="Example: straykey harden logs/ --level instance")
def harden(
    context: typer.Context,
    paths: _Logs = None,
    part: Annotated[Part | None, typer.Option("--part", help="Only this part.")] = None,
    level: Annotated[
        LevelName, typer.Option("--level", help="network: home's addresses are let through; instance: none is.")
    ] = LevelName.NETWORK,
    emit: Annotated[Style | None, typer.Option("--emit", help="Print all of it as something to run elsewhere.")] = None,
    apply: Annotated[
        DoingName | None, typer.Option("--apply", help="Do one thing to one role or instance; asks before.")
    ] = None,
    role: Annotated[str, typer.Option("--role", metavar="NAME", help="With --apply or --rollback: which role.")] = "",
    instance: Annotated[
        str, typer.Option("--instance", metavar="ID", help="With --apply tokens, or --rollback: which instance.")
    ] = "",
    rollback: Annotated[bool, typer.Option("--rollback", help="Undo what --apply did to a role or instance.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --apply or --rollback: do not ask.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="With --apply: though recorded calls break; with --rollback: though it changed."),
    ] = False,
    tool: Annotated[ToolName, typer.Option("--tool", help="With --part host: whose rules.")] = ToolName.NFTABLES,
    user: Annotated[
        list[str], typer.Option("--user", metavar="NAME", help="With --part host: who may; repeatable, root always.")
    ] = [],  # noqa: B006 - typer copies it
    means: Annotated[
        MeansName, typer.Option("--means", help="With --part beacon: what makes the call.")
    ] = MeansName.PYTHON,
    no_account: Annotated[bool, typer.Option("--no-account", help="Do not look into the account.")] = False,
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    agents: Agents = None,
    beacons: Beacons = [],  # noqa: B006 - typer copies it
    since: Since = "",
    until: Until = "",
    config: Config = None,
    store: Store = "",
) -> None:
    """Say what would make stolen keys worth nothing: what it would have stopped, and what it would have broken.

    Policies, endpoints, IMDSv2, host filters, a beacon, and what is not seen.  Nothing is changed without --apply.
    """
    flags = {
        _Asked.HOST: part is Part.HOST,
        _Asked.BEACON: part is Part.BEACON,
        _Asked.EMIT: emit is not None,
        _Asked.APPLY: apply is not None and not rollback,
        _Asked.ROLLBACK: rollback,
    }
    asked = idle.one_of(flags, _Asked.REPORT, hint="see the report, then apply, then roll back")
    _refuse_idle(context, asked, is_logs=bool(paths))
    if asked is _Asked.HOST:
        _print_rules(tool, user)
        return
    if asked is _Asked.BEACON:
        _print_beacon(means)
        return
    where = store_of(config, store)
    wanted = _Wanted(apply, role, instance, is_forced=force, is_agreed=yes)
    wanted.check(asked)
    if rollback:
        _roll_back(where, wanted)
        return
    reading = _Reading(ip_ranges, offline, Ours(accounts, trusted, beacons), agents, since, until)
    is_covered = apply is None and part in (None, Part.COVERAGE)
    with _basis(where, paths or [], reading, is_covered=is_covered) as basis:
        hardening, posture = _hardened(basis, level, no_account=no_account)
    if apply is not None:
        _apply(where, hardening, posture, wanted)
    elif emit is not None:
        _emit(hardening, emit)
    else:
        _show(hardening, part)


class _Reading(msgspec.Struct, frozen=True):
    """How logs are judged, where they are given."""

    ip_ranges: Path | None
    offline: bool
    ours: Ours
    agents: Path | None
    since: str
    until: str


class _Asked(StrEnum):
    """What is to be done, by the option that says so."""

    REPORT = "the report"
    HOST = "--part host"
    BEACON = "--part beacon"
    EMIT = "--emit"
    APPLY = "--apply"
    ROLLBACK = "--rollback"  # --apply beside it names which of the changes
    LOGS = idle.LOGS  # with the report, --emit or --apply


_OF_ACCOUNT = (_Asked.REPORT, _Asked.EMIT, _Asked.APPLY)
# What else may be said means something only with these.
_GOES_WITH = {
    "part": (_Asked.REPORT, _Asked.HOST, _Asked.BEACON),
    "level": _OF_ACCOUNT,
    "no_account": (_Asked.REPORT, _Asked.EMIT),
    "tool": (_Asked.HOST,),
    "user": (_Asked.HOST,),
    "means": (_Asked.BEACON,),
    **dict.fromkeys(("role", "instance", "yes", "force"), (_Asked.APPLY, _Asked.ROLLBACK)),
    **dict.fromkeys(("config", "store"), (*_OF_ACCOUNT, _Asked.ROLLBACK)),
    **dict.fromkeys(("ip_ranges", "accounts", "trusted", "agents", "beacons", "since", "until"), (_Asked.LOGS,)),
}


def _refuse_idle(context: typer.Context, asked: _Asked, *, is_logs: bool) -> None:
    if is_logs and asked not in _OF_ACCOUNT:
        raise UsageError(f"{asked} reads no logs", hint=f"logs go with {' or '.join(_OF_ACCOUNT)}")
    there = {asked, _Asked.LOGS} if is_logs else {asked}
    idle.refuse(context, _GOES_WITH, there, asked="" if asked is _Asked.REPORT else asked)


class _Wanted(msgspec.Struct, frozen=True):
    """What is to be done, and to what."""

    doing: DoingName | None
    role: str
    instance: str
    is_forced: bool
    is_agreed: bool

    @property
    def subject(self) -> str:
        return self.role or self.instance

    def check(self, asked: _Asked) -> None:
        if asked not in (_Asked.APPLY, _Asked.ROLLBACK):
            return
        told, needed = asked.value, {"--role": self.role, "--instance": self.instance}
        if self.doing is not None:
            told = f"--apply {self.doing.value}"
            del needed["--role" if self.doing is DoingName.TOKENS else "--instance"]
        if not any(needed.values()) or (self.role and self.instance):
            raise UsageError(f"{told} needs {' or '.join(needed)}, and nothing else to do it to")


@contextmanager
def _basis(where: str, paths: list[str], how: _Reading, *, is_covered: bool) -> "Iterator[Basis]":
    """Logs, if any are named; else what is kept.  `is_covered`: what they hold is asked, too."""
    from straykey import fortress  # noqa: PLC0415

    if not paths:
        with fortress.kept(where) as basis:
            yield basis
        return
    ranges = ranges_of(how.ip_ranges, offline=how.offline)
    request = request_of(ranges, how.ours, how.since, how.until, agents=how.agents)
    outcome = scanned(paths, request, ranges.told)
    # Read once more: a scan keeps no count of what kinds of records there were.
    seen = fortress.seen_in(pipeline.source_of(paths, request.period, say), request.period) if is_covered else None
    yield fortress.Basis(outcome.ledger, outcome.findings, seen)


def _hardened(basis: "Basis", level: LevelName, *, no_account: bool) -> "tuple[Hardening, Posture | None]":
    from straykey import fortress  # noqa: PLC0415
    from straykey.harden.perimeter import Level  # noqa: PLC0415

    posture, why = (None, "") if no_account else fortress.posture_of(basis.ledger)
    if why:
        say(f"the account was not read: {why}")
    return fortress.hardening_of(basis, posture, Level(level.value)), posture


def _show(hardening: "Hardening", part: Part | None) -> None:
    from straykey.harden import report_table  # noqa: PLC0415

    if part in (None, Part.PERIMETERS):
        show(report_table.perimeters(hardening.report))
    if part in (None, Part.ENDPOINTS):
        show(report_table.endpoints(hardening.report))
    if part in (None, Part.IMDSV2):
        show(report_table.imdsv2(hardening.measures))
    if part in (None, Part.COVERAGE):
        show(report_table.coverage(hardening.gaps))
    for one in hardening.report.unread:
        say(f"not read: {printable(one)}")
    say("nothing was changed: --emit prints the documents, --apply does one thing to one role or instance")


def _emit(hardening: "Hardening", style: Style) -> None:
    from straykey.harden.emit import emitted  # noqa: PLC0415

    typer.echo(emitted(hardening.report, hardening.measures, style.value, hardening.gaps), nl=False)


def _print_rules(tool: ToolName, users: list[str]) -> None:
    from straykey.harden import host_filter  # noqa: PLC0415

    chosen = host_filter.Tool(tool.value)
    typer.echo(host_filter.rules(chosen, users), nl=False)
    say(f"to load it, once it is in {host_filter.FILES[chosen]}:\n{host_filter.how_to_load(chosen)}")
    say(f"to take it back:\n{host_filter.how_to_undo(chosen)}")
    for one in host_filter.NOT_COVERED:
        say(f"not covered: {one}")
    for one in host_filter.LAYER_7:
        say(f"more, with a proxy: {one}")


def _print_beacon(means: MeansName) -> None:
    from straykey.harden import beacon  # noqa: PLC0415

    typer.echo(beacon.user_data(beacon.Means(means.value)), nl=False)
    say("this is user data for a launch template; it calls GetCallerIdentity once at each boot")
    say("it counts once you say that the whole role sends it: --beacon ROLE, or beacon_roles of watch")


def _apply(where: str, hardening: "Hardening", posture: "Posture | None", wanted: _Wanted) -> None:
    from straykey import aws, containment, fortress  # noqa: PLC0415
    from straykey.contain import apply as doing  # noqa: PLC0415
    from straykey.contain.check import Order, check  # noqa: PLC0415
    from straykey.contain.clients import Clients  # noqa: PLC0415

    if posture is None or wanted.doing is None:
        raise ContainError("the account cannot be read, so nothing was changed", hint="see above for why")
    change = fortress.change_of(wanted.doing.value, hardening, posture, wanted.role, wanted.instance)
    session = aws.session()
    clients = Clients(session, change.region or session.region_name or "us-east-1")
    order = Order(change.journaled_as, change.account, clients.region, now())
    checked = check(change, order, clients)
    if checked.troubles:
        listed = "".join(f"\n  {one.text}" + (f": {one.hint}" if one.hint else "") for one in checked.troubles)
        raise ContainError(f"{change.option.value} cannot be applied, and nothing was changed{listed}")
    for note in checked.notes:
        say(f"note: {note}")
    _warn(fortress.broken_by(change, hardening), is_forced=wanted.is_forced)
    for step in change.steps:
        say(f"to do: {printable(step.name)}")
    what = f"This changes account {change.account}."
    acting.agree(what, "the name or id it is done to", wanted.subject, is_agreed=wanted.is_agreed)
    with containment.journal_in(where) as journal:
        done = doing.apply(change, order, journal, clients)
    undoing = f"straykey harden --rollback {_named(wanted)}"
    acting.tell_applied(done, undoing)
    say(f"applied; {undoing} takes it back")


def _named(wanted: _Wanted) -> str:
    return printable(shlex.join(["--role", wanted.role] if wanted.role else ["--instance", wanted.instance]))


def _warn(broken: list[str], *, is_forced: bool) -> None:
    """Whoever applies what breaks recorded calls must say that this is meant."""
    for one in broken:
        say(printable(one))
    if broken and not is_forced:
        raise ContainError(
            "recorded calls of the workload would break, and nothing was changed",
            hint="mend that first, or say --force",
        )


def _roll_back(where: str, wanted: _Wanted) -> None:
    from straykey import fortress  # noqa: PLC0415

    begun = [one for one in fortress.begun(where) if one.finding.endswith(f":{wanted.subject}")]
    if wanted.doing is not None:
        begun = [one for one in begun if one.option == wanted.doing.value]
    if not begun:
        raise ContainError(
            f"nothing was applied to {printable(wanted.subject)}, or all of it was rolled back already",
            hint="the journal is in the store: name the one it was applied with, by --store or STRAYKEY_STORE",
        )
    say(f"this undoes {', '.join(f'{one.option} ({one.phase}, begun {one.begun})' for one in begun)}")
    what = f"This changes account {begun[0].account}."
    acting.agree(what, "the name or id it was done to", wanted.subject, is_agreed=wanted.is_agreed)
    acting.undo(where, begun, is_forced=wanted.is_forced)
