"""Mixed worlds, made once for all tests, and questions that several of them ask."""

from collections.abc import Iterator
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from straykey.sim import trial
from straykey.sim.scenario import Scenario
from straykey.sim.truth import Change, Theft

Record = dict[str, Any]

SEEDS = range(12)
AWS = [
    ip_network(cidr)
    for cidr in (
        "198.18.0.0/15",
        "2001:db8:1000::/36",
        "2001:db8:2000::/36",
        "2001:db8:3000::/36",
        "2001:db8:5000::/36",
    )
]


@cache
def world(seed: int) -> Scenario:
    return trial.world(seed)


def changes(*kinds: str) -> Iterator[tuple[Scenario, Change]]:
    """Those of these kinds, or all."""
    for scenario in map(world, SEEDS):
        for change in scenario.changes:
            if not kinds or change.kind in kinds:
                yield scenario, change


def thefts(*kinds: str) -> Iterator[tuple[Scenario, Theft]]:
    for scenario in map(world, SEEDS):
        for theft in scenario.thefts:
            if not kinds or theft.kind in kinds:
                yield scenario, theft


@cache
def by_session(seed: int) -> dict[str, list[Record]]:
    """Session -> its records in order of time, thieves' too."""
    found: dict[str, list[Record]] = {}
    for record in world(seed).records:
        found.setdefault(record["userIdentity"].get("arn", ""), []).append(record)
    return found


def calls_of(scenario: Scenario, arn: str) -> list[Record]:
    """What a session did from a network of its own, services left out."""
    return [r for r in by_session(scenario.seed).get(arn, []) if "invokedBy" not in r["userIdentity"]]


def stolen(scenario: Scenario) -> set[str]:
    return {event for theft in scenario.thefts for event in (*theft.event_ids, *theft.made_event_ids)}


def honest_calls(scenario: Scenario, arn: str) -> list[Record]:
    thieves = stolen(scenario)
    return [r for r in calls_of(scenario, arn) if r["eventID"] not in thieves]


def named(scenario: Scenario, *names: str) -> list[Record]:
    return [r for r in scenario.records if r["eventName"] in names]


def is_in_aws(address: str) -> bool:
    ip = ip_address(address)
    return any(ip.version == network.version and ip in network for network in AWS)
