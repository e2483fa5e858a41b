"""Folds records into a ledger, fast.

A record takes the short way if its caller was met before: then only its stamp is noted (`core.calls`), and from time to
time what was noted is folded, all calls of one caller at once.  So a record touches little memory.

The plain way, `Ledger.take`, is the reference: both lead to the same ledger, and a law says so.

Callers and kinds of calls are recognised by fingerprint, not by text: comparing texts that lie far apart in memory is
what it would cost most.  Python's hash of text has 64 bits and a key of its own in every process, so that two texts
with one fingerprint are as good as impossible, and nobody can make them.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from straykey.core.calls import TIME, Alike, Calls
from straykey.core.evidence import Bounds
from straykey.core.ledger import Ledger, OpenLedger, PackedLedger
from straykey.core.moment import RESTS_OF_HOUR, moment
from straykey.core.observation import TELLING, Caller, Issued, call_of, caller_of, is_impossible, told_of
from straykey.core.record import Identity, Record, Skipped
from straykey.core.run import Open, Packing, Runs, encoded, run_of

# In stamps, of 128 bytes each: 64 MB.  What else is held is weighed in stamps, too.
_MOST_HELD = 1 << 19
_STAMP = 128
_CALLER, _KIND, _OPEN = 1_400, 1_100, 3_800  # bytes, without texts; the last, of evidence that lies open
_LONGEST_ID = 64  # AWS's have 36 letters

_Fingerprint = int


def _weight(size: int, texts: str) -> int:
    """How many stamps take as much memory: what is large must not be held back by the thousand."""
    return (size + len(texts)) // _STAMP


def _texts_of(caller: Caller) -> str:
    """All that is kept of a caller."""
    network = caller.network
    once = caller.access_key + caller.delivery + caller.role_arn + caller.scope + network.endpoint_owner
    return caller.session.arn * 2 + network.key * 2 + once


def _open_texts_of(record: Record) -> str:
    """All that evidence may keep of a record that is folded the plain way."""
    call = f"{record.event_id} {record.source} {record.name} {record.region} {record.agent} {record.error}"
    identity = record.identity
    return f"{call} {identity.access_key_id} {identity.session_context}" if identity else call


class _Met(msgspec.Struct, gc=False):
    """Who was met, or why nothing is kept of whom; and the calls they made."""

    caller: Caller | Skipped
    kinds: list[Alike] = []


class Folding:
    """Records being folded.  At most `held` of them are held back before they are packed away, about."""

    def __init__(self, bounds: Bounds, packing: Packing, held: int = _MOST_HELD) -> None:
        self._packing = packing
        self._scratch = Ledger(bounds)
        self._runs = Runs(bounds, packing)
        self._callers: dict[_Fingerprint, _Met] = {}
        # Of all that records have in common: their stamps.  Records that may tell more are looked at each time.
        self._stamps: dict[_Fingerprint, list[str]] = {}
        self._telling: dict[_Fingerprint, list[str]] = {}
        self._passed: dict[Skipped, list[str]] = {}  # stamps of which nothing is kept, by reason, until counted
        self._hours: set[str] = set()  # that are known to be hours
        self._most_held = held
        self._held = 0

    def take(self, records: list[Record]) -> Counter[Skipped]:
        """Fold records; says how many gave nothing, by reason."""
        skipped: Counter[Skipped] = Counter()
        stamps_of, hours = self._stamps.get, self._hours
        for record in records:
            identity, time, event_id = record.identity, record.time, record.event_id
            if (
                identity is None
                or time is None
                or not event_id
                or len(event_id) > _LONGEST_ID
                or record.shared_event_id
                or time[13:] not in RESTS_OF_HOUR
                or (time[:13] not in hours and not self._enter_hour(time))
            ):
                self._held += _weight(_OPEN, _open_texts_of(record))
                outcome = self._scratch.take(record)
            else:
                who = (identity, record.address, record.endpoint, record.endpoint_owner, record.recipient)
                like = hash((who, record.source, record.name, record.agent, record.region, record.error))
                stamps = stamps_of(like)
                if stamps is not None:
                    stamps.append(time + event_id)
                    continue
                met = self._callers.get(hash(who)) or self._meet(record, identity, hash(who))
                outcome = self._take_new_kind(record, identity, time + event_id, met, like)
            if outcome is not None:
                skipped[outcome] += 1
        for reason, stamps in self._passed.items():
            if stamps:
                skipped[reason] += len(stamps)
                stamps.clear()
        self._held += len(records)
        if self._held >= self._most_held:
            self._flush()
        return skipped

    def ledger(self) -> PackedLedger:
        """All that was folded, settled."""
        self._flush()
        self._scratch.settle()
        scratch = self._scratch
        return PackedLedger(scratch.bounds, self._runs, scratch.accounts, scratch.grants, scratch.makings)

    def ledger_in_the_open(self) -> "OpenLedger | PackedLedger":
        """All that was folded, settled; what did not have to be packed away so far is not.

        To be called once, and then nothing is to be folded any more.
        """
        if self._runs.runs:
            return self.ledger()
        scratch = self._scratch
        calls = self._calls()
        parts = {
            arn: msgspec.Raw(encoded(calls.get(arn, []), evidence, scratch.bounds))
            for arn, evidence in scratch.sessions.items()
        }
        scratch.grants.settle(scratch.bounds.grants)
        scratch.makings.settle(scratch.bounds.makings)
        sessions = Open(calls, parts, scratch.bounds)
        return OpenLedger(scratch.bounds, sessions, scratch.accounts, scratch.grants, scratch.makings)

    def _enter_hour(self, time: str) -> bool:
        """True if the time is in the one form of `moment`."""
        if moment(time) != time:
            return False
        self._hours.add(time[:13])
        return True

    def _meet(self, record: Record, identity: Identity, who: _Fingerprint) -> _Met:
        self._scratch.see(record.recipient)
        caller = Skipped.BAD_ADDRESS if is_impossible(record) else caller_of(record, identity)
        self._held += _weight(_CALLER, "" if isinstance(caller, Skipped) else _texts_of(caller))
        met = self._callers[who] = _Met(caller)
        return met

    def _take_new_kind(
        self, record: Record, identity: Identity, stamp: str, met: _Met, like: _Fingerprint
    ) -> Skipped | None:
        """Take a call of a kind that was not seen of its caller, or that may tell more than a call."""
        caller = met.caller
        if record.name in TELLING and caller is not Skipped.BAD_ADDRESS:
            return self._take_telling(record, identity, stamp, met, like)
        if isinstance(caller, Skipped):
            self._stamps[like] = self._passed.setdefault(caller, [])
            self._held += 1
            return caller
        self._stamps[like] = stamps = [stamp]
        self._note_kind(record, met, stamps)
        return None

    def _take_telling(
        self, record: Record, identity: Identity, stamp: str, met: _Met, like: _Fingerprint
    ) -> Skipped | None:
        caller = met.caller
        others, skipped = told_of(record, identity, caller, stamp[:TIME])
        for other in others:
            self._scratch.observe(other)
            self._held += _weight(_OPEN, "") if isinstance(other, Issued) else 0
        if isinstance(caller, Caller):
            stamps = self._telling.get(like)
            if stamps is None:
                stamps = self._telling[like] = []
                self._note_kind(record, met, stamps)
            stamps.append(stamp)
        return skipped

    def _note_kind(self, record: Record, met: _Met, stamps: list[str]) -> None:
        call, region, agent, error = call_of(record), record.region or "", record.agent or "", record.error or ""
        met.kinds.append(Alike(call, region, agent, error, stamps))
        self._held += _weight(_KIND, call + region + agent + error)

    def _flush(self) -> None:
        """Pack away what was noted of sessions."""
        run = run_of(self._entries(), self._packing)
        if run.blocks:
            self._runs.add(run)
        for noted in (self._callers, self._stamps, self._telling, self._passed, self._hours, self._scratch.sessions):
            noted.clear()
        self._held = 0

    def _calls(self) -> dict[str, list[Calls]]:
        """By ARN, what was noted of sessions."""
        by_arn: dict[str, list[Calls]] = {}
        for stamps in (*self._stamps.values(), *self._telling.values()):
            stamps.sort()
        for met in self._callers.values():
            if met.kinds and isinstance(met.caller, Caller):
                by_arn.setdefault(met.caller.session.arn, []).append(Calls(met.caller, met.kinds))
        return by_arn

    def _entries(self) -> Iterator[tuple[str, bytes]]:
        by_arn = self._calls()
        sessions = self._scratch.sessions
        for arn in sorted(by_arn.keys() | sessions.keys()):
            yield arn, encoded(by_arn.get(arn, []), sessions.get(arn), self._scratch.bounds)
