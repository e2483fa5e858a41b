"""Structured logs: one line for each event on stderr, JSON or text, the same for our own and for the libraries' words.

What is logged may be written by a thief, and a library may quote what it was given.  So every text, whatever its key,
passes `harmless`: what looks like a secret is masked, then what could act on a terminal or forge a line is shown as its
code, then it is cut.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from itertools import islice
from pathlib import PurePath
from traceback import extract_tb
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from straykey.errors import StraykeyError
from straykey.formats.text import as_json, bounded
from straykey.secret import Secret

_MASK = "***"
_LONGEST = 1000
_MOST_PARTS = 50
_DEEPEST = 4
_FRAMES = 8
_CAUSES = 5


class Level(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


Clock = Callable[[], datetime]


def configure(level: Level, how: LogFormat, stream: TextIO, clock: Clock) -> None:
    """Make this the log of the whole process: of `structlog.get_logger()`, and of libraries from WARNING on."""
    structlog.configure(
        processors=_processors(how, clock),
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, _Routed):
            root.removeHandler(handler)
    root.addHandler(_Routed(max(_number(level), logging.WARNING)))


def _number(level: Level) -> int:
    return logging.getLevelNamesMapping()[level.value.upper()]


def _processors(how: LogFormat, clock: Clock) -> list[structlog.typing.Processor]:
    def stamped(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["time"] = clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return [
        structlog.contextvars.merge_contextvars,
        _raised,
        _safe,
        structlog.processors.add_log_level,
        stamped,
        _as_json if how is LogFormat.JSON else _as_text,
    ]


class _Routed(logging.Handler):
    """Libraries' words, into our log."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            told = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: logging itself would print them all
            told = str(record.msg)
        log = structlog.get_logger()
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        tell(told, logger=record.name, exc_info=record.exc_info)


def _raised(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """An error as its kind and place.  What it says is told of our own only: others may quote what they were given."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = _kinds(error)
        frames = extract_tb(error.__traceback__)[-_FRAMES:]
        event["at"] = [f"{frame.name} ({frame.filename.rpartition('/')[2]}:{frame.lineno})" for frame in frames]
    return event


def _kinds(error: BaseException) -> str:
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < _CAUSES:
        kinds.append(_kind(cause))
        cause = cause.__cause__ or cause.__context__
    return " < ".join(kinds)


def _kind(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, StraykeyError) else type(error).__name__


def _safe(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {harmless(key): _safe_value(key, value, _DEEPEST) for key, value in event.items()}


_SECRET_KEY = re.compile(
    "token|secret|passw|passphrase|authorization|signature|credential|cookie|private_?key|api_?key", re.IGNORECASE
)

_Plain = str | int | float | bool | None | list["_Plain"] | dict[str, "_Plain"]


def _safe_value(key: str, value: object, depth: int) -> _Plain:
    if _SECRET_KEY.search(key):
        return _MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _safe_parts(key, value, depth - 1) if depth else "…"
    return harmless(_text(value))


def _safe_parts(key: str, parts: Mapping[object, object] | Iterable[object], depth: int) -> _Plain:
    if isinstance(parts, Mapping):
        some = islice(parts.items(), _MOST_PARTS)
        return {harmless(str(name)): _safe_value(str(name), part, depth) for name, part in some}
    return [_safe_value(key, part, depth) for part in islice(parts, _MOST_PARTS)]


def _text(value: object) -> str:
    """Only of what is known to show no more than it should; of anything else its type."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, BaseException):
        return _kind(value)
    if isinstance(value, str | PurePath | date | timedelta | Secret | IPv4Network | IPv6Network):
        return str(value)
    return f"<{type(value).__name__}>"


# AWS's session tokens begin so, whatever the region and year; then comes base64.
_SESSION_TOKEN = r"(?:IQoJ|FwoG|FQoG|AQoD|AgoJ)[A-Za-z0-9/+=_%-]{40,}"  # noqa: S105
_SECRET_ACCESS_KEY = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_MASKED = (
    (re.compile(_SESSION_TOKEN), _MASK),
    (re.compile(r"(://)[^\s/?#@:]*:[^\s/?#]*@"), rf"\1{_MASK}@"),
    (re.compile(r"(?i)(hooks\.slack(?:-gov)?\.com/)[^\s\"'<>]+"), rf"\1{_MASK}"),
    (re.compile(r"(?i)\b(bearer)\s{1,4}[^\s\"'<>]+"), rf"\1 {_MASK}"),
    (re.compile(r"(?i)(authorization[\"']?\s{0,4}[=:]\s{0,4}[\"']?)(?:[\w-]+\s{1,4})?[^\s\"',;]+"), rf"\1{_MASK}"),
    (
        re.compile(
            r"(?i)((?:token|secret|passw(?:or)?d|signature|credential)[\w-]{0,20}[\"']?\s{0,4}[=:]\s{0,4}[\"']?)"
            r"(?!\s)[^\s&\"',;}]+"
        ),
        rf"\1{_MASK}",
    ),
)


def harmless(text: str) -> str:
    """`text` without what looks like a secret, and with nothing in it that acts; at most 1000 characters."""
    for pattern, mask in _MASKED:
        text = pattern.sub(mask, text)
    return bounded(_SECRET_ACCESS_KEY.sub(_masked_key, text), _LONGEST)


def _masked_key(match: re.Match[str]) -> str:
    """Forty characters of base64 are a secret access key if they look random: a path or a checksum does not."""
    text = match[0]
    mixed = all(any(map(of, text)) for of in (str.isupper, str.islower, str.isdigit))
    is_path = text.count("/") > 3 or re.search("[0-9]{12}", text) is not None
    return _MASK if mixed and not is_path else text


def _as_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return as_json({name: event.pop(name) for name in _FIRST} | dict(event))


_FIRST = ("time", "level", "event")


def _as_text(_: WrappedLogger, __: str, event: EventDict) -> str:
    time, level, told = (event.pop(name) for name in _FIRST)
    # An "=" in what is told would make a field of it.
    told = as_json(told) if "=" in told else told
    return " ".join([time, f"{level:7}", told, *(f"{key}={_shown(value)}" for key, value in event.items())])


def _shown(value: object) -> str:
    """As it is if it is one word: else what it holds could pass for a field."""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.:/@*+-]+", value) else as_json(value)
