"""What a person wants to hear no more of, until a day: said by name, never learned."""

import hashlib
import ipaddress
from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

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

    @property
    def scope(self) -> dict[str, str]:
        """What it names, by field."""
        fields = {name: getattr(self, name) for name in SCOPE}
        return {name: said for name, said in fields.items() if said}

    def ended(self, now: str) -> "Rule":
        """Holds no more, and is still there to tell what it hid."""
        return replace(self, expires=min(self.expires, now))


SCOPE = ("type", "account", "role", "instance", "network")


def rule_of(scope: Mapping[str, str], *, reason: str, by: str, created: str, expires: str) -> Rule:
    """`scope` is by field what it names.  Its id is of all that is said: to say the same twice makes one rule."""
    said = [*(scope.get(name, "") for name in SCOPE), reason, by, created, expires]
    name = hashlib.sha256("\n".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return Rule(id=name, reason=reason, by=by, created=created, expires=expires, **scope)


def _is_in(address: str | None, cidr: str) -> bool:
    parsed = parse_address(address) if address and cidr else None
    network = ipaddress.ip_network(cidr) if cidr else None
    return parsed is not None and network is not None and parsed.version == network.version and parsed in network
