"""Is the thief locked out, and does the workload still work?  Read off the records made since.

That a policy is there proves nothing, nor does GetCallerIdentity, which no policy denies, nor any refusal: a thief is
refused much that the role may not do.  A proof is a call of a kind that had succeeded, by a key of the thief's own or
from where only he was, that is refused by an explicit deny in a policy of ours.  And each key of his that was let
through since, from each place, must have a later proof of its own.  Any order of reading, and reading again, comes to
the same.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from collections.abc import Iterable
from enum import Enum, StrEnum

import msgspec

from straykey.contain.called import short
from straykey.core.moment import moment
from straykey.core.network import LOCKABLE
from straykey.core.observation import Caller, Event, caller_of, event_of, is_impossible
from straykey.core.pivot import user_key
from straykey.core.reasons import is_denied
from straykey.core.record import Record
from straykey.core.sample import trim

_EXPLICIT = ("explicit deny in an identity-based policy", "explicit deny in a permissions boundary")
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


class Watched(msgspec.Struct, frozen=True):
    """`homes` and `strays` are keys of networks; `stolen` are access keys that only the thief used.

    `heirs` are access keys that he made, `made` ARNs of users and sessions; `since`: when it was contained.
    `thief_did`, `workload_did`: what is known to have succeeded before that, as `s3:ListBuckets`.
    """

    session: str
    homes: frozenset[str]
    strays: frozenset[str]
    stolen: frozenset[str]
    heirs: frozenset[str]
    made: frozenset[str]
    since: str
    thief_did: frozenset[str] = frozenset()
    workload_did: frozenset[str] = frozenset()


class _Hand(Enum):
    THIEF = "the thief"
    WORKLOAD = "the workload"
    UNSURE = "from a network nobody knows, with a key of the workload"


class Calls(msgspec.Struct):
    """Of one key from one network, since: the last that was let through, and by call the last that proves.

    What fails of another reason than permissions was let through all the same.
    """

    let_through: Event | None = None
    denied: dict[str, Event] = {}


class Outcome(StrEnum):
    """What the records say of the thief."""

    CONTAINED = "contained"
    NOT_CONTAINED = "not contained"
    UNPROVEN = "not proven"


class Verified(msgspec.Struct, frozen=True):
    """`why` is one sentence.  `broken`: calls of the workload that our policy refuses since; `unsure`: those that it
    refuses from networks nobody knows, with keys of the workload's: its own new address, perhaps."""

    outcome: Outcome
    why: str
    broken: tuple[Event, ...]
    unsure: tuple[Event, ...]
    newest: str


class Verification:
    """What records show since a theft was contained."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._calls: dict[_Hand, dict[str, Calls]] = {hand: {} for hand in _Hand}
        thiefs, workloads = ({name: name for name in did} for did in (watched.thief_did, watched.workload_did))
        self._did = {_Hand.THIEF: thiefs, _Hand.WORKLOAD: workloads, _Hand.UNSURE: workloads}
        self._made = frozenset(map(user_key, watched.made))
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
        if identity is None or is_impossible(record):
            return
        caller = caller_of(record, identity)
        if not isinstance(caller, Caller):
            return
        event = event_of(record, time, caller.access_key)
        hand = self._whose(caller)
        if hand is not None and event.call != _PROVES_NOTHING and event.error not in _BESIDE_THE_POINT:
            self._note(hand, caller, event, record.message or "")

    def _whose(self, caller: Caller) -> _Hand | None:
        watched, network = self._watched, caller.network
        if caller.access_key in watched.heirs or user_key(caller.session.arn) in self._made:
            return _Hand.THIEF
        if caller.session.arn != watched.session:
            return None
        if network.lane not in LOCKABLE or network.key in watched.homes:
            return _Hand.WORKLOAD
        is_his = network.key in watched.strays or caller.access_key in watched.stolen
        return _Hand.THIEF if is_his else _Hand.UNSURE

    def _note(self, hand: _Hand, caller: Caller, event: Event, message: str) -> None:
        if event.time < self._watched.since:
            if not event.error:
                self._did[hand][short(event.call)] = short(event.call)
                trim(self._did[hand], _KINDS)
            return
        there = self._calls[hand]
        calls = there.setdefault(f"{caller.access_key} {caller.network.key}", Calls())
        if not is_denied(event.error):
            calls.let_through = max(event, calls.let_through or event)
        elif any(text in message for text in _EXPLICIT):
            calls.denied[event.call] = max(event, calls.denied.get(event.call, event))
            trim(calls.denied, _KINDS)
        if len(there) > _PLACES:
            trim(there, _PLACES)
            self._is_crowded = True

    def _proofs(self, hand: _Hand, calls: Calls) -> list[Event]:
        """Refused calls of kinds that had succeeded before."""
        return [event for call, event in calls.denied.items() if short(call) in self._did[hand]]

    def verified(self) -> Verified:
        outcome, why = self._judged()
        broken, unsure = (
            tuple(sorted({event for one in self._calls[hand].values() for event in self._proofs(hand, one)}))
            for hand in (_Hand.WORKLOAD, _Hand.UNSURE)
        )
        return Verified(outcome, why, broken, unsure, self._newest)

    def _judged(self) -> tuple[Outcome, str]:
        his = self._calls[_Hand.THIEF].values()
        proofs = {id(calls): max(self._proofs(_Hand.THIEF, calls), default=None) for calls in his}
        going_on = [calls.let_through for calls in his if calls.let_through and not _is_over(calls, proofs[id(calls)])]
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
        if found is None or self._is_crowded:
            return Outcome.UNPROVEN, self._nothing_proves()
        return Outcome.CONTAINED, (
            f"{found.call} of the stolen keys was refused by an explicit deny at {found.time}; nothing of the thief's "
            "was let through after the like."
        )

    def _nothing_proves(self) -> str:
        if not self._calls[_Hand.THIEF]:
            return "The stolen keys were not used since; logs come 5 to 15 minutes late."
        return (
            "The stolen keys were refused, but no record says by an explicit deny in our policy, of a call that had "
            "succeeded before."
        )


def _is_over(calls: Calls, proof: Event | None) -> bool:
    return proof is not None and calls.let_through is not None and calls.let_through.time < proof.time


def _let_through(event: Event) -> str:
    return (
        f"{event.call} of the thief's was let through at {event.time}, with key {event.access_key or 'unknown'}; "
        "it may take minutes until IAM knows a new policy everywhere."
    )
