"""Who held which address when, and what happened to which instance, as EC2's own records tell it.

Grants are joined here and nowhere else: an allocation with its address, an interface with its instance, a NAT gateway
with its VPC.  Every question is about one time, and what came later answers nothing.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

import msgspec

from straykey.core.grant import Grant


class Holding(msgspec.Struct, frozen=True, order=True, gc=False):
    """From `time` on, something is held by `holder`; by nobody, if that is empty."""

    time: str
    holder: str
    grant: Grant


EVER = "9999-12-31T23:59:59Z"


class Holds(Protocol):
    """What may be asked of grants: see `Holdings`."""

    def named(self, instance: str, address: str, time: str) -> Grant | None: ...

    def knows(self, instance: str) -> bool: ...

    def unnamed(self, instance: str, time: str = ..., *, after: str = ...) -> list[Grant]: ...

    def nat(self, address: str, vpc: str, account: str, time: str) -> Grant | None: ...

    def vpc_of(self, instance: str) -> str: ...

    def owner_of(self, address: str, time: str) -> str: ...

    def terminated(self, instance: str) -> Grant | None: ...

    def history(self, instance: str) -> list[Grant]: ...


_Held = defaultdict[str, list[Holding]]


class Holdings:
    """An index of all grants, built once."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._addresses: dict[str, str] = {}  # by allocation
        self._owners: _Held = defaultdict(list)  # by address: accounts
        self._holders: _Held = defaultdict(list)  # by elastic address: instance, interface or NAT gateway
        self._named: dict[tuple[str, str], Grant] = {}  # by any other address and who has it: the first
        self._attached: _Held = defaultdict(list)  # by interface: instances
        self._interfaces: dict[str, list[str]] = defaultdict(list)  # by instance, each once, by name
        self._elastic: dict[str, set[str]] = defaultdict(set)  # by instance or interface: addresses it ever held
        self._grants: dict[str, list[Grant]] = defaultdict(list)  # by instance or interface, in order
        self._switches: dict[str, list[Grant]] = defaultdict(list)  # by instance: starts and stops, in order
        self._terminated: dict[str, Grant] = {}  # by instance: the first
        self._vpcs: dict[str, str] = {}  # by instance, interface or NAT gateway
        self.endpoint_owners: dict[str, str] = {}
        self._ends: dict[str, list[str]] = defaultdict(list)  # by association or allocation: when it was taken away
        ordered = sorted(grants)
        allocated = (one for one in ordered if one.api == "AllocateAddress" and one.allocation)
        self._addresses = {one.allocation: one.address for one in allocated}
        self._fill(ordered)
        for holdings in (*self._owners.values(), *self._holders.values(), *self._attached.values()):
            holdings.sort()
        for instance, interfaces in self._interfaces.items():
            self._interfaces[instance] = sorted(set(interfaces))
        self._unnamed_of = lru_cache(maxsize=1024)(self._find_unnamed)

    def named(self, instance: str, address: str, time: str) -> Grant | None:
        """The grant that names this address for this instance and is in force at `time`."""
        holding = _last(self._holders.get(address, ()), time)
        if holding is not None:
            is_held = self._is_of(holding.holder, instance, time) and not self._is_ended(holding.grant, time)
            return holding.grant if is_held else None
        for holder in (instance, *self._interfaces.get(instance, ())):
            grant = self._named.get((address, holder))
            if grant is not None and grant.time <= time and self._is_of(holder, instance, time):
                return grant
        return None

    def knows(self, instance: str) -> bool:
        """True if any grant is about this instance."""
        return instance in self._grants or instance in self._interfaces

    def unnamed(self, instance: str, time: str = EVER, *, after: str = "") -> list[Grant]:
        """What gave this instance a public address without naming it, after one time, and is in force at another.

        In order of time.
        """
        found = self._unnamed_of(instance)
        begin, end = bisect_right(found, after, key=_time), bisect_right(found, time, key=_time)
        return [one for one in found[begin:end] if self._is_in_force(instance, one, time)]

    def _find_unnamed(self, instance: str) -> list[Grant]:
        return [one for one in self.history(instance) if self._is_unnamed(instance, one)]

    def nat(self, address: str, vpc: str, account: str, time: str) -> Grant | None:
        """The grant that gave this address to a NAT gateway of the VPC; of the account, where a VPC is not known."""
        holding = _last(self._holders.get(address, ()), time)
        if holding is None or not holding.grant.nat:
            return None
        theirs = holding.grant.vpc or self._vpcs.get(holding.grant.nat, "")
        is_ours = theirs == vpc if theirs and vpc else holding.grant.account == account
        return holding.grant if is_ours else None

    def vpc_of(self, instance: str) -> str:
        """The VPC an instance was launched in; empty where no record tells."""
        own = self._vpcs.get(instance, "")
        return own or max((self._vpcs.get(one, "") for one in self._interfaces.get(instance, ())), default="")

    def owner_of(self, address: str, time: str) -> str:
        """The account that was given this address last, and had not released it at `time`; else empty."""
        holding = _last(self._owners.get(address, ()), time)
        return holding.holder if holding else ""

    def terminated(self, instance: str) -> Grant | None:
        """The first record by which the instance was terminated."""
        return self._terminated.get(instance)

    @property
    def all_terminated(self) -> Mapping[str, Grant]:
        """By instance: the first record by which it was terminated."""
        return self._terminated

    def history(self, instance: str) -> list[Grant]:
        """All that EC2's records tell of this instance, in order of time."""
        of_interfaces = [one for it in self._interfaces.get(instance, ()) for one in self._grants.get(it, ())]
        return sorted({*self._grants.get(instance, ()), *of_interfaces})

    def address_of(self, grant: Grant) -> str:
        """The address a grant is about, by itself or by its allocation; empty where no record tells."""
        return grant.address or self._addresses.get(grant.allocation, "")

    def _fill(self, ordered: list[Grant]) -> None:
        associations = {one.association: one for one in ordered if one.api == "AssociateAddress" and one.association}
        attachments = {one.attachment: one for one in ordered if one.api == "AttachNetworkInterface"}
        for grant in ordered:
            self._file(grant)
            self._place(grant)
            if grant.api in ("DisassociateAddress", "ReleaseAddress", "DetachNetworkInterface"):
                self._take(grant, associations, attachments)
            elif grant.api == "AllocateAddress":
                self._owners[grant.address].append(Holding(grant.time, grant.account, grant))
            elif grant.api == "AssociateAddress" or grant.nat:
                self._hold(self.address_of(grant), grant.nat or grant.instance or grant.interface, grant)
            elif grant.address and (grant.interface or grant.instance):
                self._named.setdefault((grant.address, grant.instance or grant.interface), grant)

    def _file(self, grant: Grant) -> None:
        """Put it where it is found by what it is about."""
        for subject in filter(None, (grant.instance, grant.interface)):
            self._grants[subject].append(grant)
            if grant.api in ("StartInstances", "StopInstances"):
                self._switches[subject].append(grant)
            elif grant.api == "TerminateInstances":
                self._terminated.setdefault(subject, grant)

    def _take(self, grant: Grant, associations: dict[str, Grant], attachments: dict[str, Grant]) -> None:
        """Note what was taken away."""
        for name in filter(None, (grant.association, grant.allocation)):
            self._ends[name].append(grant.time)
        if grant.attachment in attachments:
            self._attached[attachments[grant.attachment].interface].append(Holding(grant.time, "", grant))
        address = self.address_of(associations.get(grant.association, grant))
        self._hold(address, "", grant)
        if address and grant.api == "ReleaseAddress":
            self._owners[address].append(Holding(grant.time, "", grant))

    def _place(self, grant: Grant) -> None:
        """Note what belongs to what."""
        if grant.vpc:
            for subject in filter(None, (grant.instance, grant.interface, grant.nat)):
                self._vpcs[subject] = grant.vpc
        if grant.endpoint:
            self.endpoint_owners[grant.endpoint] = grant.account
        if grant.interface and grant.instance and grant.api != "AssociateAddress":
            self._attached[grant.interface].append(Holding(grant.time, grant.instance, grant))
            self._interfaces[grant.instance].append(grant.interface)

    def _hold(self, address: str, holder: str, grant: Grant) -> None:
        if address:
            self._holders[address].append(Holding(grant.time, holder, grant))
            if holder:
                self._elastic[holder].add(address)

    def _is_of(self, holder: str, instance: str, time: str) -> bool:
        """True if the holder is the instance, or an interface that was attached to it then."""
        if not holder or holder == instance:
            return bool(holder)
        attachment = _last(self._attached.get(holder, ()), time)
        return attachment is not None and attachment.holder == instance

    def _is_unnamed(self, instance: str, grant: Grant) -> bool:
        if grant.api == "StartInstances":
            return self._was_stopped(instance, grant) and not self._has_elastic(instance, grant.time)
        if grant.api == "AttachNetworkInterface":
            return not self._elastic.get(grant.interface)  # an address it holds by name is no new one
        return grant.api == "AssociateAddress" and not self.address_of(grant)

    def _is_in_force(self, instance: str, grant: Grant, time: str) -> bool:
        """False for what was detached, disassociated or released since, or came to another instance."""
        if grant.instance not in ("", instance):
            return False
        if grant.interface and not self._is_of(grant.interface, instance, time):
            return False
        return not self._is_ended(grant, time)

    def _is_ended(self, grant: Grant, time: str) -> bool:
        """True if its association was ended, or its allocation released, since."""
        ends = (self._ends.get(name, ()) for name in (grant.association, grant.allocation))
        firsts = (they[place] for they in ends if (place := bisect_left(they, grant.time)) < len(they))
        return any(first <= time for first in firsts)

    def _was_stopped(self, instance: str, start: Grant) -> bool:
        switches = self._switches.get(instance, ())
        earlier = switches[: bisect_right(switches, start.time, key=_time)][-2:]
        last = next((one for one in reversed(earlier) if one != start), None)
        return start.was_stopped or (last is not None and last.api == "StopInstances")

    def _has_elastic(self, instance: str, time: str) -> bool:
        """True if it holds an elastic address then: that outlasts a stop."""
        holders = (instance, *self._interfaces.get(instance, ()))
        addresses = {address for holder in holders for address in self._elastic.get(holder, ())}
        return any(self.named(instance, address, time) is not None for address in addresses)


def _time(grant: Grant) -> str:
    return grant.time


def _last(holdings: Sequence[Holding], time: str) -> Holding | None:
    """The last that began up to `time`."""
    at = bisect_right(holdings, time, key=lambda one: one.time)
    return holdings[at - 1] if at else None
