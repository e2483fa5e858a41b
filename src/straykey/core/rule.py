"""What a person wants to hear no more of, until a day: said by name, never learned."""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from straykey.core.finding import Finding
from straykey.core.network import IPNetwork, parse_address


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Holds until `expires` for a finding that agrees with every field that is not empty.

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
        # Whatever `created` says: whoever made it may have a clock ahead of ours.
        return now < self.expires

    def covers(self, finding: Finding) -> bool:
        """Whatever the time."""
        said: list[tuple[str, Callable[[], bool]]] = [
            (self.type, lambda: _is_like(finding.type, self.type)),
            (self.account, lambda: finding.session.account == self.account),
            (self.role, lambda: finding.session.role == self.role),
            (self.instance, lambda: finding.session.instance_id == self.instance),
            (self.network, lambda: _is_in(finding.stray.address, self.network)),
        ]
        return any(wanted for wanted, _ in said) and all(holds() for wanted, holds in said if wanted)

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


def _is_like(text: str, pattern: str) -> bool:
    """Not `fnmatch`, to which brackets and question marks mean something, too."""
    return _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    # Each piece is found at its first place and never sought further on: time does not explode with stars.
    first, *rest = [re.escape(piece) for piece in re.split(r"\*+", pattern)]
    if not rest:
        return re.compile(first, re.DOTALL)
    *between, last = rest
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in between) + f".*{last}", re.DOTALL)


def _is_in(address: str | None, cidr: str) -> bool:
    """False for what is no network: a rule that cannot be read hides nothing."""
    parsed, network = parse_address(address) if address else None, _network(cidr)
    return parsed is not None and network is not None and parsed.version == network.version and parsed in network


@lru_cache(maxsize=256)
def _network(cidr: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None
