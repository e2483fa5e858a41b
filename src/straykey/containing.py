"""The commands that contain a theft, and report it.

What they take is imported where it is used: a scan need not pay for it.
"""

import shlex
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from straykey import pipeline
from straykey.errors import ContainError, UsageError
from straykey.formats.text import as_json, printable
from straykey.options import (
    Accounts,
    Agents,
    Config,
    IpRanges,
    Offline,
    Since,
    Store,
    Trusted,
    duration_of,
    now,
    ranges_of,
    request_of,
    store_of,
    time_of,
)
from straykey.terminal import TableOrJson, say, scanned, show

if TYPE_CHECKING:
    from straykey.contain.comparison import Comparison, Weighed
    from straykey.contain.theft import Theft
    from straykey.contain.verify import Verified
    from straykey.core.finding import Finding

app = typer.Typer(rich_markup_mode=None)

EXIT_NOT_DONE = 1
_POLL_SECONDS = 60
_AS_TYPED = 8  # letters of the id


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
    name: _Id,
    paths: _Logs = None,
    findings: _Findings = None,
    option: Annotated[OptionName | None, typer.Option("--option", help="Only this option.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; asks before.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Undo what was applied for this finding.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --rollback: also where somebody changed it since.")
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
    since: Since = "",
    config: Config = None,
    store: Store = "",
) -> None:
    """Compare the ways to lock a thief out: what each stops and what it breaks.  Then do one, verify it, or undo it.

    Nothing is changed without --apply.  What is done is journaled in the store before it is done.
    """
    _check(option, apply=apply, rollback=rollback, verify=verify, emit=emit is not None, is_logs=bool(paths))
    where = store_of(config, store)
    if rollback:
        _roll_back(where, name, option, is_forced=force, is_agreed=yes)
        return
    reading = _Reading(ip_ranges, offline, accounts, trusted, findings, agents)
    finding, theft = _theft(where, name, paths or [], reading)
    if verify:
        _verify(where, finding, theft, paths or [], since, wait, form)
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
        _apply(where, theft, weighed, is_agreed=yes)
    else:
        _show_one(comparison, weighed, form)
        say("nothing was changed: --apply does it")


@app.command("abuse-report", epilog="Example: straykey abuse-report 3f2a9c41 > report.txt")
def abuse_report(name: _Id, findings: _Findings = None, config: Config = None, store: Store = "") -> None:
    """Write the report that AWS Trust & Safety asks for, of a finding in the store or in a file."""
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
    accounts: str
    trusted: list[str]
    findings: Path | None
    agents: Path | None


def _check(option: OptionName | None, *, apply: bool, rollback: bool, verify: bool, emit: bool, is_logs: bool) -> None:
    given = {"--apply": apply, "--rollback": rollback, "--verify": verify, "--emit": emit}
    asked = [text for text, is_so in given.items() if is_so]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)}: one at a time", hint="apply, then verify, then roll back")
    if (apply or emit) and option is None:
        raise UsageError(f"{asked[0]} needs --option", hint="straykey contain FINDING compares the options")
    if rollback and is_logs:
        raise UsageError("--rollback reads no logs", hint="it undoes what the journal in the store says")


def _theft(where: str, name: str, paths: list[str], how: _Reading) -> "tuple[Finding, Theft]":
    from straykey import containment  # noqa: PLC0415

    if not paths:
        if how.findings is not None:
            raise UsageError("--findings needs the logs it was found in", hint="name them, as of a scan")
        return containment.in_store(where, name)
    ranges = ranges_of(how.ip_ranges, offline=how.offline)
    request = request_of(ranges, how.accounts, how.trusted, "", "", agents=how.agents)
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
    options += [part for cidr in how.trusted for part in ("--trusted-network", cidr)]
    options += ["--accounts", how.accounts] if how.accounts else []
    return printable(shlex.join([*paths, *options]))


def _advise(comparison: "Comparison", where: str) -> None:
    """What to type next: whoever reads this has scrolled past the comparison."""
    from straykey.contain.plan import Option  # noqa: PLC0415

    best = comparison.options[0].plan
    if best.troubles or best.option.is_companion:
        say("no option that locks the thief out can be applied as it stands: see why above")
    else:
        option = Option.PIN_EVERYWHERE if best.option is Option.PIN and comparison.theft.created else best.option
        if comparison.theft.created:
            say(f"the thief made {len(comparison.theft.created)} things of his own: only pin-everywhere sees to them")
        words = ["straykey contain", comparison.theft.finding[:_AS_TYPED], where, "--option", option.value, "--apply"]
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


