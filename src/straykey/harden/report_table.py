"""A report for a terminal: what each document would stop and break, and what must be there for it to break less."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.formats.text import bounded, printable
from straykey.harden.blindness import Gap
from straykey.harden.imds_plan import Measure
from straykey.harden.needed import Need, State
from straykey.harden.perimeter import ROOM, Artifact, Kind
from straykey.harden.rehearsal import Count, Refused
from straykey.harden.report import Rehearsed, Report

_NO_GAP = (
    "What was read shows no gap. Of what is in no record, such as a region that no trail covers, only the settings of "
    "the trails tell: they are read with the account."
)
_MOST_CALLS = 8
_MOST_ROLES = 10
_MOST_COMMANDS = 2
_MOST_NEEDS = 60
_WIDTH = 120
_WHOLE = frozenset({"account", "region", "vpc", "service", "characters"})  # columns that are not broken
_TOLD = (Kind.SCP, Kind.ROLE, Kind.RCP, Kind.ENDPOINT)  # in which order what breaks is told, of each role once
_SAID = {
    State.MISSING: "to be made",
    State.THERE: "there",
    State.NONE: "none to be had",
    State.ELSEWHERE: "in another region",
}


def perimeters(report: Report) -> RenderableType:
    """All documents at a glance; then, of each that breaks something, whose calls."""
    parts: list[RenderableType] = [_heading(_summary(report))]
    table = _table("document", "for", "characters", "thief stopped", "own calls denied", "were there endpoints")
    for one in report.rehearsed:
        table.add_row(*_cells(_row(one)))
    parts.append(table)
    told: dict[tuple[str, str], int] = {}
    for one in sorted(report.rehearsed, key=lambda one: _TOLD.index(one.artifact.kind)):
        parts += map(_indented, _broken(one, told))
    parts += map(_indented, _unsure(report))
    if report.spared:
        parts.append(_indented(f"Bound to known addresses, as no endpoint leads there: {', '.join(report.spared)}."))
    for kind in dict.fromkeys(kind for kind, _, _ in report.left_out):
        roles = [f"{role} of {account}" for one, account, role in report.left_out if one is kind]
        more = f" and {len(roles) - _MOST_ROLES} more" if len(roles) > _MOST_ROLES else ""
        said = f"In no {kind.value}, as their addresses fit into none: {', '.join(roles[:_MOST_ROLES])}{more}."
        parts.append(_indented(said))
    return Group(*parts, *map(_indented, report.notes))


def _summary(report: Report) -> str:
    roles, accounts = len(report.footprints), len({one.account for one in report.footprints})
    instances = len({instance for one in report.footprints for instance in one.instances})
    return (
        f"Perimeters of level {report.level.value}, put to recorded calls (of a network with many, a sample of 64 and "
        f"the first of each kind): {instances} instances under {roles} roles of {accounts} accounts"
    )


def _row(one: Rehearsed) -> Iterator[str]:
    artifact = one.artifact
    yield artifact.kind.value
    yield f"{artifact.role} of {artifact.accounts[0]}" if artifact.role else artifact.vpc or _accounts(artifact)
    yield f"{len(artifact.document)} of {ROOM[artifact.kind]}" + (", too long" if artifact.is_too_long else "")
    thief, home = ([getattr(role, whose) for role in one.roles] for whose in ("thief", "home"))
    yield _share(thief) if artifact.kind is not Kind.ENDPOINT else "-"
    yield _share(home)
    yield f"{one.denied - sum(count.by_endpoint for count in home)} denied" if one.denied else "-"


def _accounts(artifact: Artifact) -> str:
    accounts = artifact.accounts
    whose = accounts[0] if len(accounts) == 1 else f"{len(accounts)} accounts"
    return f"{len(artifact.roles)} roles, {whose}" if artifact.roles else whose


def _share(counts: Sequence[Count]) -> str:
    denied, unknown, calls = (sum(getattr(one, name) for one in counts) for name in ("denied", "unknown", "calls"))
    return f"{denied}/{calls}" + (f", {unknown} unknown" if unknown else "")


def _broken(one: Rehearsed, told: dict[tuple[str, str], int]) -> Iterator[str]:
    """`This scp would have denied 412 calls of 3 roles`, and which; `told` is of how many calls each role was told."""
    hit = [role for role in one.hit if told.get((role.account, role.role), 0) < role.home.denied]
    if not hit:
        return
    told.update({(role.account, role.role): role.home.denied for role in hit})
    roles = "one role" if len(one.hit) == 1 else f"{len(one.hit)} roles"
    yield f"{one.artifact.kind.value} would have denied {one.denied} calls of {roles}:"
    for role in hit[:_MOST_ROLES]:
        yield f"  {role.role} of {role.account}, {role.home.denied} of {role.home.calls}: {_calls(role.home.refused)}"
    if len(hit) > _MOST_ROLES:
        yield f"  and {len(hit) - _MOST_ROLES} roles more: --emit json has all"


def _calls(refused: Sequence[Refused]) -> str:
    shown = [f"{one.call} from {one.network.address} ({one.count})" for one in refused[:_MOST_CALLS]]
    return ", ".join(shown) + (" …" if len(refused) > _MOST_CALLS else "")


def _unsure(report: Report) -> Iterator[str]:
    keys = {
        key
        for one in report.rehearsed
        for role in one.roles
        for count in (role.home, role.thief)
        for key in count.hangs_on
    }
    if keys:
        yield f"What is unknown hangs on {', '.join(sorted(keys))}: read the account, and more of it is known."


def endpoints(report: Report) -> RenderableType:
    """Which services have an endpoint where they are used, which lack one, which have none to be had."""
    table = _table("account", "region", "vpc", "service", "endpoint", "public calls", "through endpoints", "roles")
    for need in report.needs[:_MOST_NEEDS]:
        table.add_row(*_cells(_need(need)))
    more = len(report.needs) - _MOST_NEEDS
    said = [f"and {more} more: --emit json has all"] if more > 0 else []
    if not all(need.is_certain for need in report.needs):
        said.append("? : the account was not asked; said by the records and by AWS's list of endpoint services.")
    return Group(_heading("Endpoints needed"), table, *map(_indented, said))


def _need(need: Need) -> Iterator[str]:
    yield from (need.account, need.region or "unknown", need.vpc or "unknown", need.service)
    named = f": {', '.join(need.endpoints)}" if need.state is State.MISSING else ""
    yield _SAID[need.state] + named + ("" if need.is_certain else " ?")
    yield from (str(need.public), str(need.inside), ", ".join(need.roles[:3]) + (" …" if len(need.roles) > 3 else ""))


def imdsv2(measures: Iterable[Measure]) -> RenderableType:
    """What to do in order, so that no key comes without a token."""
    parts: list[RenderableType] = [_heading("IMDSv2, in this order")]
    for number, one in enumerate(measures, start=1):
        whose = f" (account {one.account})" if one.account else ""
        parts.append(_indented(f"{number}. {one.step.value}{whose}: {one.text}."))
        parts += [_indented(f"   {note}") for note in one.notes]
        parts += [_indented(f"   $ {_line(argv)}") for argv in one.commands[:_MOST_COMMANDS]]
        more = len(one.commands) - _MOST_COMMANDS
        parts += [_indented(f"   and {more} commands more: --emit cli has all")] if more > 0 else []
        parts += [_indented(f"   {document.kind.value}: {document.text}") for document in one.documents]
    if len(parts) == 1:
        parts.append(_indented("No key came by IMDSv1, and no instance is known to allow it."))
    return Group(*parts)


def coverage(gaps: Sequence[Gap]) -> RenderableType:
    """What the detector cannot see, and the setting that mends it."""
    parts: list[RenderableType] = [_heading("What is not seen")]
    for gap in gaps:
        where = f" in {', '.join(gap.regions)}" if gap.regions else ""
        parts.append(_indented(f"{gap.account}{where}: {gap.unseen}"))
        said = [gap.mend, *([gap.cost] if gap.cost else [])]
        said += [f"Recorded by {', '.join(gap.covered_by)}: read that one."] if gap.covered_by else []
        said += [f"$ {_line(gap.command)}"] if gap.command else []
        parts += [_indented(f"   {one}") for one in said]
    if not gaps:
        parts.append(_indented(_NO_GAP))
    return Group(*parts)


def _line(argv: Sequence[str]) -> str:
    return shlex.join(argv)


def _table(*names: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    return table


def _cells(values: Iterable[str]) -> list[Text]:
    return [Text(printable(bounded(one, _WIDTH))) for one in values]


def _heading(text: str) -> Text:
    return Text(f"\n{printable(text)}", style="bold")


def _indented(text: str) -> RenderableType:
    spaces = len(text) - len(text.lstrip())
    return Padding(Text(printable(text.strip())), (0, 0, 0, 2 + spaces))
