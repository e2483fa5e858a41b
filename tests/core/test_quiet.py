"""A session that is passed over as quiet is one that weighing would find at home, and nothing else of."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from straykey import pipeline
from straykey.core.case import Context
from straykey.core.evidence import Bounds
from straykey.core.exfiltration import gone, strayed
from straykey.core.home import Standing, weigh
from straykey.core.ledger import Settled
from straykey.core.network import LOCKABLE
from straykey.core.quiet import only_home
from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.core.settings import Settings
from straykey.core.survey import survey
from straykey.core.tenant import tenant_of
from straykey.core.workload import INSTANCE
from straykey.sim.delivery import write
from straykey.sources.files import Files, find
from tests.core.test_ledger_laws import TIGHT, histories
from tests.records import RawRecord, use_record
from tests.seen import RANGES, ledger_of
from tests.sim.trials import world


def quiet_sessions(ledger: Settled, asked: Settings, ranges: AwsRanges | None) -> int:
    """How many sessions are quiet; fails where weighing says more of one than that it is at home."""
    context = Context(asked, survey(ledger, asked, ranges), ranges)
    quiet = 0
    for evidence in ledger.sessions.values():
        workload = tenant_of(evidence).workload
        since, spoofed = gone(evidence, context), context.fleet.spoofed
        home = only_home(evidence, workload, asked, gone=since, spoofed=spoofed) if workload else None
        if home is None:
            continue
        quiet += 1
        verdicts = weigh(evidence, context)
        lockable = [one for one in verdicts if one.sighting.network.lane in LOCKABLE]
        assert [one.sighting for one in lockable] == [home]
        assert [one.standing for one in lockable] == [Standing.HOME]
        assert strayed(evidence, verdicts, context) == []
        assert not (asked.report_service_calls and any(one.code == "service-call" for one in verdicts))
        assert all(event.access_key not in spoofed for event in home.agents.events.values())
    return quiet


ASKED = [Settings(), Settings(require_issuance=True), Settings(report_service_calls=True)]
ASKED += [Settings(beacon_roles=frozenset({"*"}))]


@pytest.mark.parametrize("seed", range(1, 7))
def test_quiet_sessions_of_simulated_worlds_are_at_home(seed: int, tmp_path: Path) -> None:
    write(world(seed), tmp_path)
    ranges = parse_ranges((tmp_path / "ip-ranges.json").read_bytes())
    ledger = pipeline.scan(Files(find([str(tmp_path / "AWSLogs")])), pipeline.Request(ranges=ranges)).ledger
    assert quiet_sessions(ledger, Settings(), ranges) > 5
    for asked in ASKED[1:]:
        quiet_sessions(ledger, asked, ranges)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_quiet_sessions_of_any_history_are_at_home(records: list[RawRecord]) -> None:
    for bounds in (TIGHT, Bounds()):
        ledger = ledger_of(records, bounds)
        for asked in ASKED:
            quiet_sessions(ledger, asked, RANGES)


def test_a_session_with_one_network_is_quiet() -> None:
    assert quiet_sessions(ledger_of([use_record()]), Settings(), RANGES) == 1


def test_a_service_that_acted_disturbs_nobody_unless_it_is_to_be_reported() -> None:
    ledger = ledger_of([use_record(), use_record(address="s3.amazonaws.com")])
    assert quiet_sessions(ledger, Settings(), RANGES) == 1
    assert quiet_sessions(ledger, Settings(report_service_calls=True), RANGES) == 0


def test_a_session_with_a_key_that_was_never_its_own_is_not_quiet() -> None:
    (evidence,) = ledger_of([use_record(key="ASIATAKEN")]).sessions.values()
    assert only_home(evidence, INSTANCE, Settings(), gone="", spoofed=frozenset({"ASIAOTHER"})) is not None
    assert only_home(evidence, INSTANCE, Settings(), gone="", spoofed=frozenset({"ASIATAKEN"})) is None


def test_a_session_that_outlived_its_instance_is_not_quiet() -> None:
    (evidence,) = ledger_of([use_record(time="2026-05-04T10:00:00Z")]).sessions.values()
    assert only_home(evidence, INSTANCE, Settings(), gone="2026-05-04T10:00:00Z", spoofed=frozenset()) is not None
    assert only_home(evidence, INSTANCE, Settings(), gone="2026-05-04T09:59:59Z", spoofed=frozenset()) is None
