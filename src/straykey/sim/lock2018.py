"""The method of 2018, to compare with: lock each role session to the first address it is used from.

Made anew from the idea of Will Bengtson's talk "Detecting Credential Compromise in AWS" (Black Hat USA 2018).  It takes
one record after the other in the order they are delivered, keeps what it wrote last and never looks back.  That is the
method, not an oversight: whoever comes first owns the session, and what explains an address must be there before it.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from straykey.sim.record import Document

TTL = timedelta(hours=6)
_ISSUER = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}
_ROLE = "arn:aws:iam::"
_INTERFACE = "eni-"
_ASSOCIATING = frozenset({"AssociateAddress", "AttachNetworkInterface"})
# Not `is_private` of ipaddress: that also holds for the ranges set aside for documentation.
_PRIVATE = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A further address of a session; `time` is that of the first record delivered from there."""

    session_arn: str
    address: str
    time: str


@dataclass(slots=True)
class _Entry:
    """What the table holds of one session: a public address and, beside it, a private one with its endpoint."""

    renewed: datetime
    address: str | None = None
    pair: tuple[str, str] | None = None
    alarmed: set[str] = field(default_factory=set)


def alarms(delivered: Iterable[Document]) -> Iterator[Alarm]:
    """One alarm for each further address of each session, as the records come."""
    tables = _Tables()
    for record in delivered:
        if record["eventName"] == "AssumeRole":
            tables.issue(record)
        if record["eventName"] in _ASSOCIATING and "errorCode" not in record:
            tables.associate(record)
        alarm = tables.use(record)
        if alarm is not None:
            yield alarm


class _Tables:
    """Sessions by ARN; by instance what was associated with it; and which instance an interface is attached to.

    An association has the address it names, or none until the first new address of the instance becomes its own.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _Entry] = {}
        self._associations: dict[str, dict[str, str]] = {}
        self._interfaces: dict[str, str] = {}

    def issue(self, record: Document) -> None:
        """Begin or renew an instance's session.  Every other AssumeRole, another partition's too, is passed over."""
        asked = record["requestParameters"] or {}
        role = asked.get("roleArn", "")
        if record["userIdentity"] != _ISSUER or not role.startswith(_ROLE):
            return
        account, name = role.split(":")[4], role.rpartition("/")[2]
        arn = f"arn:aws:sts::{account}:assumed-role/{name}/{asked['roleSessionName']}"
        at = datetime.fromisoformat(record["eventTime"])
        entry = self._live(arn, at)
        if entry is None:
            self._sessions[arn] = _Entry(at)
        else:
            entry.renewed = at

    def associate(self, record: Document) -> None:
        """Allow the instance one more address."""
        asked = record["requestParameters"]
        interface = asked.get("networkInterfaceId", "")
        if record["eventName"] == "AttachNetworkInterface":
            self._interfaces[interface] = asked["instanceId"]
        instance = asked.get("instanceId") or self._interfaces.get(interface)
        if instance is not None:
            what = asked.get("allocationId") or asked.get("publicIp") or interface
            self._associations.setdefault(instance, {}).setdefault(what, asked.get("publicIp", ""))

    def use(self, record: Document) -> Alarm | None:
        """Judge one call by what was delivered before it."""
        arn, address, time = record["userIdentity"].get("arn", ""), record["sourceIPAddress"], record["eventTime"]
        endpoint = record.get("vpcEndpointId", "")
        entry = self._live(arn, datetime.fromisoformat(time))
        if entry is None or _is_service(address) or address in entry.alarmed or _is_locked(entry, address, endpoint):
            return None
        is_allowed = self._is_allowed(arn.rpartition("/")[2], address)
        if _lock(entry, address, endpoint) or is_allowed:
            return None
        entry.alarmed.add(address)
        return Alarm(arn, address, time)

    def _live(self, arn: str, at: datetime) -> _Entry | None:
        entry = self._sessions.get(arn)
        if entry is not None and at > entry.renewed + TTL:
            del self._sessions[arn]
            return None
        return entry

    def _is_allowed(self, instance: str, address: str) -> bool:
        """True if an association has this address, or had none until now."""
        associations = self._associations.get(instance, {})
        if address in associations.values():
            return True
        for what, known in associations.items():
            if not known and (what.startswith(_INTERFACE) or not _is_private(address)):
                associations[what] = address
                return True
        return False


def _is_locked(entry: _Entry, address: str, endpoint: str) -> bool:
    return address == entry.address or (address, endpoint) == entry.pair


def _lock(entry: _Entry, address: str, endpoint: str) -> bool:
    """Lock the session to this address if it is the first of its kind."""
    if _is_private(address) and entry.pair is None:
        entry.pair = (address, endpoint)
        return True
    if not _is_private(address) and entry.address is None:
        entry.address = address
        return True
    return False


def _is_service(source: str) -> bool:
    return source.endswith(".amazonaws.com") or source.startswith("AWS Internal")


def _is_private(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE)
