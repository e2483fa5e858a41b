"""The commands that contain a theft, and report it.

What they take is imported where it is used: a scan need not pay for it.
"""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from straykey import acting, idle, verifying
from straykey.errors import UsageError
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
    now,
    ranges_of,
    request_of,
    store_of,
)
from straykey.terminal import TableOrJson, say, scanned, show

if TYPE_CHECKING:
    from straykey.contain.comparison import Comparison, Weighed
    from straykey.contain.theft import Theft
    from straykey.core.finding import Finding

app = typer.Typer(rich_markup_mode=None)


class OptionName(StrEnum):
    """As `contain.plan.Option`, which a scan need not import."""

    PIN = "pin"
    PIN_EVERYWHERE = "pin-everywhere"
    VPC_ENDPOINT = "vpc-endpoint"
    REVOKE = "revoke"
    SWAP_ROLE = "swap-role"
    DENY_ALL = "deny-all"
    ISOLATE = "isolate"
    IMDSV2 = "imdsv2"
    STOP = "stop"


class Style(StrEnum):
    CLI = "cli"
    PYTHON = "python"
    TERRAFORM = "terraform"


_Id = Annotated[str, typer.Argument(metavar="FINDING", help="A finding's id, or its beginning.")]
_Logs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATH]…", help="Logs to judge by, as of a scan; default: what straykey watch keeps."),
]
_Findings = Annotated[
    Path | None,
    typer.Option("--findings", metavar="FILE", help="The finding as scan --format json wrote it; with PATH."),
]


@app.command(epilog="Example: straykey contain 3f2a9c41 --option pin --apply")
def contain(
    context: typer.Context,
    name: _Id,
    paths: _Logs = None,
    findings: _Findings = None,
    option: Annotated[OptionName | None, typer.Option("--option", help="Only this option.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; asks before.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Undo what was applied for this finding.")] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --rollback: also where somebody changed it since, and with --yes while stolen keys may be good.",
        ),
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Say from records made since whether the thief is locked out.")
    ] = False,
    wait: Annotated[
        str, typer.Option("--wait", metavar="TIME", help="With --verify: look again each minute for so long: 20m.")
    ] = "",
    no_account: Annotated[
        bool, typer.Option("--no-account", help="Plan from the logs alone: do not look into the account.")
    ] = False,
    emit: Annotated[
        Style | None, typer.Option("--emit", help="Print the option as something to run elsewhere.")
    ] = None,
    form: Annotated[TableOrJson, typer.Option("--format", help="How to print.")] = TableOrJson.TABLE,
    ip_ranges: IpRanges = None,
    offline: Offline = False,
    accounts: Accounts = "",
    trusted: Trusted = [],  # noqa: B006 - typer copies it
    agents: Agents = None,
    beacons: Beacons = [],  # noqa: B006 - typer copies it
    since: Since = "",
    config: Config = None,
    store: Store = "",
) -> None:
    """Compare the ways to lock a thief out: what each stops and what it breaks.  Then do one, verify it, or undo it.

    Nothing is changed without --apply.  What is done is journaled in the store before it is done.
    """
    flags = {_Asked.APPLY: apply, _Asked.ROLLBACK: rollback, _Asked.VERIFY: verify, _Asked.EMIT: emit is not None}
    asked = _asked(flags, option)
    _refuse_idle(context, asked, is_logs=bool(paths))
    where = store_of(config, store)
    if rollback:
        acting.roll_back(where, name, option.value if option else "", is_forced=force, is_agreed=yes)
        return
    reading = _Reading(ip_ranges, offline, Ours(accounts, trusted, beacons), findings, agents)
    finding, theft = _theft(where, name, paths or [], reading)
    if verify:
        verifying.verify(where, finding, theft, paths or [], since, wait, form)
        return
    comparison = _compared(theft, no_account=no_account)
    if option is None:
        _show(comparison, form)
        _advise(comparison, _as_typed(paths or [], reading, config, store))
        return
    weighed = next(one for one in comparison.options if one.plan.option.value == option.value)
    if emit is not None:
        _emit(weighed, emit)
    elif apply:
        acting.apply(where, theft, weighed, is_agreed=yes)
    else:
        _show_one(comparison, weighed, form)
        say("nothing was changed: --apply does it")


@app.command("abuse-report", epilog="Example: straykey abuse-report 3f2a9c41 > report.txt")
def abuse_report(
    name: _Id,
    findings: Annotated[
        Path | None,
        typer.Option("--findings", metavar="FILE", help="The finding as scan --format json wrote it; else the store."),
    ] = None,
    config: Config = None,
    store: Store = "",
) -> None:
    """Write an abuse report of a finding: to AWS Trust & Safety, or to the network that holds the thief's address."""
    from straykey import casebook, containment  # noqa: PLC0415
    from straykey.formats import abuse_report as report  # noqa: PLC0415

    if findings is not None:
        finding = containment.picked(_read(findings), name)
    else:
        with casebook.opened(store_of(config, store)) as opened:
            finding = casebook.followed(opened, name).tracked.finding
    typer.echo(report.render(finding), nl=False)
    if warning := report.warning(finding):
        say(warning)


class _Reading(msgspec.Struct, frozen=True):
    """How logs are judged, where they are given."""

    ip_ranges: Path | None
    offline: bool
    ours: Ours
    findings: Path | None
    agents: Path | None


