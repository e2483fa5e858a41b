"""What the user decides about judging."""

import msgspec

from straykey.core.network import IPNetwork


class Settings(msgspec.Struct, frozen=True):
    """`accounts`: ours besides those whose records are read.  `trusted`: networks the user vouches for.

    `require_issuance`: judge only keys whose issuance was read, as the 2018 method does.  `agents`: by account and role
    (`111122223333/web-role`) the families of programs that are all it may use.  `report_service_calls`: also report,
    for information, which services acted for an instance's session.
    """

    accounts: frozenset[str] = frozenset()
    trusted: tuple[IPNetwork, ...] = ()
    require_issuance: bool = False
    agents: dict[str, frozenset[str]] = {}
    report_service_calls: bool = False
