"""Takes out of one odd JSON object every field that can still be read.

A field of the wrong type, a lone surrogate, a NaN or 100,000 levels of nesting cost that field, not the record: a
thief who can bring about odd records must not become invisible by them.  What is not even an object in brackets and
quotes costs the record: half a record, read as if it were whole, would be false evidence.
"""

import json
from typing import TypeVar, get_args

import msgspec

from straykey.core.record import Skipped
from straykey.core.scan import members

S = TypeVar("S", bound=msgspec.Struct)

# Python refuses to make an integer of more digits than its limit, which cannot be set lower than this.
_MOST_DIGITS = 640


def mend(data: bytes, shape: type[S]) -> tuple[S, Skipped]:
    """Read the object `data` field by field, and say what was wrong with it; for `BAD_JSON` no field is read."""
    elsewhere: list[Skipped] = []
    loads(data, elsewhere)
    reasons: list[Skipped] = []
    wanted = {f'"{field.encode_name}"'.encode() for field in msgspec.structs.fields(shape)}
    found: dict[str, object] = {}
    try:
        for key, value in members(data):
            if key in wanted or b"\\" in key:
                found[str(loads(key, elsewhere))] = loads(value, reasons if key in wanted else elsewhere)
    except ValueError:
        elsewhere.append(Skipped.BAD_JSON)
    if Skipped.BAD_JSON in elsewhere:
        return shape(), Skipped.BAD_JSON
    mended = _fill(shape, found, reasons)
    return mended, next(iter(reasons + elsewhere), Skipped.ODD_JSON)


def loads(value: bytes, reasons: list[Skipped]) -> object:
    """The value of JSON that may be odd, adding to `reasons` what was odd about it; None where it cannot be read."""
    text = value.decode("utf-8", "replace")
    if "\ufffd" in text and not is_utf8(value):
        reasons.append(Skipped.BAD_UTF8)
    try:
        strict = json.loads(text, parse_int=_number, parse_constant=lambda _: reasons.append(Skipped.ODD_JSON))
        return _without_surrogates(strict, reasons)
    except RecursionError:
        reasons.append(Skipped.TOO_DEEP)
    except ValueError:
        return _loads_loosely(text, reasons)
    return None


def _loads_loosely(text: str, reasons: list[Skipped]) -> object:
    try:
        loose = json.loads(text, strict=False, parse_int=_number, parse_constant=lambda _: None)
        reasons.append(Skipped.ODD_JSON)
        return _without_surrogates(loose, reasons)
    except RecursionError:
        reasons.append(Skipped.TOO_DEEP)
    except ValueError:
        reasons.append(Skipped.BAD_JSON)
    return None


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _without_surrogates(value: object, reasons: list[Skipped]) -> object:
    if isinstance(value, str):
        clean = value.encode("utf-8", "replace").decode("utf-8")
        if clean != value:
            reasons.append(Skipped.BAD_SURROGATE)
        return clean
    if isinstance(value, list):
        return [_without_surrogates(one, reasons) for one in value]
    if isinstance(value, dict):
        return {str(_without_surrogates(k, reasons)): _without_surrogates(v, reasons) for k, v in value.items()}
    return value


def _fill(shape: type[S], found: dict[str, object], reasons: list[Skipped]) -> S:
    """Build `shape` of what fits; what does not is left at its default and noted."""
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(shape):
        value = found.get(field.encode_name)
        if value is None:
            continue
        inner = next((kind for kind in get_args(field.type) if _is_struct(kind)), None)
        if field.type is msgspec.Raw:
            values[field.name] = msgspec.Raw(msgspec.json.encode(value))
        elif isinstance(value, dict) and inner is not None:
            values[field.name] = _fill(inner, value, reasons)
        elif isinstance(value, str) and inner is None:
            values[field.name] = value
        else:
            reasons.append(Skipped.WRONG_TYPE)
            if isinstance(value, int) and inner is None and not isinstance(value, bool):
                values[field.name] = str(value)  # an account id that some exporter took for a number
    return shape(**values)


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def is_utf8(data: bytes) -> bool:
    """True for sound UTF-8; lone surrogates written as bytes are none."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
