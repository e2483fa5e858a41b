"""What a drill put into the logs, and until when it counts: afterwards it is thrown away, whenever it comes."""

from collections.abc import ItemsView, Iterator, Mapping, Set

import msgspec
from sqlalchemy import Connection

from straykey.core.evidence import Bounds, Evidence
from straykey.core.fact import Facts
from straykey.core.grant import Grant
from straykey.core.ledger import Settled
from straykey.core.making import Made
from straykey.core.session import parse_session
from straykey.sim.drill import ACCOUNT, NAME
from straykey.stores import progress

_PLACE = "drill"


class Rehearsal(msgspec.Struct, frozen=True):
    """The session that is stolen from in the drill that is going on, and when it is given up."""

    arn: str
    until: str


def begin(connection: Connection, rehearsal: Rehearsal) -> None:
    progress.put_position(connection, _PLACE, msgspec.json.encode(rehearsal).decode())


def end(connection: Connection) -> None:
    progress.put_position(connection, _PLACE, "")


def current(connection: Connection, now: str) -> str:
    """The session of the drill that is going on; empty if none is."""
    position = progress.position_of(connection, _PLACE)
    rehearsal = msgspec.json.decode(position, type=Rehearsal) if position else None
    return rehearsal.arn if rehearsal and now < rehearsal.until else ""


def is_drilled(arn: str) -> bool:
    """True for a session that only drills have."""
    session = parse_session(arn)
    return session is not None and session.account == ACCOUNT and session.role == NAME


class WithoutOldDrills(msgspec.Struct, frozen=True):
    """A ledger but for what is left of drills other than `going_on`.

    A message of a drill that was given up may lie in a queue for days: nobody is to be woken by it then.
    """

    whole: Settled
    going_on: str

    @property
    def bounds(self) -> Bounds:
        return self.whole.bounds

    @property
    def sessions(self) -> Mapping[str, Evidence]:
        return _Sifted(self.whole.sessions, self.going_on)

    @property
    def accounts(self) -> Set[str]:
        return self.whole.accounts if self.going_on else self.whole.accounts - {ACCOUNT}

    @property
    def grants(self) -> Facts[Grant]:
        return self.whole.grants

    @property
    def makings(self) -> Facts[Made]:
        return self.whole.makings


class _Sifted(Mapping[str, Evidence]):
    def __init__(self, whole: Mapping[str, Evidence], going_on: str) -> None:
        self._whole, self._going_on = whole, going_on

    def _is_in(self, arn: str) -> bool:
        return arn == self._going_on or not is_drilled(arn)

    def __getitem__(self, arn: str) -> Evidence:
        if not self._is_in(arn):
            raise KeyError(arn)
        return self._whole[arn]

    def __iter__(self) -> Iterator[str]:
        return filter(self._is_in, self._whole)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def items(self) -> ItemsView[str, Evidence]:
        return _Items(self)

    def read(self) -> Iterator[tuple[str, Evidence]]:
        return ((arn, evidence) for arn, evidence in self._whole.items() if self._is_in(arn))


class _Items(ItemsView[str, Evidence]):
    _mapping: _Sifted

    def __iter__(self) -> Iterator[tuple[str, Evidence]]:
        return self._mapping.read()
