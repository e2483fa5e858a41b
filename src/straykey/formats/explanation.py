"""Every network of a session, what it is to the session and why, with the record that proves it."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from straykey.core.evidence import Bounds, Evidence, instance_of, signs_of_instance
from straykey.core.home import Standing, Verdict
from straykey.core.judge import calls_of
from straykey.formats.text import as_json, printable

LIMITS = (
    "What this cannot see: a thief on the instance itself or behind the same NAT; data events that are not logged; "
    "issuances in a trail that records writes only; the last minutes, which CloudTrail has not delivered yet."
)
_COLOURS = {
    Standing.HOME: "green",
    Standing.EXPLAINED: "blue",
    Standing.STRAY: "bold red",
    Standing.UNREADABLE: "yellow",
}


def render(evidence: Evidence, verdicts: Sequence[Verdict], bounds: Bounds) -> RenderableType:
    """One session for a terminal."""
    table = Table(title_justify="left", header_style="bold", expand=False)
    for column in ("network", "verdict", "first – last", "calls", "why", "proved by"):
        table.add_column(column, overflow="fold", justify="right" if column == "calls" else "left")
    for verdict in verdicts:
        sighting = verdict.sighting
        network = sighting.network
        table.add_row(
            _text(network.address, f"{network.endpoint} {network.endpoint_owner}"),
            _text(verdict.standing.value, verdict.code, style=_COLOURS[verdict.standing]),
            _text(sighting.first.time, sighting.last),
            str(sighting.events.count(bounds.events)),
            _text(verdict.text),
            _text(sighting.first.event_id, sighting.first.call.replace(".amazonaws.com", "")),
        )
    return Group(_text(evidence.session.arn, style="bold"), *_facts(evidence), table)


def _facts(evidence: Evidence) -> list[Text]:
    instance, region = instance_of(evidence)
    facts = [
        f"instance {instance or 'unknown'}, region {region or 'unknown'}, account {evidence.session.account}",
        f"an EC2 instance's by: {', '.join(signs_of_instance(evidence)) or 'no sign: not judged'}",
        f"{len(evidence.issuances)} keys seen issued by EC2"
        + ("" if evidence.issuances else ": issued before the logs begin, or the trail has no read events"),
    ]
    facts += [
        f"more than the {lane.value} networks kept: about {count}" for lane, count in sorted(evidence.crowded.items())
    ]
    return [_text(fact) for fact in facts]


def _text(*lines: str, style: str = "") -> Text:
    return Text("\n".join(printable(line) for line in lines).rstrip(), style=style)


def to_document(sessions: Sequence[tuple[Evidence, Sequence[Verdict]]], bounds: Bounds) -> str:
    """The same as JSON."""
    return as_json([_session(evidence, verdicts, bounds) for evidence, verdicts in sessions], indent=2)


def _session(evidence: Evidence, verdicts: Sequence[Verdict], bounds: Bounds) -> dict[str, object]:
    instance, region = instance_of(evidence)
    return {
        "session": evidence.session.arn,
        "instance_id": instance or None,
        "region": region or None,
        "signs": signs_of_instance(evidence),
        "issuances": len(evidence.issuances),
        "networks": [_network(verdict, bounds) for verdict in verdicts],
    }


def _network(verdict: Verdict, bounds: Bounds) -> dict[str, object]:
    sighting = verdict.sighting
    return {
        "address": sighting.network.address,
        "lane": sighting.network.lane.value,
        "vpc_endpoint": sighting.network.endpoint or None,
        "vpc_endpoint_account": sighting.network.endpoint_owner or None,
        "verdict": verdict.standing.value,
        "code": verdict.code or None,
        "why": verdict.text,
        "first_seen": sighting.first.time,
        "last_seen": sighting.last,
        "count": sighting.events.count(bounds.events),
        "calls": calls_of(sighting, bounds),
        "keys": sorted(filter(None, sighting.keys.times)),
        "user_agents": sorted(filter(None, sighting.agents.times)),
        "proof": {"event_id": sighting.first.event_id, "call": sighting.first.call, "time": sighting.first.time},
    }
