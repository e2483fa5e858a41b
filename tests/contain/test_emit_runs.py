"""What is emitted, run against a simulated AWS: it does the plan, takes it back, and stops at once where it must."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from straykey.contain.emit import emitted
from straykey.contain.plan import Option, Plan
from tests.aws import Aws
from tests.contain.grounds import Scene, snapshot
from tests.contain.real import REAL, planned

# Sleeping is told, and takes no time.
_RUN = """
import runpy, sys, time
time.sleep = lambda seconds: print("slept", file=sys.stderr)
file, sys.argv = sys.argv[1], sys.argv[1:]
sys.argv = [file, sys.argv[1]]
runpy.run_path(file, run_name="__main__")
"""
AWS_CLI = shutil.which("aws")


def by_python(plan: Plan, word: str, folder: Path, aws: Aws) -> subprocess.CompletedProcess[str]:
    file = folder / "contain.py"
    file.write_text(emitted(plan, "python"))
    return ran([sys.executable, "-c", _RUN, str(file), word], aws.environment)


def by_shell(plan: Plan, word: str, folder: Path, aws: Aws) -> subprocess.CompletedProcess[str]:
    file = folder / "contain.sh"
    file.write_text(emitted(plan, "cli"))
    (folder / "sleep").write_text("#!/bin/sh\necho slept >&2\n")
    (folder / "sleep").chmod(0o755)
    return ran(["bash", str(file), word], aws.environment | {"PATH": f"{folder}:{os.environ['PATH']}"})


def ran(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, **environment}
    return subprocess.run(command, env=whole, capture_output=True, text=True, check=False, timeout=120)


WAYS = [
    by_python,
    pytest.param(by_shell, marks=pytest.mark.skipif(AWS_CLI is None, reason="aws, the command line, is not here")),
]


@pytest.mark.parametrize("name", REAL)
def test_the_program_does_a_plan_and_takes_it_back(name: str, here: Scene, aws: Aws, tmp_path: Path) -> None:
    plan, before = REAL[name](here), snapshot()
    done = by_python(plan, "apply", tmp_path, aws)
    assert (done.returncode, done.stderr) == (0, "")
    assert snapshot() != before
    back = by_python(plan, "undo", tmp_path, aws)
    assert (back.returncode, back.stderr) == (0, "")
    assert snapshot() == before


@pytest.mark.skipif(AWS_CLI is None, reason="aws, the command line, is not here")
@pytest.mark.parametrize("option", [Option.ISOLATE, Option.PIN])
def test_the_script_does_a_plan_and_takes_it_back(option: Option, here: Scene, aws: Aws, tmp_path: Path) -> None:
    plan, before = planned(option)(here), snapshot()
    done = by_shell(plan, "apply", tmp_path, aws)
    # The rule for IPv6 is not there: nothing is waited for.
    assert (done.returncode, done.stderr) == (0, "")
    assert snapshot() != before
    back = by_shell(plan, "undo", tmp_path, aws)
    assert (back.returncode, back.stderr) == (0, "")
    assert snapshot() == before


@pytest.mark.parametrize("way", WAYS)
def test_undoing_what_was_never_done_changes_nothing(way: object, here: Scene, aws: Aws, tmp_path: Path) -> None:
    plan, before = planned(Option.ISOLATE)(here), snapshot()
    assert callable(way)
    back = way(plan, "undo", tmp_path, aws)
    assert (back.returncode, back.stderr) == (0, "")
    assert snapshot() == before


@pytest.mark.parametrize("way", WAYS)
def test_what_is_denied_ends_it_at_once(way: object, here: Scene, aws: Aws, tmp_path: Path) -> None:
    plan = planned(Option.ISOLATE)(here)
    aws.refuse("Action=RevokeSecurityGroupEgress", "UnauthorizedOperation")
    assert callable(way)
    aws.actions.clear()
    done = way(plan, "apply", tmp_path, aws)
    assert done.returncode == 1
    assert "stopped" in done.stderr
    assert "UnauthorizedOperation" in done.stderr
    assert "slept" not in done.stderr
    assert aws.actions.count("Action=RevokeSecurityGroupEgress") == 1
    assert "Action=ModifyNetworkInterfaceAttribute" not in aws.actions


@pytest.mark.parametrize("way", WAYS)
def test_what_was_just_made_may_be_unknown_for_a_while(way: object, here: Scene, aws: Aws, tmp_path: Path) -> None:
    plan = planned(Option.ISOLATE)(here)
    aws.refuse("Action=RevokeSecurityGroupEgress", "InvalidGroup.NotFound", "400 Bad Request", times=2)
    assert callable(way)
    done = way(plan, "apply", tmp_path, aws)
    assert done.returncode == 0
    assert done.stderr.count("slept") == 2


@pytest.mark.parametrize("way", WAYS)
def test_a_role_that_nobody_just_made_is_not_waited_for(way: object, here: Scene, aws: Aws, tmp_path: Path) -> None:
    plan = planned(Option.PIN)(here)
    aws.refuse("Action=PutRolePolicy", "NoSuchEntity", "404 Not Found")
    assert callable(way)
    done = way(plan, "apply", tmp_path, aws)
    assert done.returncode == 1
    assert "slept" not in done.stderr
