"""The detector against simulated worlds, whose truth it does not know."""

import json
from pathlib import Path

import pytest

from straykey import pipeline
from straykey.core.finding import Finding, FindingType, Severity
from straykey.core.ranges import parse_ranges
from straykey.sim.delivery import write
from straykey.sim.scenario import simulate
from straykey.sources.files import Files, find

WORLDS = [(seed, 12, 1) for seed in range(14)] + [(seed, 60, 3) for seed in range(14, 17)]


def scan(folder: Path) -> pipeline.Scanned:
    ranges = parse_ranges((folder / "ip-ranges.json").read_bytes())
    return pipeline.scan(Files(find([str(folder / "AWSLogs")])), pipeline.Request(ranges=ranges))


def thefts_found(folder: Path) -> list[Finding]:
    """All findings but those that only inform."""
    return [finding for finding in scan(folder).findings if finding.severity is not Severity.INFORMATIONAL]


@pytest.mark.parametrize(("seed", "instances", "hours"), WORLDS)
def test_every_simulated_theft_is_found_with_type_and_severity_and_nothing_else_is(
    seed: int, instances: int, hours: int, tmp_path: Path
) -> None:
    write(simulate(seed=seed, instances=instances, hours=hours, thefts=10), tmp_path)
    thefts = json.loads((tmp_path / "truth.json").read_text())["thefts"]
    expected = {
        (theft["session_arn"], theft["address"], theft["expected_type"], theft["expected_severity"]) for theft in thefts
    }
    found = {
        (finding.session.arn, finding.stray.address, finding.type.value, finding.severity.value)
        for finding in thefts_found(tmp_path)
    }
    assert found == expected


@pytest.mark.parametrize("seed", range(8))
def test_a_world_without_theft_is_quiet(seed: int, tmp_path: Path) -> None:
    write(simulate(seed=seed, thefts=0), tmp_path)
    scanned = scan(tmp_path)
    assert {finding.type for finding in scanned.findings} <= {FindingType.V1_DELIVERY}
    assert not scanned.tally.losses


def test_the_count_of_a_simulated_theft_is_the_number_of_its_events(tmp_path: Path) -> None:
    write(simulate(seed=1, thefts=5), tmp_path)
    thefts = json.loads((tmp_path / "truth.json").read_text())["thefts"]
    counts = {theft["session_arn"]: len(theft["event_ids"]) for theft in thefts}
    assert {finding.session.arn: finding.stray.count for finding in thefts_found(tmp_path)} == counts


def test_homes_are_the_networks_the_simulated_instances_live_in(tmp_path: Path) -> None:
    write(simulate(seed=2, thefts=10), tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    lives = {session["session_arn"]: {home["address"] for home in session["homes"]} for session in truth["sessions"]}
    for finding in thefts_found(tmp_path):
        assert {home.address for home in finding.home} <= lives[finding.session.arn]
