"""Sessions that bear an instance's id and are no instance's.

Whoever may assume a role may choose the session's name.  Rightly named after an instance is what EC2 assumed for it,
what Systems Manager assumed for its host, and what the instance of that very name assumed itself.
"""

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from straykey.core.evidence import Evidence
from straykey.core.making import Made
from straykey.core.observation import Issuance
from straykey.core.pivot import Makings
from straykey.core.session import Session, is_instance_id, parse_session
from straykey.core.workload import may_name_instances

_NAMING = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})


class Masquerade(msgspec.Struct, frozen=True):
    """A session name that was taken, by whom, and the keys that came of it."""

    session: Session
    by: str
    makings: tuple[Made, ...]
    issuances: tuple[Issuance, ...]

    @property
    def access_keys(self) -> frozenset[str]:
        keys = {one.access_key for one in self.makings} | {one.access_key for one in self.issuances}
        return frozenset(keys - {""})


class Masquerades:
    """Filled session by session, then asked; `ours` are accounts whose instances may use their own names."""

    def __init__(self, all_made: Makings, ours: frozenset[str]) -> None:
        self._makings: dict[tuple[Session, str], list[Made]] = defaultdict(list)
        self._issuances: dict[tuple[Session, str], list[Issuance]] = defaultdict(list)
        for made in all_made:
            session = parse_session(made.made)
            if session is not None and _is_spoof(made, session, ours):
                self._makings[session, made.maker].append(made)

    def note(self, session: Session, issuances: Iterable[Issuance]) -> None:
        """Note what is `strange_issuances` of a session."""
        for issuance in issuances:
            self._issuances[session, issuance.issuer].append(issuance)

    def access_keys(self) -> frozenset[str]:
        """The keys that came of any, as far as sessions were noted."""
        made = {one.access_key for makings in self._makings.values() for one in makings}
        issued = {one.access_key for issuances in self._issuances.values() for one in issuances}
        return frozenset((made | issued) - {""})

    def all(self) -> list[Masquerade]:
        """By session and by whom."""
        makings, issuances = self._makings, self._issuances
        return [
            Masquerade(*who, tuple(sorted(makings.get(who, ()))), tuple(sorted(issuances.get(who, ()))))
            for who in sorted(makings.keys() | issuances.keys())
        ]


def strange_issuances(evidence: Evidence) -> tuple[Issuance, ...]:
    """Keys given to a session that bears an instance's id, by what may not name it so."""
    if not evidence.issuances or not is_instance_id(evidence.session.name):
        return ()
    return tuple(one for one in evidence.issuances.values() if not may_name_instances(one.issuer))


def _is_spoof(made: Made, session: Session, ours: frozenset[str]) -> bool:
    if not is_instance_id(session.name) or made.api not in _NAMING:
        return False
    maker = parse_session(made.maker)
    # The copy that another account got names the caller by its principal's id only: `AROA…:` and the session's name.
    name = maker.name if maker else made.maker.rpartition(":")[2]
    is_stranger = bool(made.maker_account) and made.maker_account not in ours | {session.account}
    return bool(made.maker) and (name != session.name or is_stranger)
