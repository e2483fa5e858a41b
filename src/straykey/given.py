"""What users write, on a command line, in a variable or in a file, and the value that is meant.

Each function raises a `UsageError` that says what is wrong with the text and how to mend it; who calls it says where
the text stood.
"""

import ipaddress
import re
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

from straykey.core.network import IPNetwork, is_account
from straykey.core.settings import EVERY_ROLE
from straykey.errors import UsageError
from straykey.formats import allow_list
from straykey.formats.text import bounded, printable

_LONGEST_QUOTE = 80
_DURATION = re.compile(r"([0-9]{1,6}) ?([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ADDRESS = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+)):([0-9]{1,5})")
# What IAM lets a role be called; of EC2's own, `aws:ec2-instance`, too.
_ROLE = re.compile(r"(?:[0-9]{12}/)?(?:aws:)?[A-Za-z0-9_+=,.@-]{1,64}")
_LOOPBACK_NAME = "localhost"


class Report(StrEnum):
    """What is reported only on request."""

    SERVICE_CALLS = "service-calls"


class Listen(msgspec.Struct, frozen=True):
    """Where a server answers.  `port` 0 takes any that is free."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """True where only this machine gets through."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == _LOOPBACK_NAME

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def quoted(text: str) -> str:
    """For a complaint: harmless, and no longer than a line."""
    return f"“{bounded(text, _LONGEST_QUOTE)}”"


def accounts(text: str) -> frozenset[str]:
    """Ids separated by commas or white space, given here or in a file, where `#` begins a comment."""
    ids = text.replace(",", " ").split()
    if not all(map(is_account, ids)):
        ids = _accounts_in_file(text)
    return frozenset(ids)


def _accounts_in_file(name: str) -> list[str]:
    hint = "give twelve digits each, separated by commas, or a file of them"
    try:
        lines = Path(name).read_text("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{printable(name)}: neither account ids nor a file that can be read", hint=hint) from error
    ids = [one for line in lines for one in line.partition("#")[0].replace(",", " ").split()]
    for one in ids:
        if not is_account(one):
            raise UsageError(f"{printable(name)}: {printable(one)} is no account id", hint=hint)
    return ids


def programs(file: Path) -> dict[str, frozenset[str]]:
    """By role, the programs it may use, from a file as `straykey agents --write` writes it."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no UTF-8"
        hint = "name a file that straykey agents --write wrote"
        raise UsageError(f"{printable(str(file))}: {why}", hint=hint) from error
    return allow_list.parse(text, str(file))


def network(cidr: str) -> IPNetwork:
    try:
        return ipaddress.ip_network(cidr)
    except ValueError as error:
        raise UsageError(printable(str(error)), hint="give a network such as 203.0.113.0/24") from error


def role(text: str) -> str:
    """A role's name, with its account before it where only one account's is meant; or `*`."""
    if text != EVERY_ROLE and _ROLE.fullmatch(text) is None:
        hint = "give a role's name without its path, 111122223333/web-role, or * for every role"
        raise UsageError(f"{quoted(text)} is no role", hint=hint)
    return text


def duration(text: str) -> timedelta:
    """A whole number and its unit: 90s, 30m, 6h or 2d."""
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise UsageError(f"{quoted(text)} is no duration", hint="give a number and its unit: 90s, 30m, 6h or 2d")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def listen(text: str) -> Listen:
    """HOST:PORT; the host is an address, in brackets if it is of version 6, or `localhost`."""
    match = _ADDRESS.fullmatch(text)
    host, port = (match[1] or match[2], int(match[3])) if match else ("", 0)
    if not _is_host(host, in_brackets=bool(match and match[1])) or port > 65535:
        hint = "give 127.0.0.1:9466, [::1]:9466 or localhost:9466"
        raise UsageError(f"{quoted(text)} is no address and port", hint=hint)
    return Listen(host, port)


def _is_host(text: str, *, in_brackets: bool) -> bool:
    try:
        return ipaddress.ip_address(text).version == (6 if in_brackets else 4)
    except ValueError:
        return text == _LOOPBACK_NAME
