"""What the thief made with stolen keys, which goes on without them: what it did, and what is known to be over.

No policy on the robbed role stops any of it, so that the stolen keys are refused says nothing of it.  It is over when
it was deleted, or when no session that was made so lives any longer.  Any order of reading comes to the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from straykey.contain.theft import Created, Theft
from straykey.core.moment import later
from straykey.core.payload import Payload, member, payload_of, text
from straykey.core.pivot import user_key
from straykey.core.record import Record
from straykey.core.sample import trim
from straykey.formats.text import bounded

# The longest that AWS grants, in seconds: nobody keeps what was asked for.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
_LONGEST = {
    "AssumeRole": 12 * 3600,
    "AssumeRoleWithSAML": 12 * 3600,
    "AssumeRoleWithWebIdentity": 12 * 3600,
    "AssumeRoot": 15 * 60,
    "GetFederationToken": 36 * 3600,
    "GetSessionToken": 36 * 3600,
}
_SESSIONS = (":assumed-role/", ":federated-user/")
_IAM = "iam.amazonaws.com"
_TURNING = frozenset({"DeleteAccessKey", "UpdateAccessKey", "DeleteUser", "CreateUser"})
_KINDS = 512  # of calls of each that are kept
_SHOWN = 120
_NAMED = 5


class Offshoot(msgspec.Struct, frozen=True):
    """One key, session or user that the thief made, by its key if that is known, else by its ARN.

    `arn`: whose calls are all his, empty for a key of a user who may be somebody else.  `ends`: by then it is over;
    empty if it stays.  `did`: what is known to have succeeded before it was contained, as `s3:ListBuckets`.  `is_used`:
    so did something, be it with another key of the same user.
    """

    access_key: str = ""
    arn: str = ""
    ends: str = ""
    did: frozenset[str] = frozenset()
    is_used: bool = False

    @property
    def name(self) -> str:
        return self.access_key or self.arn


def offshoots_of(theft: Theft, before: str) -> tuple[Offshoot, ...]:
    """All that a theft tells of, and what it did before that time."""
    made = {one.name: one for one in sorted(map(_offshoot, theft.created), key=_order)}
    own = Offshoots(one for name, one in made.items() if name not in {"", theft.workload.arn})
    for heir in theft.heirs:
        for called in heir.calls:
            if not called.error and called.time < before:
                own.note_did(heir.arn, called.access_key, called.call)
    return own.known()


def _order(one: Offshoot) -> tuple[bool, str]:
    """Of two by one name the one that lasts longer is the later."""
    return not one.ends, one.ends


def _offshoot(made: Created) -> Offshoot:
    seconds = _LONGEST.get(made.call.rpartition(":")[2])
    is_own = not made.access_key or any(kind in made.made for kind in _SESSIONS)
    is_named = is_own and made.made.startswith("arn:")
    return Offshoot(made.access_key, made.made if is_named else "", later(made.time, seconds) if seconds else "")


class Offshoots:
    """What was made, and what records tell of it since."""

    def __init__(self, made: Iterable[Offshoot]) -> None:
        self._made = {one.name: one for one in made}
        self._did = {name: {call: call for call in one.did} for name, one in self._made.items()}
        self._by_arn: defaultdict[str, set[str]] = defaultdict(set)
        for name, one in self._made.items():
            if one.arn:
                self._by_arn[user_key(one.arn)].add(name)
        self._used = {name for name, one in self._made.items() if one.is_used}
        self._turned: dict[str, tuple[str, bool]] = {}  # by name: when it was last switched, and whether on

    def known(self) -> tuple[Offshoot, ...]:
        return tuple(
            replace(self._made[name], did=frozenset(did), is_used=self.is_used(name))
            for name, did in sorted(self._did.items())
        )

    def is_made(self, arn: str, access_key: str) -> bool:
        """True for a caller that is the thief, wherever he calls from."""
        return access_key in self._made or user_key(arn) in self._by_arn

    def names(self, arn: str, access_key: str) -> frozenset[str]:
        """Which of them a call may be of: several, if nobody says with which key a session called."""
        if access_key in self._made:
            return frozenset({access_key})
        alike = self._by_arn.get(user_key(arn), set())
        return frozenset(name for name in alike if not access_key or not self._made[name].access_key)

    def bearers(self, arn: str) -> frozenset[str]:
        """The users among them that are called so: one that is used with whatever key is used."""
        alike = self._by_arn.get(user_key(arn), set())
        return frozenset(name for name in alike if not self._made[name].access_key)

    def is_used(self, name: str) -> bool:
        return name in self._used or bool(self._did[name])

    def note_did(self, arn: str, access_key: str, call: str) -> None:
        self._used |= self.bearers(arn)
        for name in self.names(arn, access_key):
            self._did[name][call] = call
            trim(self._did[name], _KINDS)

    def did(self, name: str) -> Collection[str]:
        """What succeeded before: the service and the API, as `short` has it."""
        return self._did[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._made))

    def take(self, record: Record, time: str) -> None:
        """Note what takes away, or gives back, something that was made."""
        turning = record.name if record.source == _IAM and not record.error else None
        payload = payload_of(record) if turning in _TURNING else None
        if turning is None or not isinstance(payload, Payload):
            return
        name = text(member(payload.request, "accessKeyId"))
        is_on = turning == "CreateUser" or text(member(payload.request, "status")).lower() == "active"
        if turning.endswith("User"):
            user = f":{record.recipient or ''}:user/{text(member(payload.request, 'userName'))}".lower()
            names = {one for arn in self._by_arn if arn.partition(":iam:")[2] == user for one in self._by_arn[arn]}
        else:
            names = {name} & self._made.keys()
        for one in names:
            self._turned[one] = max((time, is_on), self._turned.get(one, (time, is_on)))

    def over_since(self, name: str, newest: str) -> str:
        """From when on it can do nothing any more; empty if it may, by a record made at `newest`."""
        time, is_on = self._turned.get(name, ("", True))
        ends = self._made[name].ends
        expired = ends if ends and ends <= newest else ""
        stopped = "" if is_on else time
        return min(filter(None, (stopped, expired)), default="")


def alive(names: Sequence[str]) -> str:
    """What is to be done about those that still work, harmless to show."""
    shown = ", ".join(bounded(name, _SHOWN) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (
        "Not known to be over or denied, though it worked before, is what the thief made with the stolen keys: "
        f"{shown}{more}. Apply pin-everywhere, which denies sessions; delete keys and users."
    )