def _apply(where: str, theft: "Theft", weighed: "Weighed", *, is_agreed: bool) -> None:
    from straykey import containment  # noqa: PLC0415
    from straykey.contain import comparison_table  # noqa: PLC0415
    from straykey.contain.apply import apply  # noqa: PLC0415
    from straykey.contain.check import Order, check  # noqa: PLC0415

    if weighed.plan.option.is_companion:
        say("this stops no key that is out: a Deny does (pin, revoke, deny-all)")
    clients = containment.clients_for(theft)
    order = Order(theft.finding, theft.workload.account, clients.region, now())
    checked = check(weighed.plan, order, clients)
    for note in checked.notes:
        say(f"note: {note}")
    if checked.troubles:
        listed = "".join(f"\n  {one.text}" + (f": {one.hint}" if one.hint else "") for one in checked.troubles)
        raise ContainError(f"{weighed.plan.option.value} cannot be applied, and nothing was changed{listed}")
    show(comparison_table.in_full(weighed))
    _agree(theft.finding, f"This changes account {theft.workload.account}.", is_agreed=is_agreed)
    try:
        with containment.journal_in(where) as journal:
            done = apply(weighed.plan, order, journal, clients)
    except KeyboardInterrupt:
        say(f"broken off, and perhaps half done: straykey contain {theft.finding[:_AS_TYPED]} --rollback")
        raise
    for step in done.done:
        say(f"done: {step}{' (was so already)' if step in done.already else ''}")
    if done.stop is not None:
        say(f"stopped at: {done.stop.step}: {done.stop.reason}" + (f"; {done.stop.hint}" if done.stop.hint else ""))
        if done.stop.is_in_doubt:
            say("that step may have changed something")
        say(f"not done: {', '.join(done.left) or 'nothing else'}")
        say(f"straykey contain {theft.finding[:_AS_TYPED]} --rollback takes back what was done")
        raise typer.Exit(EXIT_NOT_DONE)
    say(f"applied; straykey contain {theft.finding[:_AS_TYPED]} --verify says whether the thief is locked out")


def _agree(finding: str, what: str, *, is_agreed: bool) -> None:
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to agree", hint="say --yes")
    typed = typer.prompt(f"{what} Type the first {_AS_TYPED} letters of the finding's id to go on", err=True)
    if typed.strip().lower() != finding[:_AS_TYPED]:
        raise UsageError("that is not its id; nothing was changed")


def _roll_back(where: str, name: str, option: OptionName | None, *, is_forced: bool, is_agreed: bool) -> None:
    from straykey import aws, containment  # noqa: PLC0415
    from straykey.contain.clients import Clients  # noqa: PLC0415
    from straykey.contain.rollback import roll_back  # noqa: PLC0415

    begun = containment.standing(containment.begun_for(where, name))
    if option is not None:
        begun = [one for one in begun if one.option == option.value]
    if not begun:
        raise ContainError(
            "nothing was applied for this finding, or all of it was rolled back already",
            hint="the journal is in the store: name the one it was applied with, by --store or STRAYKEY_STORE",
        )
    told = ", ".join(f"{one.option} ({one.phase}, begun {one.begun})" for one in begun)
    say(f"this undoes {told}")
    if until := containment.good_until(begun, now()):
        say(f"stolen keys that it stops may be good until {until}, and work again after this")
    _agree(begun[0].finding, f"This changes account {begun[0].account}.", is_agreed=is_agreed)
    for one in reversed(begun):
        with containment.journal_in(where) as journal:
            rolled = roll_back(one.id, journal, Clients(aws.session(), one.region), is_forced=is_forced)
        for step in rolled.undone:
            say(f"undone: {step}{' (was not there any more)' if step in rolled.gone else ''}")
        if rolled.stop is not None:
            say(f"stopped at: {rolled.stop.step}: {rolled.stop.reason}; {rolled.stop.hint}")
            say(f"not undone: {', '.join(rolled.left) or 'nothing else'}; --rollback goes on from here")
            raise typer.Exit(EXIT_NOT_DONE)
    say("rolled back")


def _verify(
    where: str, finding: "Finding", theft: "Theft", paths: list[str], since: str, wait: str, form: TableOrJson
) -> None:
    from straykey import containment  # noqa: PLC0415
    from straykey.contain.verify import Outcome  # noqa: PLC0415

    began = _since(where, finding, since)
    until = time.monotonic() + (duration_of("--wait", wait) if wait else 0)
    places = paths or [f"history:{','.join(containment.regions_of(theft))}"]
    if not paths:
        say(f"reading {places[0]}: the event history has no data events, such as S3's GetObject")
    period = pipeline.Period(since=began)
    while True:
        source = pipeline.source_of(places, period, say)
        told = containment.verification(source, containment.watched(theft, began), period).verified()
        if told.outcome is Outcome.CONTAINED or time.monotonic() + _POLL_SECONDS > until:
            break
        say(f"{told.outcome.value}: {told.why}")
        time.sleep(_POLL_SECONDS)
    _tell(told, form)
    if told.outcome is not Outcome.CONTAINED:
        raise typer.Exit(EXIT_NOT_DONE)


def _since(where: str, finding: "Finding", since: str) -> str:
    """When it was contained: as the user says, or as the journal does."""
    from straykey import containment  # noqa: PLC0415

    if since:
        return time_of("--since", since)
    begun = containment.standing(containment.begun_for(where, finding.id))
    if not begun:
        raise UsageError("nothing was applied for this finding", hint="say when it was contained: --since TIME")
    return min(one.begun for one in begun)


def _tell(told: "Verified", form: TableOrJson) -> None:
    if form is TableOrJson.JSON:
        events = {
            name: [msgspec.structs.asdict(one) for one in some]
            for name, some in (("broken", told.broken), ("unsure", told.unsure))
        }
        typer.echo(as_json({"outcome": told.outcome, "why": told.why, **events, "newest": told.newest}, indent=2))
        return
    typer.echo(f"{told.outcome.value}: {printable(told.why)}")
    for event in told.broken:
        typer.echo(f"broken: {printable(event.call)} of the workload was refused at {event.time}")
    for event in told.unsure:
        typer.echo(f"refused from a network nobody knows: {printable(event.call)} at {event.time}: the workload's?")
    if not (told.broken or told.unsure):
        typer.echo("no call of the workload was refused that had succeeded before")
    typer.echo(f"newest record: {told.newest or 'none'}")
