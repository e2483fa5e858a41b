"""What the user decides about judging."""

import msgspec

from straykey.core.network import IPNetwork


class Settings(msgspec.Struct, frozen=True):
    """`accounts`: ours besides those whose records are read.  `trusted`: networks the user vouches for.

    `require_issuance`: judge only keys whose issuance was read, as the 2018 method does.
    """

    accounts: frozenset[str] = frozenset()
    trusted: tuple[IPNetwork, ...] = ()
    require_issuance: bool = False
