"""Which programs the instances of each role use at home: what a list of allowed programs is made of.

Only the instance's own use counts.  What came from a stray network, with a key that was never the instance's, or after
its end is a thief's: who got his program listed by using it would never be seen again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from straykey.core.agent import family, is_aws_program
from straykey.core.case import Context
from straykey.core.custom import role_of
from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.exfiltration import gone
from straykey.core.home import Verdict
from straykey.core.network import LOCKABLE
from straykey.core.observation import Event
from straykey.core.portrait import scaled
from straykey.core.program import at_home
from straykey.core.tenant import tenant_of


class Program(msgspec.Struct, frozen=True):
    """A program in use by a role's instances, whatever its versions.

    `is_aws` tells of its name alone: the name is what a list allows, whatever SDK stands behind it in the user agent.
    `role_instances`: how many the role has, `instances` of which use the program.
    """

    role: str
    program: str
    is_aws: bool
    instances: int
    role_instances: int
    first_seen: str
    count: int
    count_is_estimate: bool
    user_agent: str


class LeftOut(msgspec.Struct, frozen=True, order=True):
    """A program that was never seen in use by the role's instances themselves."""

    role: str
    program: str


class Inventory(msgspec.Struct, frozen=True):
    """`incomplete_roles` used more networks, or more user agents on one, than are kept: programs may be missing."""

    programs: tuple[Program, ...]
    left_out: tuple[LeftOut, ...]
    incomplete_roles: tuple[str, ...]


class _Use(msgspec.Struct):
    """Use of one program by one role."""

    instances: set[str]
    first: Event
    count: int
    is_estimate: bool

    def add(self, other: "_Use") -> None:
        self.instances |= other.instances
        self.first = min(self.first, other.first)
        self.count += other.count
        self.is_estimate |= other.is_estimate


def inventory_of(sessions: Iterable[tuple[Evidence, list[Verdict]]], context: Context, bounds: Bounds) -> Inventory:
    """Every program of every role, by name; `sessions` are those of instances."""
    uses: dict[tuple[str, str], _Use] = {}
    seen: set[tuple[str, str]] = set()
    instances: dict[str, set[str]] = defaultdict(set)
    incomplete: set[str] = set()
    for evidence, verdicts in sessions:
        role, who, gone_since = role_of(evidence), tenant_of(evidence).who, gone(evidence, context)
        instances[role].add(who)
        homes = [verdict.sighting for verdict in at_home(evidence, verdicts, context).verdicts]
        for home in homes:
            for name, use in _uses(home, who, gone_since, context.fleet.spoofed, bounds).items():
                if uses.setdefault((role, name), use) is not use:
                    uses[role, name].add(use)
        networks = [one.sighting for one in verdicts if one.sighting.network.lane in LOCKABLE]
        seen |= {(role, family(event.agent)) for one in networks for event in _events(one)}
        if any(home.agents.overflowed for home in homes) or not LOCKABLE.isdisjoint(evidence.crowded):
            incomplete.add(role)
    return Inventory(
        programs=tuple(_program(role, name, use, len(instances[role])) for (role, name), use in sorted(uses.items())),
        left_out=tuple(LeftOut(role, name) for role, name in sorted(seen - uses.keys())),
        incomplete_roles=tuple(sorted(incomplete)),
    )


def _uses(home: Sighting, who: str, gone_since: str, spoofed: frozenset[str], bounds: Bounds) -> dict[str, _Use]:
    """What an instance itself did from one of its networks, by program."""
    own = {
        event
        for event in _events(home)
        if event.access_key not in spoofed and (not gone_since or event.time <= gone_since)
    }
    sampled = Counter(family(event.agent) for event in home.events.kept.values() if event in own)
    firsts = {family(event.agent): event for event in sorted(own, reverse=True)}
    # What fell out of the sample of events was used all the same.
    return {
        name: _Use({who}, first, max(1, scaled(sampled[name], home, bounds)), home.events.overflowed)
        for name, first in firsts.items()
    }


def _events(sighting: Sighting) -> set[Event]:
    """The events kept that name a program."""
    known = {*sighting.agents.events.values(), *sighting.events.kept.values(), sighting.first, sighting.last}
    return {event for event in known if event.agent}


def _program(role: str, name: str, use: _Use, role_instances: int) -> Program:
    return Program(
        role=role,
        program=name,
        is_aws=is_aws_program(name),
        instances=len(use.instances),
        role_instances=role_instances,
        first_seen=use.first.time,
        count=use.count,
        count_is_estimate=use.is_estimate,
        user_agent=use.first.agent,
    )
