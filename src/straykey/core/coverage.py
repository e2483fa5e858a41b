"""Of which accounts, regions and kinds records are seen: what is not there, nobody can judge."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from straykey.core.moment import moment
from straykey.core.network import is_account
from straykey.core.record import Record

_LONGEST_REGION = 32
_READING = ("Get", "List", "Describe", "Head", "Search", "Query", "Scan", "BatchGet", "Lookup")
_ASSUME = "AssumeRole"
_EC2 = ("ec2.amazonaws.com", "ec2.amazonaws.com.cn")


class Kind(StrEnum):
    """What a trail may leave out."""

    READ = "read"
    WRITE = "write"
    DATA = "data"
    NETWORK = "network-activity"
    ISSUANCE = "ec2-issuance"  # EC2 takes a role for an instance: what tells when keys began


class Covered(msgspec.Struct, frozen=True):
    """A kind of records of one account in one region."""

    account: str
    region: str
    kind: Kind


_CATEGORIES = {"Data": Kind.DATA, "NetworkActivity": Kind.NETWORK}


class Seen(msgspec.Struct, frozen=True):
    """When the first and the last record of a kind were made."""

    first: str
    last: str


def covered(records: Iterable[Record]) -> dict[Covered, Seen]:
    """What these records show to be covered; what names no account, region or time shows nothing."""
    found: dict[tuple[str | None, str | None, Kind], tuple[str, str]] = {}
    for record in records:
        time = record.time
        if time is None:
            continue
        key = (record.recipient, record.region, _kind(record))
        known = found.get(key)
        if known is None:
            found[key] = (time, time)
        elif time < known[0] or time > known[1]:
            found[key] = (min(known[0], time), max(known[1], time))
    seen: dict[Covered, Seen] = {}
    for (account, region, kind), (first, last) in found.items():
        since, until = moment(first), moment(last)
        if account and is_account(account) and _is_region(region) and since and until:
            seen[Covered(account, region or "", kind)] = Seen(since, until)
    return seen


def _kind(record: Record) -> Kind:
    if record.category in _CATEGORIES:
        return _CATEGORIES[record.category]
    name = record.name or ""
    if name == _ASSUME and record.identity is not None and record.identity.invoked_by in _EC2:
        return Kind.ISSUANCE
    return Kind.READ if name.startswith(_READING) else Kind.WRITE


def _is_region(text: str | None) -> bool:
    return text is not None and text.isascii() and len(text) <= _LONGEST_REGION and text.replace("-", "").isalnum()


def joined(one: Seen | None, other: Seen) -> Seen:
    return other if one is None else Seen(min(one.first, other.first), max(one.last, other.last))
