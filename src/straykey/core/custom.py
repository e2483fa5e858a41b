"""Which programs the instances of each role use from home: what is usual there, and so what is not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from straykey.core.agent import family, is_aws_program
from straykey.core.evidence import Evidence

_FEW = 3


def role_of(evidence: Evidence) -> str:
    """Account and role, as an allow-list names it."""
    return f"{evidence.session.account}/{evidence.session.role}"


class Kit(msgspec.Struct, frozen=True):
    """The user agents of one session at home; `programs` are all, `odd` those that are none of AWS's."""

    programs: frozenset[str]
    odd: frozenset[str]
    has_aws: bool


def kit_of(agents: Iterable[str]) -> Kit:
    """What names no program does not count."""
    return _kit(frozenset(filter(None, agents)))


@lru_cache(maxsize=65536)
def _kit(agents: frozenset[str]) -> Kit:
    odd = frozenset(agent for agent in agents if not is_aws_program(agent))
    return Kit(frozenset(map(family, agents)), frozenset(map(family, odd)), len(odd) < len(agents))


class _Custom(msgspec.Struct):
    """What a role was seen to use."""

    knows_aws: bool = False
    users: dict[frozenset[str], set[str]] = msgspec.field(default_factory=lambda: defaultdict(set))  # by programs
    suspects: dict[Kit, list[str]] = msgspec.field(default_factory=lambda: defaultdict(list))  # sessions that use more


class Customs:
    """Filled session by session, then asked."""

    def __init__(self, allowed: dict[str, frozenset[str]]) -> None:
        self._allowed = allowed
        self._by_role: dict[str, _Custom] = defaultdict(_Custom)

    def note(self, role: str, who: str, arn: str, kit: Kit) -> None:
        """Note what a session used from home."""
        custom = self._by_role[role]
        custom.knows_aws |= kit.has_aws
        custom.users[kit.programs].add(who)
        allowed = self._allowed.get(role)
        if kit.odd if allowed is None else not kit.programs <= allowed:
            custom.suspects[kit].append(arn)

    def strange(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Sessions that use something unusual, with the programs of their role that are fine whatever their name."""
        for role, custom in self._by_role.items():
            allowed = self._allowed.get(role)
            if allowed is None and not custom.knows_aws:
                continue
            fine = allowed if allowed is not None else _usual(custom)
            for kit, arns in custom.suspects.items():
                if not (kit.odd if allowed is None else kit.programs) <= fine:
                    yield from ((arn, fine) for arn in arns)


def _usual(custom: _Custom) -> frozenset[str]:
    """What three or more instances use, and most of the role's."""
    instances = len(set().union(*custom.users.values()))
    users: dict[str, set[str]] = defaultdict(set)
    odd = {program for kit in custom.suspects for program in kit.odd}
    for programs, whos in custom.users.items():
        for program in programs & odd:
            users[program] |= whos
    return frozenset(one for one, whos in users.items() if len(whos) >= _FEW and 2 * len(whos) > instances)
