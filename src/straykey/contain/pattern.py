"""Text in a policy: letters, wildcards, and variables that the request fills in.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

import msgspec

from straykey.contain.truth import Truth, Unknown, unknown
from straykey.errors import PolicyError


class Gap(Enum):
    """What stands for a value that nobody wrote down."""

    UNKNOWN = "unknown"  # not even whether there is one
    PRESENT = "present"  # there is one


Said = str | tuple[str, ...] | Gap
Context = Mapping[str, Said]  # by key in lower case; a key that is not in it is absent


class Wild(Enum):
    """The two wildcards."""

    MANY = "*"
    ONE = "?"


class Variable(msgspec.Struct, frozen=True):
    """`${key}` or `${key, 'default'}`."""

    key: str
    default: str | None = None


Pattern = tuple[str | Wild | Variable, ...]  # each text one character
Filled = tuple[str | Wild, ...]

_PIECE = re.compile(
    r"\$\{(?P<escaped>[*?$])\}"
    r"|\$\{(?P<key>[A-Za-z0-9-]+:[^${}*?,'\"]*[^${}*?,'\"\s])(?:,\s*'(?P<default>[^'${}*?]*)')?\}"
    r"|(?P<broken>\$\{)"
    r"|(?P<letter>.)",
    re.DOTALL,
)


def pattern_of(text: str, *, wild: bool) -> Pattern:
    """Read a value; without `wild`, `*` and `?` are themselves.  Raises PolicyError for a variable it cannot read."""
    return tuple(_token(piece, wild) for piece in _PIECE.finditer(text))


def _token(piece: re.Match[str], wild: bool) -> str | Wild | Variable:
    if piece["broken"]:
        raise PolicyError("${ begins no variable that is understood here")
    if piece["key"]:
        return Variable(piece["key"], piece["default"])
    letter = piece["letter"]
    if letter is None:
        return piece["escaped"]
    return Wild(letter) if wild and letter in "*?" else letter


def variables_of(pattern: Pattern) -> tuple[Variable, ...]:
    """The variables in it."""
    return tuple(token for token in pattern if isinstance(token, Variable))


def filled(pattern: Pattern, context: Context) -> Filled | Unknown | None:
    """The pattern with what the request says; None where a variable has neither value nor default."""
    tokens: list[str | Wild] = []
    for token in pattern:
        if not isinstance(token, Variable):
            tokens.append(token)
            continue
        value = _value(token, context)
        if value is None or isinstance(value, Unknown):
            return value
        tokens.extend(value)
    return tuple(tokens)


def _value(variable: Variable, context: Context) -> str | Unknown | None:
    said = said_of(variable.key, context)
    if isinstance(said, Gap):
        return unknown(variable.key)
    if isinstance(said, tuple):
        raise PolicyError(f"${{{variable.key}}} has more than one value: it cannot be a variable")
    return variable.default if said is None else said


def said_of(key: str, context: Context) -> Said | None:
    """What the request says of a key; None where it is absent.

    Nothing, and no value in a list, is as if absent.  An empty text IAM takes for nothing in one place and for a text
    in another, so it is unknown.
    """
    said = context.get(key.lower())
    if said == "" or (isinstance(said, tuple) and "" in said):
        return Gap.UNKNOWN
    return None if said == () else said


def equals(pattern: Pattern, text: str, context: Context, *, ignore_case: bool = False) -> Truth:
    """Letter by letter."""
    wanted = filled(pattern, context)
    if wanted is None or isinstance(wanted, Unknown):
        return wanted or False
    said = "".join(str(token) for token in wanted)
    return said.lower() == text.lower() if ignore_case else said == text


def like(pattern: Pattern, text: str, context: Context) -> Truth:
    """`*` is any text, even none, `?` one character.

    Whether IAM takes a wildcard in the *value* of a variable for a wildcard is not documented: unknown.
    """
    wanted = filled(pattern, context)
    if wanted is None or isinstance(wanted, Unknown):
        return wanted or False
    for variable in variables_of(pattern):
        value = _value(variable, context)
        if isinstance(value, str) and ("*" in value or "?" in value):
            return unknown(variable.key)
    return is_like(wanted, text)


def is_like(wanted: Filled, text: str) -> bool:
    """Whether wildcards can be made to fit, in time that text from a log cannot blow up, as it could a regex."""
    at = since = 0
    star: int | None = None
    here = 0
    while here < len(text):
        token = wanted[at] if at < len(wanted) else None
        if token is Wild.MANY:
            star, since, at = at, here, at + 1
        elif token is Wild.ONE or token == text[here]:
            at, here = at + 1, here + 1
        elif star is not None:
            since += 1
            at, here = star + 1, since
        else:
            return False
    return all(token is Wild.MANY for token in wanted[at:])


ARN_PARTS = 6


def arn_parts(pattern: Pattern) -> tuple[Pattern, ...]:
    """The parts between colons; what follows the fifth is one.  Raises PolicyError for what is no ARN."""
    parts = tuple(_split(pattern))
    if len(parts) != ARN_PARTS or parts[0] != ("a", "r", "n"):
        raise PolicyError("no ARN: six parts with colons between, the first `arn`")
    return parts


def _split(pattern: Pattern) -> Iterator[Pattern]:
    rest: Sequence[str | Wild | Variable] = pattern
    for _ in range(ARN_PARTS - 1):
        if ":" not in rest:
            break
        colon = rest.index(":")
        yield tuple(rest[:colon])
        rest = rest[colon + 1 :]
    yield tuple(rest)


def arn_like(parts: Sequence[Pattern], text: str, context: Context) -> list[Truth]:
    """How each part fares: no wildcard reaches over a colon.  Text that is no ARN is like none."""
    said = text.split(":", ARN_PARTS - 1)
    if len(said) != ARN_PARTS:
        return [False]
    return [like(part, one, context) for part, one in zip(parts, said, strict=True)]
