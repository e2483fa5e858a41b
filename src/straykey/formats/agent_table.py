"""Programs in use for a terminal: under each role its programs, what a person should look at marked."""

from itertools import groupby

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from straykey.core.inventory import Inventory, Program
from straykey.formats.text import printable

_AGENT_WIDTH = 44
_MOST_NAMED = 8
_MARK = "look at it"


def render(inventory: Inventory) -> RenderableType:
    if not inventory.programs:
        return Text("No programs: these records hold no use by an EC2 instance from its own network.", style="yellow")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("role and program", overflow="fold")
    for name in ("", "instances", "calls", "first use"):
        table.add_column(name, no_wrap=True, justify="right" if name in {"instances", "calls"} else "left")
    table.add_column("for example", overflow="fold")
    for role, programs in groupby(inventory.programs, key=lambda one: one.role):
        table.add_row(Text(printable(role), style="bold"))
        for program in programs:
            table.add_row(*_cells(program))
    return table


def _cells(one: Program) -> list[Text]:
    calls = f"{'about ' if one.count_is_estimate else ''}{one.count:,}"
    return [
        Text(f"  {_short(one.program) or '(no name)'}"),
        Text("AWS" if one.is_aws else _MARK, style="green" if one.is_aws else "bold yellow"),
        Text(f"{one.instances:,} of {one.role_instances:,}"),
        Text(calls),
        Text(one.first_seen),
        Text(_short(one.user_agent)),
    ]


def _short(text: str) -> str:
    return printable(text if len(text) <= _AGENT_WIDTH else f"{text[:_AGENT_WIDTH]}…")


def notes(inventory: Inventory) -> list[str]:
    """What a person must know before a list is made of it, in lines for stderr."""
    told = []
    strange = sum(not one.is_aws for one in inventory.programs)
    if strange:
        told.append(f"marked:   {_programs(strange)} of no AWS SDK, command line or service: look before you allow")
    if inventory.left_out:
        count = _programs(len(inventory.left_out))
        told.append(f"left out: {count} seen only from stray networks: see straykey scan")
    if inventory.incomplete_roles:
        roles = inventory.incomplete_roles
        named = ", ".join(map(printable, roles[:_MOST_NAMED])) + (" …" if len(roles) > _MOST_NAMED else "")
        told.append(f"incomplete: more networks or user agents than are kept, so programs may be missing: {named}")
    return told


def _programs(count: int) -> str:
    return f"{count:,} program{'' if count == 1 else 's'}"
