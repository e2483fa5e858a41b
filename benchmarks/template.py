"""Simulated records as templates: bytes with a slot for each thing that tells one session, or one record, from another.

A template goes with Python's `%`, filled from a dictionary of bytes.
"""

import json
import re
from collections import Counter, defaultdict
from functools import lru_cache

import msgspec

from straykey.sim.record import Document
from straykey.sim.scenario import simulate

_HOURS = 2
_INSTANCES = 48
_MOST_RECORDS = 40  # of one session
_MOST_OTHERS = 400
_ENDPOINT = re.compile(r"(vpce-0)[0-9a-f]{3}")


class Kind(msgspec.Struct, frozen=True):
    """What one simulated instance does, as templates; `open_uses` came from a public address."""

    uses: list[bytes]
    open_uses: list[bytes]
    issuance: bytes


class Templates(msgspec.Struct, frozen=True):
    """`others` are people's, services' and functions' records; each stays with its session."""

    kinds: list[Kind]
    others: list[bytes]


@lru_cache(maxsize=1)
def templates() -> Templates:
    """Of a company's two hours; without instances that have an address of version 6 besides another."""
    sessions: dict[str, list[Document]] = defaultdict(list)
    issuances: dict[str, Document] = {}
    others: list[Document] = []
    world = simulate(seed=7, hours=_HOURS, instances=_INSTANCES, thefts=0)
    for record in world.records:
        identity = record["userIdentity"]
        name = str(identity.get("arn", "")).rpartition("/")[2]
        if name.startswith("i-"):
            sessions[name].append(record)
        elif identity.get("invokedBy") == "ec2.amazonaws.com" and record["requestParameters"]:
            issuances[record["requestParameters"]["roleSessionName"]] = record
        elif record["eventSource"] != "ec2.amazonaws.com" or record["readOnly"]:  # a company is set up but once
            others.append(record)
    shared = _shared_addresses(sessions)
    kinds = [_kind(name, sessions[name][:_MOST_RECORDS], issuances[name], shared) for name in sorted(issuances)]
    kinds = [kind for kind in kinds if not any(b"%(v6)b" in use for use in kind.uses)]
    return Templates(kinds, [_template(record, {}) for record in others[:: max(1, len(others) // _MOST_OTHERS)]])


def _shared_addresses(sessions: dict[str, list[Document]]) -> set[str]:
    """Addresses of NAT gateways: several instances call from them."""
    callers = Counter(
        address for records in sessions.values() for address in {record["sourceIPAddress"] for record in records}
    )
    return {address for address, count in callers.items() if count > 1}


def _kind(name: str, records: list[Document], issuance: Document, shared: set[str]) -> Kind:
    slots = {name: "instance"}
    addresses = {str(record["sourceIPAddress"]) for record in records}
    if any(address.startswith("10.") for address in addresses):
        shared = addresses  # what has endpoints besides leaves its VPC through a NAT gateway
    for record in records:
        address = str(record["sourceIPAddress"])
        slots |= {record["userIdentity"]["accessKeyId"]: "key", **_slot_of(address, shared)}
    uses = [_template(record, slots) for record in records]
    issued = {issuance["responseElements"]["credentials"]["accessKeyId"]: "key", name: "instance"}
    open_uses = [use for use in uses if b"%(public)b" in use or b"%(nat)b" in use]
    return Kind(uses, open_uses, _template(issuance, issued))


def _slot_of(address: str, shared: set[str]) -> dict[str, str]:
    if not address[0].isdigit():
        return {}  # a service's name
    if ":" in address:
        return {address: "v6"}
    return {address: "private" if address.startswith("10.") else "nat" if address in shared else "public"}


def _template(record: Document, slots: dict[str, str]) -> bytes:
    own = {record["eventTime"]: "time", record["eventID"]: "event", record["requestID"]: "request"}
    record = {key: value for key, value in record.items() if key != "sharedEventID"}  # its copies are not written
    context = record["userIdentity"].get("sessionContext")
    if slots and context:
        own[context["attributes"]["creationDate"]] = "issued"
    text = json.dumps(record, separators=(",", ":")).replace("%", "%%")
    for value, slot in (own | slots).items():
        text = text.replace(f'"{value}"', f'"%({slot})b"') if slot in _WHOLE else text.replace(value, f"%({slot})b")
    return _ENDPOINT.sub(r"\1%(vpc)b", text).encode()


_WHOLE = frozenset({"time", "issued", "private", "public", "nat", "v6"})  # never a part of a longer text
