"""How watching gets on, as `status` prints it."""

import json

import pytest
from msgspec.structs import replace

from straykey.core.coverage import Gap
from straykey.formats import status_json, status_table
from straykey.formats.status_json import CoverageState, GapState, SinkState, TroubleState, WorkerState
from tests.conftest import Golden
from tests.formats.test_finding import on_terminal
from tests.formats.variants import HOSTILE

NOW, BEFORE, LONG_AGO = "2026-05-04T12:00:00Z", "2026-05-04T11:59:58Z", "2026-05-03T09:00:00Z"
WORKER = WorkerState("host-1", False, LONG_AGO, BEFORE, 120_000, 340, "2026-05-04T11:56:00Z", "s3://logs/new", 25.0, 12)
TROUBLE = TroubleState("s3://logs/bad.json.gz", "quarantined", "access denied", 5, LONG_AGO, BEFORE)
BUSY = status_json.Condition(
    now=NOW,
    newest_record="2026-05-04T11:56:00Z",
    newest_record_seconds=240,
    last_commit=BEFORE,
    last_commit_seconds=2,
    records_per_second=25.0,
    backlog=12,
    last_object="s3://logs/new",
    sessions=4321,
    workers=[WORKER, replace(WORKER, name="host-2", is_stale=True, at=LONG_AGO)],
    findings={"open": {"HIGH": 1, "INFORMATIONAL": 2}, "resolved": {"LOW": 3}},
    rules=[{"id": "8c1d02ab44f0", "expires": "2026-05-06T00:00:00Z", "hides": 2, "reason": "red team"}],
    sinks=[
        SinkState("hub", 0, 17, 0, None, None),
        SinkState("pager", 3, 12, 1, "2026-05-04T11:00:00Z", "410: gone"),
    ],
    troubles_count={"damaged": 1, "quarantined": 12},
    troubles=[TROUBLE, replace(TROUBLE, name="s3://logs/half.json.gz", state="damaged", reason="no JSON: 1", tries=1)],
    coverage=[
        CoverageState("111122223333", "eu-west-1", {"read": (LONG_AGO, BEFORE), "ec2-issuance": (LONG_AGO, LONG_AGO)}),
        CoverageState("444455556666", "us-east-1", {"write": (LONG_AGO, NOW), "data": (LONG_AGO, NOW)}),
    ],
    gaps=[
        GapState("issuance", Gap.ISSUANCE.value, ["444455556666"]),
        GapState("data", Gap.DATA.value, [f"{number:012}" for number in range(10)]),
    ],
)
IDLE = status_json.Condition(NOW, None, None, None, None, 0.0, None, None, 0, [], {}, [], [], {}, [], [], [])


def test_status_on_a_terminal(golden: Golden) -> None:
    golden("tests/golden/status.txt", "\n".join(on_terminal(status_table.render(one)) for one in (BUSY, IDLE)))


def test_status_as_json(golden: Golden) -> None:
    golden("tests/golden/status.json", status_json.to_document(BUSY) + "\n")
    assert json.loads(status_json.to_document(IDLE))["newest_record"] is None


@pytest.mark.parametrize(
    ("age", "told"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (90_000, "1 d")]
)
def test_an_age_is_told_in_the_largest_unit(age: int, told: str) -> None:
    assert status_table.told_age(age) == told


def test_many_accounts_and_troubles_are_counted() -> None:
    many = [CoverageState(f"{number:012}", "eu-west-1", {}) for number in range(100)]
    shown = on_terminal(status_table.render(replace(BUSY, coverage=many, troubles=[TROUBLE] * 12)))
    assert "… and 60 more: --json has all of them" in shown
    assert shown.count("bad.json.gz") == 10
    assert "… and 2 more: --json has more of them" in shown
    assert "000000000007 and 2 more: no data events" in " ".join(shown.split())


def test_nothing_hostile_reaches_a_terminal_raw() -> None:
    bad = replace(
        BUSY,
        last_object=HOSTILE,
        workers=[replace(WORKER, name=HOSTILE, last_object=HOSTILE)],
        troubles=[replace(TROUBLE, name=HOSTILE * 99, reason=HOSTILE * 99)],
        sinks=[SinkState(HOSTILE, 1, 1, 1, NOW, HOSTILE)],
        rules=[{"id": "1", "expires": NOW, "hides": 1, "reason": HOSTILE}],
        coverage=[CoverageState("111122223333", HOSTILE, {"read": (NOW, NOW)})],
    )
    for shown in (on_terminal(status_table.render(bad)), status_json.to_document(bad)):
        assert not set("\x1b\x07\u202e") & set(shown)
