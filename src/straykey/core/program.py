"""Programs that call AWS from home with the instance's keys and are none of AWS's: what an SSRF looks like from inside.

A thief who makes the instance itself call AWS, or proxies through it, is at home for every address; the program he
uses often gives him away.  Reported once the session or its role is known to use an AWS program, and never for what
most of the role's instances use.
"""

from collections import defaultdict
from collections.abc import Iterator

import msgspec

from straykey.core.agent import family, is_aws_program
from straykey.core.beacon import own_agents
from straykey.core.case import Context
from straykey.core.custom import role_of
from straykey.core.evidence import Bounds, Evidence, Sighting, part_of
from straykey.core.exfiltration import gone
from straykey.core.explanation import region_of
from straykey.core.finding import Confidence, Finding, FindingType, Reason, Severity, finding_id
from straykey.core.home import Standing, Verdict
from straykey.core.network import LOCKABLE
from straykey.core.observation import Event
from straykey.core.portrait import Origin, home_of, session_of, stray_of, witnesses_of
from straykey.core.reasons import UNRECOGNIZED_AGENT

_LONGEST_NAME = 80


class AtHome(msgspec.Struct, frozen=True):
    """A session of an instance, and the networks that are rightly its own."""

    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    gone_since: str = ""
    spoofed: frozenset[str] = frozenset()
    sends_beacon: bool = False

    @property
    def role(self) -> str:
        return role_of(self.evidence)

    def agents(self) -> set[str]:
        return {agent for agent, _, _ in self.programs()}

    def programs(self) -> Iterator[tuple[str, Sighting, Event]]:
        """Every user agent of the instance's own use, where it was used, and the first event that bore it.

        The beacon of a role that sends one is none.
        """
        for verdict in self.verdicts:
            for agent in sorted(own_agents(verdict.sighting, sends_beacon=self.sends_beacon)):
                event = verdict.sighting.agents.events[agent]
                if agent and self.is_own(event):
                    yield agent, verdict.sighting, event

    def is_own(self, event: Event) -> bool:
        """False for what came after the instance's end, or with a key that was never the instance's."""
        return event.access_key not in self.spoofed and not (self.gone_since and event.time > self.gone_since)


def at_home(evidence: Evidence, verdicts: list[Verdict], context: Context) -> AtHome:
    own = (Standing.HOME, Standing.EXPLAINED)
    there = tuple(one for one in verdicts if one.standing in own and one.sighting.network.lane in LOCKABLE)
    sends_beacon = context.settings.expects_beacon(evidence.session)
    return AtHome(evidence, there, gone(evidence, context), context.fleet.spoofed, sends_beacon)


def unrecognized(session: AtHome, fine: frozenset[str], context: Context, bounds: Bounds) -> Iterator[Finding]:
    """One finding for each program of a session that is not `fine`; AWS's are, where the role has no list."""
    is_listed = session.role in context.settings.agents
    strange: dict[str, dict[str, Sighting]] = defaultdict(dict)
    agents: set[str] = set()
    for agent, sighting, _ in session.programs():
        program = family(agent)
        if program not in fine and (is_listed or not is_aws_program(agent)):
            strange[program][sighting.network.key] = sighting
            agents.add(agent)
    for program, sightings in sorted(strange.items()):
        # One finding for the program, on the network it was used from first.
        parts = [(min(used), key, used) for key, used in _parts(session, sightings, program, agents)]
        _, key, used = min(parts)
        yield _finding(session, program, sightings[key], part_of(sightings[key], used), context=context, bounds=bounds)


def _parts(
    session: AtHome, sightings: dict[str, Sighting], program: str, agents: set[str]
) -> Iterator[tuple[str, list[Event]]]:
    """Of each network the events that the program's strange agents made there."""
    for key, sighting in sightings.items():
        events = sorted({*sighting.agents.events.values(), *sighting.events.kept.values()})
        yield (
            key,
            [one for one in events if one.agent in agents and family(one.agent) == program and session.is_own(one)],
        )


def _finding(
    session: AtHome, program: str, sighting: Sighting, used: Sighting, *, context: Context, bounds: Bounds
) -> Finding:
    evidence = session.evidence
    homes = [one for one in session.verdicts if one.standing is Standing.HOME]
    region = region_of(evidence, tuple(home.sighting for home in homes), context.ranges)
    about = session_of(evidence, set(used.keys.times), region, sighting.issued)
    listed = session.role in context.settings.agents
    why = (
        f"{program[:_LONGEST_NAME]} is not on the role's list of programs (--agents)"
        if listed
        else f"{program[:_LONGEST_NAME]} is no AWS SDK, command line or service, and not what the role was seen to use"
    )
    whose = about.instance_id or about.arn
    return Finding(
        id=finding_id(about.arn, f"agent {program}"),
        type=FindingType.USER_AGENT,
        severity=Severity.MEDIUM,
        severity_score=Severity.MEDIUM.score,
        confidence=Confidence.LIKELY if listed else Confidence.POSSIBLE,
        status="open",
        title=f"Keys of {whose} used from its own network by {program[:_LONGEST_NAME]}",
        description=f"{why[:1].upper()}{why[1:]}. A program that is made to fetch the keys from the metadata service, "
        f"or to make the call itself (SSRF), calls from the instance's own network {used.network.address}.",
        session=about,
        access_keys=sorted(filter(None, used.keys.times)),
        home=[home_of(home, bounds) for home in homes],
        stray=stray_of(used, Origin(), bounds, sighting),
        reasons=[Reason(UNRECOGNIZED_AGENT, why)],
        pivots=[],
        pivots_count=0,
        events=witnesses_of(used),
        sessions=[about.arn],
    )
