"""The evaluation through its real command; and a world it must not like."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from straykey.evaluation import Scores, evaluated, scored
from straykey.formats.score_json import ChangeRow, Evaluated, TheftRow, Totals
from straykey.sim.change import CHANGES
from straykey.sim.heist import HEISTS
from straykey.sim.scenario import Scenario, simulate
from straykey.sim.score import QUIET
from tests.conftest import ROOT

PAGE = (ROOT / "docs/evaluation.md").read_text()
FIELDS = {name for struct in (Evaluated, TheftRow, ChangeRow, Totals) for name in struct.__struct_fields__}
SEEDS = ("--seeds", "2", "--first-seed", "1")


@cache
def ran(*arguments: str) -> str:
    command = [sys.executable, "-m", "straykey", "evaluate", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def figures(*arguments: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(ran(*arguments, "--json"))
    return document


@cache
def company(thefts: int) -> Scenario:
    return simulate(seed=1, thefts=thefts)


def test_totals_are_the_sums_of_their_rows() -> None:
    document = figures(*SEEDS, "--jobs", "1")
    totals, thefts, changes = (document[name] for name in ("totals", "thefts", "changes"))
    for name in ("stolen", "found", "lock2018_found"):
        assert totals[name] == sum(row[name] for row in thefts if row["excluded"] is None)
    for prefix in ("", "lock2018_"):
        blamed = sum(row[f"{prefix}blamed"] for row in thefts)
        assert totals[f"{prefix}false_alarms"] == blamed + sum(row[f"{prefix}false_alarms"] for row in changes)


def test_worlds_evaluated_one_by_one_add_up_to_all_of_them() -> None:
    together = figures(*SEEDS, "--jobs", "1")
    apart = [figures("--seeds", "1", "--first-seed", str(seed)) for seed in (1, 2)]
    assert together["worlds"] == 2
    assert together["records"] == sum(one["records"] for one in apart)
    for name, total in together["totals"].items():
        assert total == sum(one["totals"][name] for one in apart)


def test_one_process_or_two_print_the_same() -> None:
    assert ran(*SEEDS, "--jobs", "1", "--json") == ran(*SEEDS, "--jobs", "2", "--json")


def test_the_table_shows_every_kind_with_both_methods() -> None:
    shown = ran(*SEEDS, "--jobs", "2")
    document = figures(*SEEDS, "--jobs", "1")
    assert "2018 found" in shown
    for row in (*document["thefts"], *document["changes"]):
        assert f"\n{row['kind']} " in shown or f"\n {row['kind']} " in shown


@pytest.mark.parametrize("arguments", [("--seeds", "0"), ("--jobs", "-1"), ("--seeds", "many")], ids=" ".join)
def test_wrong_usage_exits_2(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "straykey", "evaluate", *arguments]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2


def test_thefts_of_a_simulated_company_are_found() -> None:
    totals = evaluated([scored(company(5))]).totals
    assert (totals.stolen, totals.found) == (5, 5)


def test_a_theft_the_truth_does_not_know_is_a_false_alarm() -> None:
    known, unknown = (evaluated([scored(replace(company(1), thefts=thefts))]) for thefts in (company(1).thefts, ()))
    assert unknown.totals.false_alarms == known.totals.false_alarms + 1
    assert unknown.totals.accused_sessions == known.totals.accused_sessions + 1
    assert unknown.changes[-1].kind == QUIET
    assert unknown.changes[-1].false_alarms == known.changes[-1].false_alarms + 1


def test_a_theft_nobody_committed_is_not_found() -> None:
    (theft,) = company(1).thefts
    totals = evaluated([scored(replace(company(0), thefts=(theft,)))]).totals
    assert (totals.stolen, totals.found, totals.lock2018_found) == (1, 0, 0)


def test_a_theft_expected_as_something_else_is_found_under_the_wrong_type() -> None:
    (theft,) = company(1).thefts
    scores = scored(replace(company(1), thefts=(replace(theft, expected_type="Other", expected_severity="LOW"),)))
    (outcome,) = scores.straykey.outcomes.values()
    assert (outcome.found, outcome.type_right, outcome.severity_right) == (1, 0, 0)


def test_no_worlds_score_nothing() -> None:
    assert evaluated([]) == evaluated([Scores()])


@pytest.mark.parametrize("name", sorted({*HEISTS, *CHANGES, *(name.removeprefix("lock2018_") for name in FIELDS)}))
def test_every_kind_and_every_field_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE
