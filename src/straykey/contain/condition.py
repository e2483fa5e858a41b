"""One line of a Condition: an operator, a key, its values.

Absent keys follow IAM: a positive operator is false, a negated one true, `IfExists` true, `ForAllValues` true,
`ForAnyValue` false.  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from straykey.contain.pattern import (
    Context,
    Gap,
    Pattern,
    Said,
    Variable,
    arn_like,
    arn_parts,
    equals,
    like,
    pattern_of,
    said_of,
    variables_of,
)
from straykey.contain.truth import Truth, all_of, any_of, inverse, unknown
from straykey.core.network import parse_address
from straykey.errors import PolicyError

Test = Callable[[str, Context], Truth | None]  # one value of the request; None for a value of another kind


class Over(StrEnum):
    """How many values of the request must pass."""

    ONE = ""
    ANY = "ForAnyValue"
    ALL = "ForAllValues"


class Condition(msgspec.Struct, frozen=True):
    """`tests` is one for each value; `Null` has none, and `null` says what it wants."""

    key: str
    tests: tuple[Test, ...]
    negated: bool = False
    if_exists: bool = False
    over: Over = Over.ONE
    variables: tuple[Variable, ...] = ()
    null: bool | None = None


def _string(pattern: Pattern) -> Test:
    return lambda said, context: equals(pattern, said, context)


def _string_ignore_case(pattern: Pattern) -> Test:
    return lambda said, context: equals(pattern, said, context, ignore_case=True)


def _string_like(pattern: Pattern) -> Test:
    return lambda said, context: like(pattern, said, context)


def _arn(pattern: Pattern) -> Test:
    parts = arn_parts(pattern)
    return lambda said, context: all_of(arn_like(parts, said, context))


# An IPv6 address needs its length: IAM's page gives /32 to any address without one, and that would be a provider's.
_RANGE = re.compile(r"[0-9.]+(/[0-9]+)?|[0-9A-Fa-f:.]+/[0-9]+")


def _address(text: str) -> Test:
    if _RANGE.fullmatch(text) is None:
        raise PolicyError("no address and no range such as 203.0.113.0/24 or 2001:db8::/64")
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise PolicyError("no range: its address has bits beyond its length, or is none") from None

    def is_in(said: str, _: Context) -> bool | None:
        address = parse_address(said)
        return None if address is None else address in network

    return is_in


def _bool(text: str) -> Test:
    wanted = yes_or_no(text)
    return lambda said, _: {"true": wanted, "false": not wanted}.get(said.lower())


def yes_or_no(text: str) -> bool:
    """Read the value of Bool or Null."""
    if text not in ("true", "false"):
        raise PolicyError('neither "true" nor "false"')
    return text == "true"


def _date(compare: Callable[[datetime, datetime], bool]) -> Callable[[str], Test]:
    def read(text: str) -> Test:
        wanted = _time(text)
        if wanted is None:
            raise PolicyError("no time such as 2026-05-04T10:41:00Z")

        def is_so(said: str, _: Context) -> bool | None:
            time = _time(said)
            return None if time is None else compare(time, wanted)

        return is_so

    return read


_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")


def _time(text: str) -> datetime | None:
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None  # the 31st of February


_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


def _number(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[str], Test]:
    def read(text: str) -> Test:
        if _NUMBER.fullmatch(text) is None:
            raise PolicyError("no number such as 2.0")
        wanted = Decimal(text)

        def is_so(said: str, _: Context) -> bool | None:
            return None if _NUMBER.fullmatch(said) is None else compare(Decimal(said), wanted)

        return is_so

    return read


# Only these two kinds may have variables in their values.
_TEXTS: dict[str, tuple[Callable[[Pattern], Test], bool]] = {  # and whether `*` and `?` are wildcards
    "StringEquals": (_string, False),
    "StringEqualsIgnoreCase": (_string_ignore_case, False),
    "StringLike": (_string_like, True),
    "ArnEquals": (_arn, True),  # as ArnLike: IAM makes no difference
    "ArnLike": (_arn, True),
}
_OTHERS: dict[str, Callable[[str], Test]] = {
    "IpAddress": _address,
    "Bool": _bool,
    "DateLessThan": _date(operator.lt),
    "DateLessThanEquals": _date(operator.le),
    "DateGreaterThan": _date(operator.gt),
    "DateGreaterThanEquals": _date(operator.ge),
    "NumericEquals": _number(operator.eq),
    "NumericLessThan": _number(operator.lt),
    "NumericLessThanEquals": _number(operator.le),
    "NumericGreaterThan": _number(operator.gt),
    "NumericGreaterThanEquals": _number(operator.ge),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
}
OPERATORS = frozenset({*_TEXTS, *_OTHERS, *_NEGATED, "Null"})

_OPERATOR = re.compile(r"(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?")


def condition_of(operator_name: str, key: str, values: Sequence[str]) -> Condition:
    """Read one line.  Raises PolicyError for an operator or a value that is not understood."""
    over, name, if_exists = _parts(operator_name)
    if name == "Null":
        return _null(operator_name, key, values)
    if over is Over.ANY and if_exists:
        raise PolicyError("ForAnyValue with IfExists: what it means for an absent key is not agreed on")
    plain = _NEGATED.get(name, name)
    if plain in _OTHERS:
        if any("${" in value for value in values):
            raise PolicyError(f"{name} takes no variable")
        return Condition(key, tuple(map(_OTHERS[plain], values)), name in _NEGATED, if_exists, over)
    read, wild = _TEXTS[plain]
    patterns = [pattern_of(value, wild=wild) for value in values]
    variables = tuple(variable for pattern in patterns for variable in variables_of(pattern))
    return Condition(key, tuple(map(read, patterns)), name in _NEGATED, if_exists, over, variables)


def _parts(operator_name: str) -> tuple[Over, str, bool]:
    match = _OPERATOR.fullmatch(operator_name)
    if match is None or match[2] not in OPERATORS:
        raise PolicyError("an operator that is not understood here")
    return Over(match[1] or ""), match[2], match[3] is not None


def _null(operator_name: str, key: str, values: Sequence[str]) -> Condition:
    if operator_name != "Null" or len(values) != 1:
        raise PolicyError("Null takes one value, and neither IfExists nor ForAnyValue, ForAllValues")
    return Condition(key, (), null=yes_or_no(values[0]))


def holds(condition: Condition, context: Context) -> Truth:
    """Whether the line holds for a request.

    IAM's page says a variable without a value makes the whole statement invalid; of a negated operator nobody says
    what comes of it.  So beside such a variable true is not certain, and false is.
    """
    missing = [unknown(one.key) for one in condition.variables if _may_be_missing(one, context)]
    return all_of([_holds(condition, said_of(condition.key, context), context), *missing])


def _may_be_missing(variable: Variable, context: Context) -> bool:
    return variable.default is None and said_of(variable.key, context) in (None, Gap.UNKNOWN)


def _holds(condition: Condition, said: Said | None, context: Context) -> Truth:
    if said is Gap.UNKNOWN:
        return unknown(condition.key)
    if condition.null is not None:
        return (said is None) is condition.null
    if said is None:
        return _holds_absent(condition)
    if isinstance(said, Gap):
        return unknown(condition.key)
    return _holds_present(condition, said, context)


def _holds_absent(condition: Condition) -> bool:
    if condition.over is Over.ONE:
        return condition.negated or condition.if_exists
    return condition.over is Over.ALL


def _holds_present(condition: Condition, said: str | tuple[str, ...], context: Context) -> Truth:
    if isinstance(said, tuple) and condition.over is Over.ONE:
        raise PolicyError("the key has a list of values: ForAnyValue or ForAllValues must say how to take them")
    values = (said,) if isinstance(said, str) else said
    passed = [_passes(condition, value, context) for value in values]
    return any_of(passed) if condition.over is Over.ANY else all_of(passed)


def _passes(condition: Condition, value: str, context: Context) -> Truth:
    found = [test(value, context) for test in condition.tests]
    matched = any_of(unknown(condition.key) if one is None else one for one in found)
    return inverse(matched) if condition.negated else matched
