"""Sessions that bear an instance's id and are no instance's.

Whoever may assume a role may choose the session's name.  Rightly named after an instance is what EC2 assumed for it,
what Systems Manager assumed for its host, and what the instance of that very name assumed itself.
"""

from collections import defaultdict

import msgspec

from straykey.core.ledger import Settled
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


def masquerades(ledger: Settled, all_made: Makings, ours: frozenset[str]) -> list[Masquerade]:
    """All of a settled ledger, by session and by whom; `ours` are accounts whose instances may use their own names."""
    makings: dict[tuple[Session, str], list[Made]] = defaultdict(list)
    for made in all_made:
        session = parse_session(made.made)
        if session is not None and _is_spoof(made, session, ours):
            makings[session, made.maker].append(made)
    issuances: dict[tuple[Session, str], list[Issuance]] = defaultdict(list)
    for evidence in ledger.sessions.values():
        for issuance in evidence.issuances.values():
            if is_instance_id(evidence.session.name) and not may_name_instances(issuance.issuer):
                issuances[evidence.session, issuance.issuer].append(issuance)
    return [
        Masquerade(*who, tuple(sorted(makings.get(who, ()))), tuple(sorted(issuances.get(who, ()))))
        for who in sorted(makings.keys() | issuances.keys())
    ]


def _is_spoof(made: Made, session: Session, ours: frozenset[str]) -> bool:
    if not is_instance_id(session.name) or made.api not in _NAMING:
        return False
    maker = parse_session(made.maker)
    # The copy that another account got names the caller by its principal's id only: `AROA…:` and the session's name.
    name = maker.name if maker else made.maker.rpartition(":")[2]
    is_stranger = bool(made.maker_account) and made.maker_account not in ours | {session.account}
    return bool(made.maker) and (name != session.name or is_stranger)
