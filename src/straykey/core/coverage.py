"""Of which accounts, regions and kinds records are seen: what is not there, nobody can judge."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from straykey.core.moment import later, moment
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


_CATEGORIES: dict[str | None, Kind] = {"Data": Kind.DATA, "NetworkActivity": Kind.NETWORK}


class Seen(msgspec.Struct, frozen=True):
    """When the first and the last record of a kind were made."""

    first: str
    last: str

    def until(self, now: str) -> "Seen":
        """As if nothing had been made later: a record that says so would hide for ever that no more come."""
        return Seen(min(self.first, now), min(self.last, now))


def covered(records: Iterable[Record]) -> dict[Covered, Seen]:
    """What these records show to be covered; what names no account, region or time shows nothing."""
    # Asked of every record, so of each kind of them but once: which they are follows from what they name.
    found: dict[tuple[str | None, ...], tuple[str, str]] = {}
    for record in records:
        time = moment(record.time)  # of each: what is no date may stand above all that are
        if time is None:
            continue
        invoker = record.identity.invoked_by if record.name == _ASSUME and record.identity else None
        key = (record.recipient, record.region, record.category, record.name, invoker)
        known = found.get(key)
        if known is None:
            found[key] = (time, time)
        elif time < known[0] or time > known[1]:
            found[key] = (min(known[0], time), max(known[1], time))
    seen: dict[Covered, Seen] = {}
    for (account, region, category, name, invoker), (first, last) in found.items():
        if account and is_account(account) and region is not None and _is_region(region):
            what = Covered(account, region, _kind(category, name or "", invoker))
            seen[what] = joined(seen.get(what), Seen(first, last))
    return seen


def _kind(category: str | None, name: str, invoker: str | None) -> Kind:
    if category in _CATEGORIES:
        return _CATEGORIES[category]
    if name == _ASSUME and invoker in _EC2:
        return Kind.ISSUANCE
    return Kind.READ if name.startswith(_READING) else Kind.WRITE


def _is_region(text: str) -> bool:
    return text.isascii() and len(text) <= _LONGEST_REGION and text.replace("-", "").isalnum()


def joined(one: Seen | None, other: Seen) -> Seen:
    return other if one is None else Seen(min(one.first, other.first), max(one.last, other.last))


class Gap(StrEnum):
    """What is not seen of an account; each is told by what follows from it."""

    MANAGEMENT = (
        "no management events: nothing tells which keys were issued, which addresses were granted, and what was made "
        "with stolen keys; let the trail record management events"
    )
    READ = (
        "no reading calls (Describe, List, Get): the trail seems to record writes only (ReadWriteType WriteOnly); a "
        "thief who only looks around is not seen, nor AssumeRole, which counts as reading; set ReadWriteType to All"
    )
    WRITE = (
        "no writing calls: what grants an instance a new address is not seen, so honest changes look stray, nor what a "
        "thief makes; set ReadWriteType to All, unless nothing was ever changed there"
    )
    ISSUANCE = (
        "AssumeRole by EC2 is not seen: the trail records writes only, or not the regions where instances run, or no "
        "instance has a role; sessions are adopted with less confidence, and --require-issuance would judge none"
    )
    DATA = (
        "no data events: calls such as GetObject of S3, Invoke of Lambda or GetItem of DynamoDB are not seen unless "
        "the trail selects them; a thief who makes no other calls is not seen"
    )
    SILENT = "nothing was seen for a day, while other accounts went on: does its trail still deliver?"


_SILENCE_SECONDS = 86_400


def gaps(seen: Mapping[Covered, Seen]) -> dict[Gap, list[str]]:
    """By gap, the accounts that have it."""
    kinds: dict[str, set[Kind]] = defaultdict(set)
    last: dict[str, str] = defaultdict(str)
    for one, when in seen.items():
        kinds[one.account].add(one.kind)
        last[one.account] = max(last[one.account], when.last)
    newest = max(last.values(), default="")
    found: dict[Gap, list[str]] = {gap: [] for gap in Gap}
    for account in sorted(kinds):
        for gap in _gaps_of(kinds[account]):
            found[gap].append(account)
        if later(last[account], _SILENCE_SECONDS) < newest:
            found[Gap.SILENT].append(account)
    return {gap: accounts for gap, accounts in found.items() if accounts}


def _gaps_of(kinds: set[Kind]) -> list[Gap]:
    found = [Gap.DATA] if Kind.DATA not in kinds else []
    if not kinds & {Kind.READ, Kind.WRITE, Kind.ISSUANCE}:
        return [Gap.MANAGEMENT, *found]
    if Kind.ISSUANCE not in kinds:
        found.append(Gap.ISSUANCE)
        # AssumeRole counts as reading: where it is seen, a trail records what is read.
        if Kind.READ not in kinds:
            found.append(Gap.READ)
    if Kind.WRITE not in kinds:
        found.append(Gap.WRITE)
    return found