class _Asked(StrEnum):
    """What is to be done, by the option that says so."""

    COMPARISON = "the comparison"
    APPLY = "--apply"
    ROLLBACK = "--rollback"
    VERIFY = "--verify"
    EMIT = "--emit"
    LOGS = idle.LOGS  # with any of the others but --rollback


# What else may be said means something only with these.
_GOES_WITH = {
    "option": (_Asked.COMPARISON, _Asked.APPLY, _Asked.EMIT, _Asked.ROLLBACK),
    "yes": (_Asked.APPLY, _Asked.ROLLBACK),
    "force": (_Asked.ROLLBACK,),
    "wait": (_Asked.VERIFY,),
    "since": (_Asked.VERIFY,),
    "form": (_Asked.COMPARISON, _Asked.VERIFY),
    "no_account": (_Asked.COMPARISON, _Asked.EMIT),
    **dict.fromkeys(("findings", "ip_ranges", "accounts", "trusted", "agents", "beacons"), (_Asked.LOGS,)),
}


def _asked(flags: dict[_Asked, bool], option: OptionName | None) -> _Asked:
    asked = idle.one_of(flags, _Asked.COMPARISON, hint="apply, then verify, then roll back")
    if asked in (_Asked.APPLY, _Asked.EMIT) and option is None:
        raise UsageError(f"{asked} needs --option", hint="straykey contain FINDING compares the options")
    return asked


def _refuse_idle(context: typer.Context, asked: _Asked, *, is_logs: bool) -> None:
    if asked is _Asked.ROLLBACK and is_logs:
        raise UsageError("--rollback reads no logs", hint="it undoes what the journal in the store says")
    there = {asked, _Asked.LOGS} if is_logs else {asked}
    idle.refuse(context, _GOES_WITH, there, asked="" if asked is _Asked.COMPARISON else asked)


def _theft(where: str, name: str, paths: list[str], how: _Reading) -> "tuple[Finding, Theft]":
    from straykey import containment  # noqa: PLC0415

    if not paths:
        return containment.in_store(where, name)
    ranges = ranges_of(how.ip_ranges, offline=how.offline)
    request = request_of(ranges, how.ours, "", "", agents=how.agents)
    outcome = scanned(paths, request, ranges.told)
    found = _read(how.findings) if how.findings is not None else outcome.findings
    return containment.in_logs(found, outcome.ledger, name)


def _read(file: Path) -> "list[Finding]":
    from straykey.formats import finding_json  # noqa: PLC0415

    try:
        text = file.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise UsageError(f"{printable(str(file))}: {why}", hint="name a file of findings") from error
    return finding_json.from_text(text, str(file))


def _compared(theft: "Theft", *, no_account: bool) -> "Comparison":
    from straykey import containment  # noqa: PLC0415
    from straykey.contain.comparison import compared  # noqa: PLC0415

    account, why = (None, "") if no_account else containment.account_of(theft)
    if why:
        say(f"the account was not read: {why}")
    return compared(theft, account, now())


def _show(comparison: "Comparison", form: TableOrJson) -> None:
    from straykey.contain import comparison_json, comparison_table  # noqa: PLC0415

    if form is TableOrJson.JSON:
        typer.echo(comparison_json.to_document(comparison))
    else:
        show(comparison_table.render(comparison))


def _as_typed(paths: list[str], how: "_Reading", config: Path | None, store: str) -> str:
    """Where the finding is, for the next command."""
    given = {"--findings": how.findings, "--ip-ranges": how.ip_ranges, "--agents": how.agents, "--config": config}
    options = [part for option, value in given.items() if value for part in (option, str(value))]
    options += ["--store", store] if store else []
    options += [part for cidr in how.ours.trusted for part in ("--trusted-network", cidr)]
    options += [part for role in how.ours.beacons for part in ("--beacon", role)]
    options += ["--accounts", how.ours.accounts] if how.ours.accounts else []
    return printable(shlex.join([*paths, *options]))


def _advise(comparison: "Comparison", where: str) -> None:
    """What to type next: whoever reads this has scrolled past the comparison."""
    from straykey.contain.plan import Option  # noqa: PLC0415

    best = comparison.options[0].plan
    if best.troubles or best.option.is_companion:
        say("no option that locks the thief out can be applied as it stands: see why above")
    else:
        made = len(comparison.theft.created)
        if made and best.option is not Option.PIN_EVERYWHERE:
            say(f"the thief made {made} things of his own: only pin-everywhere sees to them")
        finding = comparison.theft.finding[: acting.AS_TYPED]
        words = ["straykey contain", finding, where, "--option", best.option.value, "--apply"]
        say(f"best: {' '.join(filter(None, words))}")


def _show_one(comparison: "Comparison", weighed: "Weighed", form: TableOrJson) -> None:
    from straykey.contain import comparison_table  # noqa: PLC0415

    only = msgspec.structs.replace(comparison, options=(weighed,))
    if form is TableOrJson.JSON:
        _show(only, form)
    else:
        show(comparison_table.glance(only))
        show(comparison_table.in_full(weighed))


def _emit(weighed: "Weighed", style: Style) -> None:
    from straykey.contain.emit import emitted  # noqa: PLC0415

    typer.echo(emitted(weighed.plan, style.value), nl=False)
