"""What the user decides about judging."""

import msgspec

from straykey.core.network import IPNetwork
from straykey.core.session import Session

EVERY_ROLE = "*"


class Settings(msgspec.Struct, frozen=True):
    """`accounts`: ours besides those whose records are read.  `trusted`: networks the user vouches for.

    `require_issuance`: judge only keys whose issuance was read, as the 2018 method does.  `agents`: by account and role
    (`111122223333/web-role`) the families of programs that are all it may use.  `report_service_calls`: also report,
    for information, which services acted for an instance's session.  `beacon_roles`: roles whose instances make the
    beacon's call at boot, as `web-role` or `111122223333/web-role`; `*` is all.
    """

    accounts: frozenset[str] = frozenset()
    trusted: tuple[IPNetwork, ...] = ()
    require_issuance: bool = False
    agents: dict[str, frozenset[str]] = {}
    report_service_calls: bool = False
    beacon_roles: frozenset[str] = frozenset()

    def expects_beacon(self, session: Session) -> bool:
        """True where the user says that the session's role sends beacons; else anybody who sends one is a stranger."""
        names = (EVERY_ROLE, session.role, f"{session.account}/{session.role}")
        return not self.beacon_roles.isdisjoint(names)
