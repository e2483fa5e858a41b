"""The file that says which programs each role may use: JSON in plain ASCII, written here, mended by people, read here.

What is none of AWS's own is written as undecided, and that allows nothing: a person moves it to `roles`, or does not.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from straykey.core.agent import family
from straykey.core.inventory import Inventory, Program
from straykey.errors import UsageError
from straykey.formats.text import as_json, printable

_ABOUT = (
    "The programs that the instances of each role may use (straykey scan --agents). Any other is a finding, the "
    "undecided too: move to roles what is yours. A role that is not under roles is judged as without this file."
)
_HINT = 'write {"roles": {"111122223333/web-role": ["aws-cli", "boto3"]}}, or let straykey agents --write do it'
_ROLE = re.compile(r"[0-9]{12}/[^/]+")
_SECTIONS = ("roles", "undecided")


def to_document(inventory: Inventory) -> str:
    """All roles and programs but those whose account is no account id, which no list can name."""
    roles: dict[str, list[str]] = {}
    undecided: dict[str, list[str]] = defaultdict(list)
    for one in _listed(inventory):
        allowed = roles.setdefault(one.role, [])
        (allowed if one.is_aws else undecided[one.role]).append(one.program)
    return as_json({"about": _ABOUT, "roles": roles, "undecided": undecided}, indent=2) + "\n"


def told(inventory: Inventory) -> str:
    """What `to_document` writes and what it does not, in a line."""
    written = _listed(inventory)
    allowed = sum(one.is_aws for one in written)
    undecided, lost = len(written) - allowed, len(inventory.programs) - len(written)
    return (
        f"{_many(allowed, 'program')} allowed to {_many(len({one.role for one in written}), 'role')}"
        + (f", {undecided:,} undecided: move to roles what is yours" if undecided else "")
        + (f"; {lost:,} not written, of roles in no account" if lost else "")
    )


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _listed(inventory: Inventory) -> list[Program]:
    return [one for one in inventory.programs if _ROLE.fullmatch(one.role)]


def parse(text: str, name: str) -> dict[str, frozenset[str]]:
    """The programs allowed by role; a `UsageError` tells everything that is wrong with the file of this name."""
    document, complaints = _read(text, name)
    complaints += _complaints(document)
    if complaints or not isinstance(document, dict):
        told = "\n".join(f"  {complaint}" for complaint in complaints)
        raise UsageError(f"{printable(name)}: no list of programs by role\n{told}", hint=_HINT)
    return {role: frozenset(program.lower() for program in allowed) for role, allowed in document["roles"].items()}


def _read(text: str, name: str) -> tuple[object, list[str]]:
    """What the JSON holds, and a complaint for each name that stands twice: the first would be lost in silence."""
    twice: list[str] = []

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names: set[str] = set()
        for field, _ in pairs:
            if field in names:
                twice.append(f"{as_json(field)} stands twice")
            names.add(field)
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once), twice
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{printable(name)}, {where}: no JSON: {printable(error.msg)}", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{printable(name)}: no JSON that can be read", hint=_HINT) from error


def _complaints(document: object) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"it holds {_noun(document)}, not an object"
        return
    for field in sorted(document.keys() - {"about", *_SECTIONS}):
        yield f"{as_json(field)} is none of its fields: about, roles, undecided"
    if not isinstance(document.get("about", ""), str):
        yield f"about: {_noun(document['about'])}, not a text"
    if "roles" not in document:
        yield "roles: missing"
    for section in _SECTIONS:
        yield from _section(section, document.get(section, {}))


def _section(section: str, roles: object) -> Iterator[str]:
    if not isinstance(roles, dict):
        yield f"{section}: {_noun(roles)}, not an object of roles"
        return
    for role, programs in roles.items():
        where = f"{section}, {as_json(role)}"
        if not _ROLE.fullmatch(role):
            yield f"{where}: no account and role, such as 111122223333/web-role"
        if isinstance(programs, list):
            yield from _programs(where, programs)
        else:
            yield f"{where}: {_noun(programs)}, not a list of programs"


def _programs(where: str, programs: Iterable[object]) -> Iterator[str]:
    for place, program in enumerate(programs, start=1):
        if not isinstance(program, str):
            yield f"{where}, program {place}: {_noun(program)}, not a text"
        elif family(program) != program.lower():
            name = as_json(family(program))
            yield f"{where}, program {place}: {as_json(program)} is more than a program's name, which is {name}"


_NOUNS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _noun(value: object) -> str:
    return _NOUNS.get(type(value), "a number")
