"""Is the thief locked out, and does the workload still work?  Read off the records made since.

That a policy is there proves nothing, nor does GetCallerIdentity, which no policy denies.  Only a refused call of the
stolen keys tells, of a kind that succeeded before, with no success after it.  Any order of reading, and reading again,
comes to the same.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from straykey.contain.called import short
from straykey.core.moment import moment
from straykey.core.network import LOCKABLE
from straykey.core.observation import Caller, Event, caller_of, event_of, is_impossible
from straykey.core.record import Record
from straykey.core.sample import trim

_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "Client.UnauthorizedOperation", "UnauthorizedOperation"},
)
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


class Watched(msgspec.Struct, frozen=True):
    """`homes` are keys of networks; `heirs` are access keys that the thief made; `since`: when it was contained.

    `thief_did`, `workload_did`: what is known to have succeeded before that, as `s3:ListBuckets`.
    """

    session: str
    homes: frozenset[str]
    heirs: frozenset[str]
    since: str
    thief_did: frozenset[str] = frozenset()
    workload_did: frozenset[str] = frozenset()


class Calls(msgspec.Struct):
    """By call: the last that was refused since, and those that succeeded before; and the last let through since.

    What fails of another reason was let through all the same.
    """

    denied: dict[str, Event] = {}
    before: dict[str, str] = {}
    let_through: Event | None = None

    def note(self, event: Event, *, is_before: bool) -> None:
        if event.error in _BESIDE_THE_POINT:
            return
        if event.error in _DENIED:
            if not is_before:
                self.denied[event.call] = max(event, self.denied.get(event.call, event))
                trim(self.denied, _KINDS)
        elif not is_before:
            self.let_through = max(event, self.let_through or event)
        elif not event.error:
            name = short(event.call)
            self.before[name] = name
            trim(self.before, _KINDS)

    @property
    def proof(self) -> list[Event]:
        """Refused calls of kinds that had succeeded before, the latest first."""
        return sorted((event for call, event in self.denied.items() if short(call) in self.before), reverse=True)


class Outcome(StrEnum):
    """What the records say of the thief."""

    CONTAINED = "contained"
    NOT_CONTAINED = "not contained"
    UNPROVEN = "not proven"


class Verified(msgspec.Struct, frozen=True):
    """`why` is one sentence.  `broken`: calls of the workload that are refused since, and were not before."""

    outcome: Outcome
    why: str
    broken: tuple[Event, ...]
    newest: str


class Verification:
    """What records show since a theft was contained."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self.thief = Calls(before={name: name for name in watched.thief_did})
        self.workload = Calls(before={name: name for name in watched.workload_did})
        self.newest = ""

    def take(self, records: Iterable[Record]) -> None:
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        time, identity = moment(record.time), record.identity
        if time is None:
            return
        self.newest = max(self.newest, time)
        if identity is None or is_impossible(record):
            return
        caller = caller_of(record, identity)
        if not isinstance(caller, Caller):
            return
        event = event_of(record, time, caller.access_key)
        if event.call != _PROVES_NOTHING and (calls := self._whose(caller)) is not None:
            calls.note(event, is_before=time < self._watched.since)

    def _whose(self, caller: Caller) -> Calls | None:
        watched = self._watched
        if caller.access_key in watched.heirs:
            return self.thief
        if caller.session.arn != watched.session:
            return None
        is_away = caller.network.lane in LOCKABLE and caller.network.key not in watched.homes
        return self.thief if is_away else self.workload

    def verified(self) -> Verified:
        outcome, why = _judged(self.thief)
        return Verified(outcome, why, tuple(self.workload.proof), self.newest)


def _judged(thief: Calls) -> tuple[Outcome, str]:
    success, proof = thief.let_through, thief.proof
    if proof and (success is None or success.time < proof[0].time):
        call, time = proof[0].call, proof[0].time
        return (
            Outcome.CONTAINED,
            f"{call} of the stolen keys was refused at {time}; nothing was let through after that.",
        )
    if success is not None:
        return Outcome.NOT_CONTAINED, (
            f"{success.call} of the stolen keys was let through at {success.time}; "
            "it may take minutes until IAM knows a new policy everywhere."
        )
    if thief.denied:
        last = max(thief.denied.values())
        return Outcome.UNPROVEN, (
            f"{last.call} of the stolen keys was refused at {last.time}, but was never seen to succeed before."
        )
    return Outcome.UNPROVEN, "The stolen keys were not used since; logs come 5 to 15 minutes late."
