"""What may be written for a setting: each function takes what stands there, as TOML or as text, and gives the value.

A `UsageError` says why it cannot be meant.  Text is quoted in it but for what may hold a secret.
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from straykey import given
from straykey.core.network import IPNetwork
from straykey.errors import UsageError
from straykey.given import Listen, Report, quoted
from straykey.secret import Secret

_E = TypeVar("_E", bound=StrEnum)


def _noun(value: object) -> str:
    nouns = {str: "a text", bool: "true or false", list: "a list", dict: "a table", int: "a number", float: "a number"}
    return nouns.get(type(value), "something else")


def _text(value: object) -> str:
    if isinstance(value, str | Path) and str(value):
        return str(value)
    raise UsageError("is empty" if value == "" else f"is {_noun(value)}, not a text", hint="write a text in quotes")


def switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise UsageError("is neither true nor false", hint="write true or false")


def whole(value: object) -> int:
    number = int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value
    if isinstance(number, int) and not isinstance(number, bool) and number >= 1:
        return number
    raise UsageError("is no whole number from 1 on", hint="write one, such as 5")


def one_of(kind: type[_E]) -> Callable[[object], _E]:
    def read(value: object) -> _E:
        text = _text(value)
        found = next((one for one in kind if text.lower() == one.value.lower()), None)
        if found is None:
            raise UsageError(f"{quoted(text)} is none of its values", hint=f"write one of {', '.join(kind)}")
        return found

    return read


def _listed(value: object, *, commas: bool = True) -> list[str]:
    """A list of texts; of one text its words, as a variable gives them."""
    if isinstance(value, str):
        return (value.replace(",", " ") if commas else value).split()
    if isinstance(value, Sequence) and all(isinstance(one, str) for one in value):
        return list(value)
    wrong = "holds something else than texts" if isinstance(value, Sequence) else f"is {_noun(value)}, not a list"
    raise UsageError(wrong, hint="write a list of texts, each in quotes")


def _matching(pattern: str, told: str, hint: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        if re.fullmatch(pattern, text) is None:
            raise UsageError(f"{quoted(text)} is no {told}", hint=hint)
        return text

    return read


_source = _matching(
    r"sqs://[^/\s]+/\S+|s3://[^/\s]+(?:/.*)?|history:(?:[a-z0-9-]+(?:,[a-z0-9-]+)*)?",
    "place that records come from",
    "write sqs://sqs.eu-west-1.amazonaws.com/111122223333/QUEUE, s3://BUCKET/PREFIX or history:REGION",
)
_bucket = _matching(r"[A-Za-z0-9._-]{3,255}", "bucket's name", "write the name alone, without s3://")
region = _matching(r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}", "region", "write one such as eu-west-1")
topic = _matching(
    r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+",
    "topic's ARN",
    "write one such as arn:aws:sns:eu-west-1:111122223333:findings",
)
bus = _matching(
    r"[A-Za-z0-9._/-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9._/-]{1,256}",
    "event bus",
    "write its name or its ARN",
)
sink_name = _matching(
    r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?",
    "name",
    "write small letters, digits and hyphens, 40 at most, beginning and ending in a letter or digit",
)


def sources(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_source, _listed(value, commas=False))))  # a history: has commas of its own


def buckets(value: object) -> frozenset[str]:
    return frozenset(map(_bucket, _listed(value)))


def accounts(value: object) -> frozenset[str]:
    return given.accounts(value if isinstance(value, str) else ",".join(_listed(value)))


def networks(value: object) -> tuple[IPNetwork, ...]:
    return tuple(map(given.network, _listed(value)))


def roles(value: object) -> frozenset[str]:
    return frozenset(map(given.role, _listed(value)))


def reports(value: object) -> frozenset[Report]:
    return frozenset(map(one_of(Report), _listed(value)))


def path(value: object) -> Path:
    return Path(_text(value))


def programs(value: object) -> dict[str, frozenset[str]]:
    return given.programs(path(value))


def duration(value: object) -> timedelta:
    return given.duration(_text(value))


def listen(value: object) -> Listen | None:
    return None if value == "off" else given.listen(_text(value))


def store(value: object) -> Secret:
    """Never quoted: it may hold a password."""
    text = _text(value)
    scheme, separator, _ = text.partition("://")
    if separator and scheme not in ("postgresql", "postgresql+psycopg", "sqlite"):
        raise UsageError(
            "is no database that is known", hint="write the path of a file, or postgresql://USER@HOST/NAME"
        )
    return Secret(text)


_SHORTEST_SECRET = 16


def signing_secret(value: object) -> Secret:
    text = _text(value)
    if len(text) < _SHORTEST_SECRET:
        raise UsageError(f"is shorter than {_SHORTEST_SECRET} characters", hint="make one with openssl rand -hex 32")
    return Secret(text)


def url(value: object) -> Secret:
    """Who knows a webhook's address may send to it: it is kept as a secret, and never quoted."""
    text = _text(value)
    hint = "write https://HOST/PATH"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError("is no address", hint=hint) from error
    if parts.scheme not in ("https", "http") or not host or re.search(r"\s", text):
        raise UsageError("is no address of the web", hint=hint)
    if parts.scheme == "http" and not Listen(host, 0).is_loopback:
        raise UsageError("is not encrypted, and findings would pass in the clear", hint=hint)
    return Secret(text)


def is_private(url: Secret) -> bool:
    """Whether it names, without a look-up, what the internet does not reach."""
    host = urlsplit(url.reveal()).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"
