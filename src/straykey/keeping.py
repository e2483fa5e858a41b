"""The commands about what `watch` keeps: what became of findings, what a person says of them, how watching gets on.

The store is imported where it is used: a scan need not pay for it.
"""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from straykey.core.finding import Severity, Status
from straykey.errors import UsageError
from straykey.formats.text import printable
from straykey.options import Config, Store, end_of, network_of, now, store_of
from straykey.terminal import TableOrJson, say, show

if TYPE_CHECKING:
    from straykey.core.lifecycle import Tracked
    from straykey.stores.sql import SqlStore


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


_AsJson = Annotated[bool, typer.Option("--json", help="The same as --format json.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="A finding's id, or its beginning.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of findings, or their beginnings.")]
_By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so; default: your login name.")]

findings_app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="""What straykey watch found, what became of it, and what you say of it.

    What you say is stored at once.  The process that watches sees it at its next commit, within seconds, and tells the
    sinks; where none runs, the next one does.
    """,
    epilog="Example: straykey findings list --severity MEDIUM",
)
app = typer.Typer(rich_markup_mode=None)
app.add_typer(findings_app, name="findings")


@contextmanager
def _opened(config: Config, store: str) -> Iterator["SqlStore"]:
    from straykey import casebook  # noqa: PLC0415

    with casebook.opened(store_of(config, store)) as opened:
        yield opened


@findings_app.command("list", epilog="Example: straykey findings list --status open --severity HIGH")
def list_findings(
    status: Annotated[
        list[Status], typer.Option("--status", help="Only of this status; repeatable. Default: all but resolved.")
    ] = [],  # noqa: B006 - typer copies it
    everything: Annotated[bool, typer.Option("--all", help="Also what is resolved.")] = False,
    severity: Annotated[Severity, typer.Option("--severity", help="At least this severe.")] = Severity.INFORMATIONAL,
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Only of this account.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to print.")] = Form.TABLE,
    as_json: _AsJson = False,
    config: Config = None,
    store: Store = "",
) -> None:
    """List findings, the worst first, as a scan does."""
    from straykey import casebook  # noqa: PLC0415
    from straykey.formats import tracked_json, tracked_table  # noqa: PLC0415

    with _opened(config, store) as opened:
        there, id_length = casebook.tracked_in(opened), casebook.id_length(opened)
    wanted = set(status) or (set(Status) if everything else set(Status) - {Status.RESOLVED})
    found = [
        one
        for one in there
        if one.status in wanted
        and one.finding.severity_score >= severity.score
        and account in ("", one.finding.session.account)
    ]
    if as_json or form is Form.JSON:
        typer.echo(tracked_json.to_document(found))
    elif form is Form.JSONL:
        for one in found:
            typer.echo(tracked_json.to_line(one))
    else:
        show(tracked_table.render(found, id_length=id_length))
    say(f"{len(found)} of {len(there)} findings")


@findings_app.command("show", epilog="Example: straykey findings show 3f2a9c41")
def show_finding(
    name: _Id,
    form: Annotated[TableOrJson, typer.Option("--format", help="How to print.")] = TableOrJson.TABLE,
    as_json: _AsJson = False,
    config: Config = None,
    store: Store = "",
) -> None:
    """Show all that is stored of a finding: what proves it, its status, what sinks were told, what hides it."""
    from straykey import casebook  # noqa: PLC0415
    from straykey.formats import tracked_json, tracked_table  # noqa: PLC0415

    with _opened(config, store) as opened:
        followed = casebook.followed(opened, name)
    if as_json or form is TableOrJson.JSON:
        typer.echo(tracked_json.to_whole(followed))
    else:
        show(tracked_table.render_one(followed))


@findings_app.command("ack", epilog='Example: straykey findings ack 3f2a9c41 --note "looking into it"')
def acknowledge(
    names: _Ids,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What you have to say of it.")] = "",
    by: _By = "",
    config: Config = None,
    store: Store = "",
) -> None:
    """Say that you have seen findings; one opens again when it gets worse."""
    from straykey import casebook  # noqa: PLC0415

    with _opened(config, store) as opened:
        _tell(opened, casebook.acknowledge(opened, names, note, by or _login(), now()))


@findings_app.command("resolve", epilog='Example: straykey findings resolve 3f2a9c41 --reason "keys were revoked"')
def resolve(
    names: _Ids,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is over.")],
    by: _By = "",
    config: Config = None,
    store: Store = "",
) -> None:
    """Say that findings are over; one opens again when the keys are used from there again."""
    from straykey import casebook  # noqa: PLC0415

    with _opened(config, store) as opened:
        _tell(opened, casebook.resolve(opened, names, reason, by or _login(), now()))


@findings_app.command("reopen", epilog="Example: straykey findings reopen 3f2a9c41")
def reopen(names: _Ids, config: Config = None, store: Store = "") -> None:
    """Take back what was said of findings by ack or resolve."""
    from straykey import casebook  # noqa: PLC0415

    with _opened(config, store) as opened:
        _tell(opened, casebook.reopen(opened, names, now()))


@findings_app.command("suppress", epilog='Example: straykey findings suppress 3f2a9c41 --reason "red team" --for 7d')
def suppress(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why they are hidden.")],
    name: Annotated[
        str, typer.Argument(metavar="[ID]", help="Hide what is like this finding: the same instance and address.")
    ] = "",
    type: Annotated[str, typer.Option("--type", metavar="GLOB", help="Of these types: '*OutsideAWS'.")] = "",  # noqa: A002
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Of this account.")] = "",
    role: Annotated[str, typer.Option("--role", metavar="NAME", help="Of this role.")] = "",
    instance: Annotated[str, typer.Option("--instance", metavar="ID", help="Of this instance.")] = "",
    network: Annotated[str, typer.Option("--network", metavar="CIDR", help="With strays from this network.")] = "",
    lasting: Annotated[str, typer.Option("--for", metavar="TIME", help="How long: 12h, 30d; a year at most.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Until when, instead.")] = "",
    by: _By = "",
    config: Config = None,
    store: Store = "",
) -> None:
    """Hide findings, those there are and those to come, by a rule that ends.

    A finding is hidden if all that the rule names is so of it.  With ID, the rule names what is so of that finding; an
    option replaces its part of it.  Hidden findings are still followed, and open again when the rule is over.
    """
    from straykey import casebook  # noqa: PLC0415

    at, cidr = now(), network_of(network) if network else ""
    ends = end_of(lasting, until, at)
    scope = {"type": type, "account": account, "role": role, "instance": instance, "network": cidr}
    with _opened(config, store) as opened:
        rule, covered = casebook.suppress(opened, name, scope, (reason, by or _login()), at, ends)
        _show_rule(rule.id, rule.scope, f"until {rule.expires}")
        _tell(opened, covered)


@findings_app.command("unsuppress", epilog="Example: straykey findings unsuppress 8c1d02ab44f0")
def unsuppress(
    name: Annotated[str, typer.Argument(metavar="RULE", help="A rule's id, or its beginning.")],
    config: Config = None,
    store: Store = "",
) -> None:
    """End a rule: what it hid opens again, unless another rule hides it."""
    from straykey import casebook  # noqa: PLC0415

    with _opened(config, store) as opened:
        rule, hidden = casebook.unsuppress(opened, name, now())
        _show_rule(rule.id, rule.scope, "is over")
        _tell(opened, hidden)


@findings_app.command("rules", epilog="Example: straykey findings rules")
def list_rules(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: _Json = False,
    config: Config = None,
    store: Store = "",
) -> None:
    """List the rules that hide findings: until when, how many they hide now, and how many they ever hid."""
    from straykey import casebook  # noqa: PLC0415
    from straykey.formats import tracked_json, tracked_table  # noqa: PLC0415

    with _opened(config, store) as opened:
        rules = casebook.rules_in(opened, now())
    shown = [one for one in rules if everything or one.is_live]
    if as_json:
        typer.echo(tracked_json.to_rules(shown))
    else:
        show(tracked_table.render_rules(shown))


@app.command("status", epilog="Example: straykey status")
def status(
    as_json: _Json = False,
    retry_parked: Annotated[
        bool, typer.Option("--retry-parked", help="First, have what was given up handed to the sinks again.")
    ] = False,
    sink: Annotated[str, typer.Option("--sink", metavar="NAME", help="With --retry-parked: this sink only.")] = "",
    forget: Annotated[
        list[str], typer.Option("--forget-trouble", metavar="NAME", help="First, drop what you saw to; repeatable.")
    ] = [],  # noqa: B006 - typer copies it
    config: Config = None,
    store: Store = "",
) -> None:
    """Show how watching gets on: how late it is, what stands in its way, and what it cannot see."""
    from straykey import overview  # noqa: PLC0415
    from straykey.formats import status_json, status_table  # noqa: PLC0415

    if sink and not retry_parked:
        raise UsageError("--sink says nothing by itself", hint="give it with --retry-parked")
    at = now()
    with _opened(config, store) as opened:
        for one in forget:
            overview.forget_trouble(opened, one)
        if retry_parked:
            say(f"{overview.retry_parked(opened, sink, at)} to be handed over again")
        condition = overview.condition(opened, at)
    if as_json:
        typer.echo(status_json.to_document(condition))
    else:
        show(status_table.render(condition))


def _tell(store: "SqlStore", changed: Sequence["Tracked"]) -> None:
    from straykey import casebook  # noqa: PLC0415

    length = casebook.id_length(store)
    for one in changed:
        typer.echo(printable(f"{one.finding.id[:length]}  {one.status.value}  {one.finding.title}"))


def _show_rule(name: str, scope: dict[str, str], what: str) -> None:
    covers = ", ".join(f"{field} {said}" for field, said in scope.items())
    typer.echo(printable(f"rule {name} {what}: {covers}"))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("this machine does not know your name", hint="say who you are: --by NAME") from error
