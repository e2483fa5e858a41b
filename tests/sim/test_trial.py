"""What mixed worlds are like, whatever happens in them."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from straykey.sim import trial
from straykey.sim.change import CHANGES
from straykey.sim.delivery import write
from straykey.sim.heist import HEISTS
from straykey.sim.theft import KINDS
from tests.sim.trials import SEEDS, honest_calls, stolen, world


@pytest.mark.parametrize("first", [0, 17, 1000])
def test_over_thirty_seeds_every_kind_comes_up_five_times(first: int) -> None:
    for kinds, stride in ((HEISTS, trial.THEFT_STRIDE), (CHANGES, trial.CHANGE_STRIDE)):
        dealt = Counter(name for seed in range(first, first + 30) for name, _ in trial.dealt(kinds, seed, stride))
        assert dealt.keys() == kinds.keys()
        assert min(dealt.values()) >= 5


def test_a_world_has_five_to_nine_kinds_of_theft_and_of_change() -> None:
    for kinds, stride in ((HEISTS, trial.THEFT_STRIDE), (CHANGES, trial.CHANGE_STRIDE)):
        numbers = {len(dict(trial.dealt(kinds, seed, stride))) for seed in range(30)}
        assert numbers == {5, 6, 7, 8, 9}


def test_the_thefts_of_simulate_are_among_those_of_mixed_worlds() -> None:
    assert {kind.name for kind in KINDS} <= HEISTS.keys()


def test_every_kind_is_told_in_the_truth_of_some_world() -> None:
    assert {theft.kind for seed in SEEDS for theft in world(seed).thefts} == HEISTS.keys()
    assert {change.kind for seed in SEEDS for change in world(seed).changes} == CHANGES.keys()


def test_equal_seeds_give_equal_worlds_to_the_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(trial.world(8), tmp_path / name)
    trees = [
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("a", "b")
    ]
    assert trees[0] == trees[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_worlds_are_of_about_one_size(seed: int) -> None:
    assert 4000 <= len(world(seed).records) <= 8000
    assert 25 <= world(seed).instances <= 42


@pytest.mark.parametrize("seed", SEEDS)
def test_records_are_in_order_and_none_comes_twice(seed: int) -> None:
    records = world(seed).records
    times = [record["eventTime"] for record in records]
    assert times == sorted(times)
    assert "2026-05-04T10:00:00Z" <= times[0] <= times[-1] < "2026-05-04T13:10:00Z"
    assert len({record["eventID"] for record in records}) == len(records)


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_instances_call_from_the_homes_that_the_truth_names(seed: int) -> None:
    for session in world(seed).sessions:
        homes = {(home.address, home.vpc_endpoint) for home in session.homes}
        calls = honest_calls(world(seed), session.session_arn)
        assert {(r["sourceIPAddress"], r.get("vpcEndpointId")) for r in calls} == homes


@pytest.mark.parametrize("seed", SEEDS)
def test_instances_work_in_all_hours_or_end(seed: int) -> None:
    ended = {c.session_arns[0] for c in world(seed).changes if c.kind == "terminated"}
    ended |= {t.session_arn for t in world(seed).thefts if t.kind == "after-termination"}
    for session in world(seed).sessions:
        hours = {r["eventTime"][:13] for r in honest_calls(world(seed), session.session_arn)}
        is_own = session.session_arn.split("/")[1].split("-")[0] in {"web", "worker", "batch", "sync", "ledger"}
        if is_own and session.session_arn not in ended:
            assert len(hours) == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_only_own_accounts_receive_records(seed: int) -> None:
    assert {record["recipientAccountId"] for record in world(seed).records} == set(world(seed).accounts)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_record_is_stolen_once_at_most(seed: int) -> None:
    told = [event for theft in world(seed).thefts for event in (*theft.event_ids, *theft.made_event_ids)]
    assert len(told) == len(set(told))
    assert set(told) <= {record["eventID"] for record in world(seed).records}
    assert stolen(world(seed)) == set(told)


def test_late_records_are_delivered_hours_after_they_were_written(tmp_path: Path) -> None:
    scenario = next(world(seed) for seed in SEEDS if world(seed).late_event_ids)
    delivered = write(scenario, tmp_path)
    stamps: dict[str, str] = {}
    for path in delivered.logs.glob("*/*/CloudTrail/**/*.json.gz"):
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            stamps.setdefault(record["eventID"], path.name.split("_")[3])
    written = {r["eventID"]: r["eventTime"] for r in scenario.records if r["eventID"] in scenario.late_event_ids}
    assert written
    assert all(stamps[event][9:11] >= f"{int(at[11:13]) + 3:02}" for event, at in written.items())
    assert json.loads(delivered.truth.read_text())["late_event_ids"] == sorted(written)


def test_the_truth_on_disk_holds_changes_and_what_thieves_made(tmp_path: Path) -> None:
    scenario = world(0)
    truth = json.loads(write(scenario, tmp_path).truth.read_text())
    assert [tuple(it["session_arns"]) for it in truth["changes"]] == [it.session_arns for it in scenario.changes]
    assert [it["kind"] for it in truth["changes"]] == [it.kind for it in scenario.changes]
    told = [(it["excluded"], tuple(it["made_keys"]), it["is_turned"], it["user_agent"]) for it in truth["thefts"]]
    assert told == [(it.excluded, it.made_keys, it.is_turned, it.user_agent) for it in scenario.thefts]
