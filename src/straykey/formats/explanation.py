"""Every network of a session, what it is to the session and why, with the record that proves it."""

from collections.abc import Mapping, Sequence

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from straykey.core.evidence import Bounds, Evidence, instance_of, workload_of
from straykey.core.finding import Finding, finding_id
from straykey.core.grant import Grant
from straykey.core.home import Standing, Verdict
from straykey.core.portrait import calls_of
from straykey.formats.finding_table import calls_line, count_line, pivot_line
from straykey.formats.text import as_json, printable

_MOST_HISTORY = 20
LIMITS = (
    "What this cannot see: a thief on the instance itself or behind the same NAT; one in AWS in a function's region; "
    "one who is first, or alone, in AWS in the workload's own region; data events that are not logged; "
    "issuances, where the trail records writes only; the last minutes, which "
    "CloudTrail has not delivered yet."
)
_COLOURS = {
    Standing.HOME: "green",
    Standing.EXPLAINED: "blue",
    Standing.STRAY: "bold red",
    Standing.SPOOFED: "bold red",
    Standing.UNKNOWN: "yellow",
    Standing.UNREADABLE: "yellow",
}


class Explained(msgspec.Struct, frozen=True):
    """A session with the verdict on each of its networks.

    `findings` are all, by id; `history` is what EC2's records tell of the instance, in order of time.
    """

    evidence: Evidence
    verdicts: Sequence[Verdict]
    findings: Mapping[str, Finding]
    bounds: Bounds
    history: Sequence[Grant]

    def standing(self, verdict: Verdict) -> str:
        """A stray of a session that is no workload's is none: such sessions are not judged."""
        is_stray = verdict.standing is Standing.STRAY
        return verdict.standing.value if workload_of(self.evidence)[0] or not is_stray else "not judged"

    def finding(self, verdict: Verdict) -> Finding | None:
        return self.findings.get(finding_id(self.evidence.session.arn, verdict.sighting.network.key))


def render(session: Explained) -> RenderableType:
    """One session for a terminal."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for verdict in session.verdicts:
        rows.add_row(
            Text(session.standing(verdict), style=_COLOURS[verdict.standing]),
            Text("\n".join(printable(line) for line in _lines(verdict, session))),
        )
    facts = [Text(printable(fact)) for fact in _facts(session)]
    head = Text(printable(session.evidence.session.arn), style="bold")
    return Group(head, *facts, Padding(rows, (1, 0, 1, 2)))


def _lines(verdict: Verdict, session: Explained) -> list[str]:
    sighting = verdict.sighting
    network = sighting.network
    owner = f" of account {network.endpoint_owner}" if network.endpoint_owner else ""
    through = f" through {network.endpoint}{owner}" if network.endpoint else ""
    first = sighting.first
    lines = [
        f"{network.address}{through}",
        f"{verdict.code or 'why'}: {verdict.text}",
        f"{first.time} – {sighting.last.time}, {_use(verdict, session)}",
        f"proved by {first.call} at {first.time}, event {first.event_id}",
    ]
    finding = session.finding(verdict)
    if finding:
        lines.insert(2, f"{finding.severity.value} {finding.confidence.value} {finding.type.value}, id {finding.id}")
        lines += [f"- {reason.text}" for reason in finding.reasons]
        lines += [f"- then made: {pivot_line(pivot)}" for pivot in finding.pivots]
    return lines


def _use(verdict: Verdict, session: Explained) -> str:
    sighting = verdict.sighting
    many = count_line(sighting.events.count(session.bounds.events), sighting.events.overflowed)
    return f"{many}: {calls_line(calls_of(sighting, session.bounds))}"


def _facts(session: Explained) -> list[str]:
    evidence = session.evidence
    instance, region = instance_of(evidence)
    workload, signs = workload_of(evidence)
    facts = [
        f"instance {instance or 'unknown'}, region {region or 'unknown'}, account {evidence.session.account}",
        f"{workload.noun}, by: {', '.join(signs)}" if workload else "no workload's by any sign: not judged",
        f"{len(evidence.issuances)} keys seen issued"
        + ("" if evidence.issuances else ": issued before the logs begin, or the trail has no read events"),
    ]
    facts += [f"more {lane.value} networks than are kept: about {n}" for lane, n in sorted(evidence.crowded.items())]
    facts += [_told(grant) for grant in session.history[:_MOST_HISTORY]]
    more = len(session.history) - _MOST_HISTORY
    facts += [f"… and {more} more of EC2's records: --format json has all"] if more > 0 else []
    return facts + [finding.title for finding in _others(session)]


def _told(grant: Grant) -> str:
    """One of EC2's records in a line."""
    things = (grant.address, grant.allocation, grant.interface, grant.vpc)
    return f"{grant.time}  {grant.api} {' '.join(filter(None, things))} (event {grant.event_id})"


def _others(session: Explained) -> list[Finding]:
    """Findings about the session that are about none of its networks in particular."""
    of_networks = {finding_id(session.evidence.session.arn, v.sighting.network.key) for v in session.verdicts}
    arn = session.evidence.session.arn
    found = (one for one in session.findings.values() if arn in one.sessions and one.id not in of_networks)
    return sorted(found, key=lambda one: (-one.severity_score, one.id))


def to_document(sessions: Sequence[Explained]) -> str:
    """The same as JSON."""
    return as_json([_session(session) for session in sessions], indent=2)


def _session(session: Explained) -> dict[str, object]:
    instance, region = instance_of(session.evidence)
    workload, signs = workload_of(session.evidence)
    return {
        "session": session.evidence.session.arn,
        "instance_id": instance or None,
        "region": region or None,
        "workload": workload.noun if workload else None,
        "signs": signs,
        "issuances": len(session.evidence.issuances),
        "history": [msgspec.to_builtins(grant) for grant in session.history],
        "findings": [finding.id for finding in _others(session)],
        "networks": [_network(verdict, session) for verdict in session.verdicts],
    }


def _network(verdict: Verdict, session: Explained) -> dict[str, object]:
    sighting = verdict.sighting
    finding = session.finding(verdict)
    return {
        "address": sighting.network.address,
        "lane": sighting.network.lane.value,
        "vpc_endpoint": sighting.network.endpoint or None,
        "vpc_endpoint_account": sighting.network.endpoint_owner or None,
        "verdict": session.standing(verdict),
        "code": verdict.code or None,
        "why": verdict.text,
        "finding": finding.id if finding else None,
        "first_seen": sighting.first.time,
        "last_seen": sighting.last.time,
        "count": sighting.events.count(session.bounds.events),
        "count_is_estimate": sighting.events.overflowed,
        "calls": calls_of(sighting, session.bounds),
        "keys": sorted(filter(None, sighting.keys.times)),
        "user_agents": sorted(filter(None, sighting.agents.events)),
        "proof": {"event_id": sighting.first.event_id, "call": sighting.first.call, "time": sighting.first.time},
    }
