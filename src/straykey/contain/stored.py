"""Plans and calls as JSON, for the journal."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from straykey.contain.plan import Call, Changes, Lookup, Sought, Step, Value

_LOOKUP = "Lookup"  # how msgspec marks one; a mapping in parameters never has both its other fields

_encode = msgspec.json.Encoder().encode


def plan_written(plan: Changes) -> bytes:
    return _encode(plan)


def steps_read(data: bytes) -> tuple[Step, ...]:
    """The steps of what `plan_written` wrote."""
    return tuple(_step(one) for one in msgspec.json.decode(data)["steps"])


def calls_written(calls: Iterable[Call]) -> bytes:
    return _encode(list(calls))


def calls_read(data: bytes) -> tuple[Call, ...]:
    """What `calls_written` wrote."""
    return tuple(_call(one) for one in msgspec.json.decode(data))


def _step(document: Mapping[str, Any]) -> Step:
    return Step(
        document["name"],
        _call(document["call"]),
        tuple(_call(one) for one in document["undo"]),
        tuple(document["permissions"]),
        tuple(document["undo_permissions"]),
        # Older journals do not tell.
        document.get("is_optional", False),
        document.get("is_unread", False),
    )


def _call(document: Mapping[str, Any]) -> Call:
    # msgspec cannot tell a struct from a mapping where a value may be either.
    parameters = {name: _value(value) for name, value in document["parameters"].items()}
    return Call(document["service"], document["operation"], parameters, document["region"])


def _value(value: Any) -> Value:
    if isinstance(value, list):
        return tuple(_value(one) for one in value)
    if not isinstance(value, dict):
        return value  # type: ignore[no-any-return]
    if value.get("type") == _LOOKUP and value.keys() == {"type", "sought", "of"}:
        return Lookup(Sought(value["sought"]), value["of"])
    return {name: _value(one) for name, one in value.items()}
