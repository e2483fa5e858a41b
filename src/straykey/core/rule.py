"""What a person wants to hear no more of, until a day: said by name, never learned."""

import ipaddress
from fnmatch import fnmatchcase

import msgspec

from straykey.core.finding import Finding
from straykey.core.network import parse_address


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Holds for a finding that agrees with every field that is not empty, from `created` until `expires`.

    `type` may have `*` in it; `network` is a CIDR.  A rule that names nothing holds for nothing.
    """

    id: str
    reason: str
    by: str
    created: str
    expires: str
    type: str = ""
    account: str = ""
    role: str = ""
    instance: str = ""
    network: str = ""

    def is_live(self, now: str) -> bool:
        return self.created <= now < self.expires

    def covers(self, finding: Finding) -> bool:
        """Whatever the time."""
        said = [
            (self.type, fnmatchcase(finding.type, self.type)),
            (self.account, finding.session.account == self.account),
            (self.role, finding.session.role == self.role),
            (self.instance, finding.session.instance_id == self.instance),
            (self.network, _is_in(finding.stray.address, self.network)),
        ]
        return any(wanted for wanted, _ in said) and all(holds for wanted, holds in said if wanted)


def _is_in(address: str | None, cidr: str) -> bool:
    parsed = parse_address(address) if address and cidr else None
    network = ipaddress.ip_network(cidr) if cidr else None
    return parsed is not None and network is not None and parsed.version == network.version and parsed in network
