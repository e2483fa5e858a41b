"""A policy document, read whole or refused.

What is not understood to the letter is refused with the place it stands at: a rehearsal on half a policy would be
worse than none.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from straykey.contain.condition import Condition, condition_of
from straykey.contain.pattern import Pattern, arn_parts, pattern_of
from straykey.errors import PolicyError
from straykey.formats.text import bounded

VERSION = "2012-10-17"
_SHOWN = 80  # characters of what is not understood


class Scope(msgspec.Struct, frozen=True):
    """What Action or Resource names, or with `negated` NotAction or NotResource all but that.

    Each pattern is split into parts: an action has one, an ARN six; `*` alone is one.
    """

    patterns: tuple[tuple[Pattern, ...], ...]
    negated: bool


class Statement(msgspec.Struct, frozen=True):
    """One statement; `name` is its place and, if any, its Sid."""

    name: str
    denies: bool
    actions: Scope
    resources: Scope
    conditions: tuple[Condition, ...]


class Policy(msgspec.Struct, frozen=True):
    """At least one statement."""

    statements: tuple[Statement, ...]


def read_policy(document: str | Mapping[str, object], *, names_principals: bool = False) -> Policy:
    """Read a document, as JSON or as what JSON says.  Raises PolicyError that names statement and place.

    `names_principals` is for those of resources and endpoints: each statement must be about everybody, `*`.
    """
    whole = _parsed(document) if isinstance(document, str) else document
    top = _object("policy", whole, {"Version", "Statement"})
    if top.get("Version") != VERSION:
        raise PolicyError(f"policy: Version must be {VERSION}, not {_shown(top.get('Version'))}")
    said = top.get("Statement")
    listed = said if isinstance(said, list | tuple) else [said]
    if not listed:
        raise PolicyError("policy: Statement is empty")
    return Policy(tuple(_statement(number, one, names_principals) for number, one in enumerate(listed, start=1)))


def _parsed(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"policy: no JSON: {bounded(str(error), _SHOWN)}") from None


def _once(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise PolicyError(f"policy: {_shown(key)} stands twice in one object")
        found[key] = value
    return found


_ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _statement(number: int, said: object, names_principals: bool) -> Statement:
    name = f"statement {number}"
    elements = _object(name, said, {*_ELEMENTS, "Principal"} if names_principals else _ELEMENTS)
    if "Sid" in elements:
        name = f"{name} ({_sid(name, elements['Sid'])})"
    if names_principals and elements.get("Principal") != "*":
        raise PolicyError(f'{name}: Principal must be "*", not {_shown(elements.get("Principal"))}')
    effect = elements.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"{name}: Effect must be Allow or Deny, not {_shown(effect)}")
    return Statement(
        name,
        effect == "Deny",
        _scope(name, elements, "Action", _action),
        _scope(name, elements, "Resource", _resource),
        _conditions(name, elements["Condition"]) if "Condition" in elements else (),
    )


def _sid(name: str, said: object) -> str:
    if not isinstance(said, str) or re.fullmatch(r"[A-Za-z0-9]*", said) is None:
        raise PolicyError(f"{name}: Sid must be letters and digits, not {_shown(said)}")
    return said


def _scope(
    name: str, elements: Mapping[str, object], element: str, read: Callable[[str], tuple[Pattern, ...]]
) -> Scope:
    given = [one for one in (element, f"Not{element}") if one in elements]
    if len(given) != 1:
        raise PolicyError(f"{name}: one of {element} and Not{element} must be there, and not both")
    place = f"{name}: {given[0]}"
    values = _texts(place, elements[given[0]])
    return Scope(tuple(_read(f"{place} {_shown(one)}", read, one) for one in values), given[0] != element)


_ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


def _action(text: str) -> tuple[Pattern, ...]:
    if text != "*" and _ACTION.fullmatch(text) is None:
        raise PolicyError("no action such as s3:Get*")
    return (pattern_of(text.lower(), wild=True),)


def _resource(text: str) -> tuple[Pattern, ...]:
    if "${" in text:
        raise PolicyError("variables are understood in conditions only")
    pattern = pattern_of(text, wild=True)
    return (pattern,) if text == "*" else arn_parts(pattern)


def _conditions(name: str, said: object) -> tuple[Condition, ...]:
    place = f"{name}: Condition"
    found: list[Condition] = []
    for operator, keys in _object(place, said).items():
        where = f"{place} {_shown(operator)}"
        lines = _object(where, keys)
        if len({key.lower() for key in lines}) != len(lines):
            raise PolicyError(f"{where}: a key stands twice")
        found += [_condition(where, operator, key, values) for key, values in lines.items()]
    return tuple(found)


_KEY = re.compile(r"[A-Za-z0-9-]+:[^${}*?]+")


def _condition(where: str, operator: str, key: str, said: object) -> Condition:
    place = f"{where} {_shown(key)}"
    if _KEY.fullmatch(key) is None:
        raise PolicyError(f"{place}: no name of a key")
    return _read(place, lambda values: condition_of(operator, key, values), _texts(place, said))


_Given = TypeVar("_Given")
_Read = TypeVar("_Read")


def _read(place: str, read: Callable[[_Given], _Read], given: _Given) -> _Read:
    try:
        return read(given)
    except PolicyError as error:
        raise PolicyError(f"{place}: {error}") from None


def _texts(place: str, said: object) -> Sequence[str]:
    listed = said if isinstance(said, list | tuple) else [said]
    texts = [one for one in listed if isinstance(one, str) and one]
    if not listed or len(texts) != len(listed):
        raise PolicyError(f"{place}: a text, or a list of some, must be there, not {_shown(said)}")
    return texts


def _object(place: str, said: object, known: frozenset[str] | set[str] | None = None) -> dict[str, object]:
    if not isinstance(said, Mapping) or not said:
        raise PolicyError(f"{place}: an object must be there, not {_shown(said)}")
    strange = [key for key in said if not isinstance(key, str) or (known is not None and key not in known)]
    if strange:
        raise PolicyError(f"{place}: {_shown(strange[0])} is not understood here")
    return {str(key): value for key, value in said.items()}


def _shown(said: object) -> str:
    return bounded(said if isinstance(said, str) else repr(said), _SHOWN)
