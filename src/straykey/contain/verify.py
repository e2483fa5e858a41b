"""Is the thief locked out, and do the workload and its sisters still work?  Read off the records made since.

That a policy is there proves nothing, nor does GetCallerIdentity, which no policy denies, nor any refusal: a thief is
refused much that the role may not do.  A proof is a call of a kind that had succeeded, by a key of the thief's own or
from where only he was, that is refused by an explicit deny in a policy of ours.  And each key of his that was let
through since, from each place, must have a later proof of its own.  So must each key that he made and that had worked
before, unless it is over.  Any order of reading, and reading again, comes to the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, StrEnum

import msgspec

from straykey.contain.called import short
from straykey.contain.denial import Refusal, refusal_of
from straykey.contain.offshoot import Offshoot, Offshoots, alive
from straykey.core.moment import moment
from straykey.core.network import LOCKABLE, Lane
from straykey.core.observation import Caller, Event, caller_of, event_of, is_impossible
from straykey.core.reasons import is_denied
from straykey.core.record import Record
from straykey.core.sample import Events, trim
from straykey.core.session import parse_session

# The key is over, or the call was not understood as its: nothing about policies follows.
_BESIDE_THE_POINT = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "ThrottlingException",
        "Throttling",
        "RequestLimitExceeded",
        "Client.RequestLimitExceeded",
    }
)
_PROVES_NOTHING = "sts.amazonaws.com:GetCallerIdentity"
_KINDS = 512  # of calls that are kept
_PLACES = 4_096  # keys and networks of one hand that are kept
_COUNTED = 1_024  # refusals of the thief's, of each sort, that are counted exactly


class Watched(msgspec.Struct, frozen=True):
    """`homes` and `strays` are keys of networks; `stolen` are access keys that only the thief used.

    `copies`: what the workload's session is called once its role was swapped for a copy.  `made`: keys, users and
    sessions that the thief made; `since`: when it was contained.  What is known to have succeeded before that, as
    `s3:ListBuckets`: `thief_did`, `workload_did`, and by their ARNs `sisters_did`, of other sessions with the role.
    `thief_used`: from where and with which key, each as `used` has it.
    """

    session: str
    homes: frozenset[str]
    strays: frozenset[str]
    stolen: frozenset[str]
    made: tuple[Offshoot, ...]
    since: str
    thief_did: frozenset[str] = frozenset()
    workload_did: frozenset[str] = frozenset()
    copies: frozenset[str] = frozenset()
    sisters_did: Mapping[str, frozenset[str]] = {}
    thief_used: frozenset[str] = frozenset()


def used(arn: str, access_key: str, network: str, call: str) -> str:
    """A call as one name: who made it, with which key, from where; `call` is as `short` has it."""
    return f"{arn} {access_key} {network} {call}"


class _Hand(Enum):
    THIEF = "the thief"
    WORKLOAD = "the workload"
    SISTER = "another session of the role"
    UNSURE = "from a network nobody knows, with a key of the workload"


class Calls(msgspec.Struct):
    """Of one key of one session from one network, since: the last that was let through, and the last of each call that
    was refused.

    What fails of another reason than permissions was let through all the same.  `made`: of which of the things that the
    thief made they are.  `is_home`: from where the workload was seen, or from an endpoint of its account.
    """

    session: str
    made: frozenset[str] = frozenset()
    is_home: bool = False
    let_through: Event | None = None
    refused: dict[Refusal, dict[str, Event]] = {}

    def refusals(self, *sorts: Refusal) -> list[Event]:
        return [event for sort in sorts for event in self.refused.get(sort, {}).values()]


class Outcome(StrEnum):
    """What the records say of the thief."""

    CONTAINED = "contained"
    NOT_CONTAINED = "not contained"
    UNPROVEN = "not proven"


class Victim(StrEnum):
    """Whose calls are refused that should not be."""

    WORKLOAD = "workload"
    COPY = "copy"  # the workload, with the copy of its role
    SISTER = "sister"  # another session of the role


class Broken(msgspec.Struct, frozen=True, order=True):
    """The last of one kind of call, from one place, that is refused since; `session` is an ARN.

    `had_succeeded`: as far as the records tell; of one that had not, something else may be the cause.
    """

    event: Event
    session: str
    victim: Victim
    had_succeeded: bool = True


class Verified(msgspec.Struct, frozen=True):
    """`why` is a sentence or two.  `is_likely`: not proven, but nothing that was let through before is now.

    `broken`: calls that are refused since by an explicit deny: all of the workload's, its sisters' as far as they had
    succeeded; by a copy of the role, all that it had done and is refused.  `unsure`: those that are refused from
    networks nobody knows, with keys of the workload's: its own new address, perhaps.  Of what the thief made, by key
    or ARN: `live` worked before and is not known to be over or denied; of `open` no call that succeeded is known.
    """

    outcome: Outcome
    why: str
    broken: tuple[Broken, ...]
    unsure: tuple[Event, ...]
    newest: str
    is_likely: bool = False
    live: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class Verification:
    """What records show since a theft was contained."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._calls: dict[_Hand, dict[str, Calls]] = {hand: {} for hand in _Hand}
        thiefs, workloads = ({name: name for name in did} for did in (watched.thief_did, watched.workload_did))
        self._did = {_Hand.THIEF: thiefs, _Hand.WORKLOAD: workloads, _Hand.UNSURE: workloads}
        self._sisters = {arn: {name: name for name in did} for arn, did in watched.sisters_did.items()}
        self._used = {name: name for name in watched.thief_used}
        self._refusals = {refusal: Events() for refusal in Refusal}
        robbed = parse_session(watched.session)
        self._role = (robbed.account, robbed.role) if robbed else None
        self._made = Offshoots(watched.made)
        self._is_crowded = False
        self._newest = ""

    def take(self, records: Iterable[Record]) -> None:
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        time, identity = moment(record.time), record.identity
        if time is None:
            return
        self._newest = max(self._newest, time)
        self._made.take(record, time)
        if identity is None or is_impossible(record):
            return
        caller = caller_of(record, identity)
        if not isinstance(caller, Caller):
            return
        event = event_of(record, time, caller.access_key)
        hand = self._whose(caller)
        if hand is _Hand.THIEF and event.time < self._watched.since and not event.error:
            self._made.note_did(caller.session.arn, caller.access_key, short(event.call))
        if hand is None or event.call == _PROVES_NOTHING or event.error in _BESIDE_THE_POINT:
            return
        if event.time < self._watched.since:
            self._note_before(hand, caller, event)
        else:
            self._note_since(hand, caller, event, record.message or "")

    def _whose(self, caller: Caller) -> _Hand | None:
        watched, network, session = self._watched, caller.network, caller.session
        if self._made.is_made(session.arn, caller.access_key):
            return _Hand.THIEF
        if session.arn != watched.session and session.arn not in watched.copies:
            is_sister = (session.account, session.role) == self._role and network.key not in watched.strays
            return _Hand.SISTER if is_sister else None
        if network.lane not in LOCKABLE or network.key in watched.homes:
            return _Hand.WORKLOAD
        # The metadata service hands everybody the same key: one that only the thief used may be the workload's next.
        is_his = network.key in watched.strays or (caller.access_key in watched.stolen and not _is_own_endpoint(caller))
        return _Hand.THIEF if is_his else _Hand.UNSURE

    def _note_before(self, hand: _Hand, caller: Caller, event: Event) -> None:
        if event.error:
            return
        call, arn = short(event.call), caller.session.arn
        did = self._sisters.setdefault(arn, {}) if hand is _Hand.SISTER else self._did[hand]
        did[call] = call
        trim(did, _KINDS)
        trim(self._sisters, _PLACES)
        if hand is _Hand.THIEF:
            name = used(arn, event.access_key, caller.network.key, call)
            self._used[name] = name
            trim(self._used, _PLACES)

    def _note_since(self, hand: _Hand, caller: Caller, event: Event, message: str) -> None:
        is_refused = is_denied(event.error)
        if hand is _Hand.SISTER and not is_refused:
            return
        there, arn = self._calls[hand], caller.session.arn
        made = self._made.names(arn, caller.access_key) if hand is _Hand.THIEF else frozenset()
        calls = there.setdefault(f"{arn} {caller.access_key} {caller.network.key}", Calls(arn, made))
        calls.is_home |= caller.network.key in self._watched.homes or _is_own_endpoint(caller)
        if is_refused:
            refusal = refusal_of(message)
            by_call = calls.refused.setdefault(refusal, {})
            by_call[event.call] = max(event, by_call.get(event.call, event))
            trim(by_call, _KINDS)
            if hand is _Hand.THIEF:
                self._refusals[refusal].add(event.event_id, event, _COUNTED)
        else:
            calls.let_through = max(event, calls.let_through or event)
        if len(there) > _PLACES:
            trim(there, _PLACES)
            self._is_crowded |= hand in (_Hand.THIEF, _Hand.UNSURE)

    def _proofs(self, hand: _Hand, calls: Calls) -> list[Event]:
        """Refused calls of kinds that had succeeded before."""
        return [event for event in calls.refusals(Refusal.OURS) if short(event.call) in self._did[hand]]

    def verified(self) -> Verified:
        outcome, why = self._judged()
        live = self._live(Refusal.OURS)
        if live and outcome is not Outcome.NOT_CONTAINED:
            outcome, why = Outcome.UNPROVEN, f"{why} {alive(live)}"
        refused = self._refused_workload()
        return Verified(
            outcome,
            why,
            tuple(sorted({*(one for one, is_sure in refused if is_sure), *self._broken_sisters()})),
            tuple(sorted({one.event for one, is_sure in refused if not is_sure})),
            self._newest,
            is_likely=outcome is Outcome.UNPROVEN and self._likely() is not None,
            live=live,
            open=self._open(),
        )

    def _refused_workload(self) -> list[tuple[Broken, bool]]:
        """What the workload is refused by our policy, and whether it surely is the workload.

        A call that was never recorded counts too: not all that a workload does was in the logs before.  A copy of a
        role is refused where others name the old one, and then no Deny of ours is why.
        """
        found, did = [], self._did[_Hand.WORKLOAD]
        for hand in (_Hand.WORKLOAD, _Hand.UNSURE):
            for calls in self._calls[hand].values():
                is_copy = calls.session in self._watched.copies
                victim = Victim.COPY if is_copy else Victim.WORKLOAD
                is_known = hand is _Hand.WORKLOAD
                for event in calls.refusals(*Refusal) if is_copy and is_known else calls.refusals(Refusal.OURS):
                    had_succeeded = short(event.call) in did
                    if not is_copy or had_succeeded:
                        is_sure = calls.is_home or (is_known and had_succeeded)
                        found.append((Broken(event, calls.session, victim, had_succeeded), is_sure))
        return found

    def _broken_sisters(self) -> Iterator[Broken]:
        """Of one that nobody saw before, what any session of the role had done stands for what it did."""
        every = {call for did in (self._did[_Hand.WORKLOAD], *self._sisters.values()) for call in did}
        for calls in self._calls[_Hand.SISTER].values():
            did = self._sisters.get(calls.session, every)
            for event in calls.refusals(Refusal.OURS):
                if short(event.call) in did:
                    yield Broken(event, calls.session, Victim.SISTER)

    def _judged(self) -> tuple[Outcome, str]:
        his = self._calls[_Hand.THIEF].values()
        proofs = {id(calls): max(self._proofs(_Hand.THIEF, calls), default=None) for calls in his}
        going_on = [one.let_through for one in his if one.let_through and not self._is_over(one, proofs[id(one)])]
        if going_on:
            return Outcome.NOT_CONTAINED, _let_through(max(going_on))
        strange = [one.let_through for one in self._calls[_Hand.UNSURE].values() if one.let_through]
        found = max((proof for proof in proofs.values() if proof), default=None)
        if strange:
            last = max(strange)
            return Outcome.UNPROVEN, (
                f"{last.call} was let through at {last.time} from a network that nobody knows: "
                "the thief's, or a new one of the workload?"
            )
        if self._is_crowded:
            return Outcome.UNPROVEN, "The stolen keys were used from too many places to keep all of them apart."
        if found is None:
            return Outcome.UNPROVEN, self._nothing_proves()
        return Outcome.CONTAINED, (
            f"{found.call} of the stolen keys was refused by an explicit deny at {found.time}; nothing of the thief's "
            "was let through after the like."
        )

    def _is_over(self, calls: Calls, proof: Event | None) -> bool:
        ends = [self._made.over_since(one, self._newest) for one in calls.made]
        over = max(proof.time if proof else "", min(ends, default=""))
        return calls.let_through is not None and calls.let_through.time < over

    def _live(self, *proving: Refusal) -> tuple[str, ...]:
        """What he made that had worked before, is not over, and of which no call that had succeeded is refused so."""
        refused = {
            name
            for calls in self._calls[_Hand.THIEF].values()
            for event in calls.refusals(*proving)
            for name in calls.made
            if short(event.call) in self._made.did(name)
        }
        return tuple(one for one in self._left() if self._made.did(one) and one not in refused)

    def _open(self) -> tuple[str, ...]:
        """What he made that is not over, and that never got anything done or was denied it."""
        used = {
            name
            for calls in self._calls[_Hand.THIEF].values()
            if calls.let_through or calls.refusals(Refusal.OURS)
            for name in calls.made | self._made.bearers(calls.session)
        }
        return tuple(one for one in self._left() if not self._made.is_used(one) and one not in used)

    def _left(self) -> list[str]:
        return [one for one in self._made if not self._made.over_since(one, self._newest)]

    def _likely(self) -> Event | None:
        """Where nobody says why: a call that was let through before with the same key from the same place.

        None if any call of the thief's may have been let through since.
        """
        his = self._calls[_Hand.THIEF]
        through = [*his.values(), *self._calls[_Hand.UNSURE].values()]
        if self._is_crowded or any(calls.let_through for calls in through) or self._live(Refusal.OURS, Refusal.SILENT):
            return None
        silent = (
            event
            for place, calls in his.items()
            for event in calls.refusals(Refusal.SILENT)
            if event.access_key and f"{place} {short(event.call)}" in self._used
        )
        return max(silent, default=None)

    def _nothing_proves(self) -> str:
        counts = {refusal: _counted(events) for refusal, events in self._refusals.items() if events.kept}
        if not counts:
            return "The stolen keys were not used since; logs come 5 to 15 minutes late."
        if likely := self._likely():
            return (
                f"Likely all the same: {likely.call}, which the same key had done from the same place, was refused at "
                f"{likely.time}, and nothing of the thief's was let through since. {_told(counts)}"
            )
        return _told(counts)


_UNPROVING = {
    Refusal.OURS: "by an explicit deny, of calls that are not known to have succeeded before",
    Refusal.OTHERS: "by policies of another kind, or because none allows it",
    Refusal.SILENT: "where the service does not say by which policy",
}


def _counted(events: Events) -> str:
    events.settle(_COUNTED)
    count = events.count(_COUNTED)
    return f"{'about ' if events.overflowed else ''}{count} refusal{'' if count == 1 else 's'}"


def _told(counts: Mapping[Refusal, str]) -> str:
    if counts.keys() == {Refusal.SILENT}:
        return f"The stolen keys were refused, but the service does not say by which policy: {counts[Refusal.SILENT]}."
    listed = "; ".join(f"{count} {_UNPROVING[refusal]}" for refusal, count in counts.items())
    return f"The stolen keys were refused, and none of it proves that what was applied is why: {listed}."


def _is_own_endpoint(caller: Caller) -> bool:
    network = caller.network
    return network.lane is Lane.ENDPOINT and network.endpoint_owner == caller.session.account


def _let_through(event: Event) -> str:
    return (
        f"{event.call} of the thief's was let through at {event.time}, with key {event.access_key or 'unknown'}; "
        "it may take minutes until IAM knows a new policy everywhere."
    )
