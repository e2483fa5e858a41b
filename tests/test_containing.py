"""`straykey contain` and `straykey abuse-report`, as somebody types them, on an account that moto keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from typer.core import TyperGroup
from typer.main import get_command

from straykey.cli import app
from straykey.contain.plan import Option
from straykey.containing import _GOES_WITH, OptionName
from tests.contain.grounds import ACCOUNT, REGION, ROLE, Scene, scene, snapshot
from tests.records import RawRecord, issuance_record, trail, use_record

if TYPE_CHECKING:
    from tests.aws import Aws

AWAY = "203.0.113.66"
DENIED = "AccessDenied"
EXPLICIT = "not authorized to perform: s3:ListAllMyBuckets with an explicit deny in an identity-based policy"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def there(aws: Aws) -> Scene:
    assert aws.url
    return scene()


@pytest.fixture
def run(tmp_path: Path, aws: Aws) -> Run:
    """In a folder of its own; without credentials unless they are asked for."""

    def running(*arguments: str, is_in_aws: bool = False) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "NO_COLOR": "1", "TERM": "dumb"}
        environment |= {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": ":".join(filter(None, sys.path))}
        if is_in_aws:
            environment |= aws.environment
        command = [sys.executable, "-m", "straykey", *arguments]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
        )

    return running


def by(instance: str, minute: int, address: str = "198.18.0.10", **more: str) -> RawRecord:
    time = f"2026-05-04T{10 + minute // 60:02}:{minute % 60:02}:00Z"
    return use_record(instance=instance, role=ROLE, account=ACCOUNT, address=address, time=time, **more)


def theft(instance: str) -> list[RawRecord]:
    stolen = {"address": AWAY, "key": "ASIAEXAMPLEKEY000002", "agent": "curl/8.1"}
    return [
        issuance_record(instance=instance, account=ACCOUNT, role=ROLE),
        issuance_record(instance=instance, account=ACCOUNT, role=ROLE, key="ASIAEXAMPLEKEY000002"),
        *(by(instance, minute, event=event) for minute in range(0, 50, 5) for event in ("ListBuckets", "GetObject")),
        *(by(instance, minute, event="ListBuckets", **stolen) for minute in (21, 22, 23)),
    ]


@pytest.fixture
def logs(tmp_path: Path) -> Callable[..., str]:
    def written(*records: RawRecord, name: str = "logs.json") -> str:
        (tmp_path / name).write_bytes(trail(*records))
        return name

    return written


def in_its_region(records: list[RawRecord]) -> list[RawRecord]:
    return [one | {"awsRegion": REGION} for one in records]


INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def found(run: Run, logs: Callable[..., str], tmp_path: Path) -> str:
    """The id of a finding, with the logs it came of beside it."""
    return _found(run, logs(*theft(INSTANCE)), tmp_path)


def _found(run: Run, name: str, folder: Path) -> str:
    scanned = run("scan", name, "--offline", "--format", "json")
    (folder / "findings.json").write_text(scanned.stdout)
    (high,) = [one["id"] for one in json.loads(scanned.stdout)["findings"] if one["severity"] == "HIGH"]
    return str(high)


def test_options_are_named_as_plans_name_them() -> None:
    assert [one.value for one in OptionName] == [one.value for one in Option]


def test_all_options_are_compared_and_the_one_that_breaks_nothing_comes_first(run: Run, found: str) -> None:
    told = run("contain", found[:8], "logs.json", "--offline", "--no-account", "--format", "json")
    assert told.returncode == 0, told.stderr
    options = json.loads(told.stdout)["options"]
    assert {one["option"] for one in options} == {one.value for one in Option}
    first = options[0]
    assert (first["option"], first["rehearsal"]["workload"]["denied"]) == ("pin", 0)
    assert first["rehearsal"]["thief"]["denied"] == first["rehearsal"]["thief"]["calls"] == 3


def test_the_table_tells_of_each_option_what_must_be_known(run: Run, found: str) -> None:
    told = run("contain", found, "logs.json", "--offline", "--no-account").stdout
    for part in ("thief stopped", "Breaks", "Does not stop", "Calls, in order", "Undo", "Permissions", "Outage"):
        assert part in told
    for option in Option:
        assert f"\n{option.value}\n" in told


def test_without_credentials_plans_are_made_of_the_logs_alone(run: Run, found: str) -> None:
    told = run("contain", found, "logs.json", "--offline")
    assert told.returncode == 0
    assert "the account was not read" in told.stderr
    assert "planned from the logs alone" in told.stdout


def test_a_finding_of_an_earlier_scan_is_contained_by_its_file_and_the_logs(run: Run, found: str) -> None:
    told = run("contain", found, "logs.json", "--findings", "findings.json", "--offline", "--no-account")
    assert told.returncode == 0, told.stderr
    assert f"finding   {found}" in told.stdout


@pytest.mark.parametrize("style", ["cli", "python", "terraform"])
def test_an_option_is_emitted_for_who_applies_it_elsewhere(run: Run, found: str, style: str) -> None:
    told = run("contain", found, "logs.json", "--offline", "--no-account", "--option", "pin", "--emit", style)
    assert told.returncode == 0, told.stderr
    assert f"straykey-pin-{found[:12]}" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--apply"], "needs --option"),
        (["--emit", "cli"], "needs --option"),
        (["--option", "pin", "--apply", "--verify"], "one at a time"),
        (["--rollback"], "reads no logs"),
        (["--verify"], "--since"),
        (["--wait", "20m"], "--wait means nothing here"),
        (["--force"], "it goes with --rollback"),
        (["--yes"], "it goes with --apply or --rollback"),
        (["--since", "2026-05-04T18:00Z"], "it goes with --verify"),
        (["--verify", "--option", "pin"], "--option means nothing with --verify"),
        (["--option", "pin", "--apply", "--format", "table"], "it goes with the comparison or --verify"),
        (["--option", "pin", "--emit", "cli", "--format", "json"], "--format means nothing with --emit"),
        (["--option", "pin", "--apply", "--no-account"], "--no-account means nothing with --apply"),
        (["--verify", "--no-account"], "--no-account means nothing with --verify"),
        (["--option", "pin", "--apply", "--yes"], "AWS"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(run: Run, found: str, arguments: list[str], said: str) -> None:
    told = run("contain", found, "logs.json", "--offline", *arguments)
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ip-ranges", "ip-ranges.json"),
        ("--agents", "agents.json"),
        ("--trusted-network", "198.18.0.0/15"),
        ("--beacon", "web-role"),
        ("--accounts", "111122223333"),
        ("--findings", "findings.json"),
    ],
    ids=lambda one: one[0],
)
def test_how_logs_are_read_means_nothing_without_logs(run: Run, arguments: tuple[str, str]) -> None:
    for more in ([], ["--rollback"]):
        told = run("contain", "ffffffff", *arguments, *more)
        assert told.returncode == 2
        assert f"{arguments[0]} means nothing here" in told.stderr
        assert "it goes with logs" in told.stderr


def test_options_that_may_be_named_in_vain_are_options() -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    assert _GOES_WITH.keys() <= {one.name for one in root.commands["contain"].params}


@pytest.mark.parametrize("name", ["ffffffff", "", "\x1b[31m"])
def test_a_finding_that_is_not_there_is_named_harmlessly(run: Run, found: str, name: str) -> None:
    told = run("contain", name, "logs.json", "--offline", "--no-account")
    assert told.returncode == 2
    assert "no finding begins" in told.stderr
    assert "\x1b" not in told.stderr


def test_a_store_that_is_not_there_is_told(run: Run) -> None:
    told = run("contain", "ffffffff")
    assert told.returncode == 2
    assert "no such file" in told.stderr


def test_a_theft_is_contained_verified_and_taken_back(
    run: Run, logs: Callable[..., str], there: Scene, tmp_path: Path
) -> None:
    records = theft(there.instance)
    finding = _found(run, logs(*records), tmp_path)
    before = snapshot()
    contained = ("contain", finding, "logs.json", "--offline", "--option", "pin")

    shown = run(*contained, is_in_aws=True)
    assert "nothing was changed" in shown.stderr
    refused = run(*contained, "--apply", is_in_aws=True)
    assert (refused.returncode, "say --yes" in refused.stderr) == (2, True)
    assert snapshot() == before

    companion = run(*contained[:-1], "imdsv2", "--apply", is_in_aws=True)
    assert "stops no key that is out" in companion.stderr
    assert snapshot() == before

    applied = run(*contained, "--apply", "--yes", is_in_aws=True)
    assert applied.returncode == 0, applied.stderr
    name = f"straykey-pin-{finding[:12]}"
    assert name in boto3.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]
    again = run(*contained, "--apply", "--yes", is_in_aws=True)
    assert (again.returncode, "nothing was changed" in again.stderr) == (0, True)

    since = [
        by(
            there.instance,
            600,
            AWAY,
            event="ListBuckets",
            key="ASIAEXAMPLEKEY000002",
            error=DENIED,
            errorMessage=EXPLICIT,
        )
    ]
    later = logs(*records, *since, name="later.json")
    verified = run("contain", finding, later, "--offline", "--verify", "--since", "2026-05-04T18:00Z")
    assert (verified.returncode, verified.stdout.splitlines()[0][:10]) == (0, "contained:")

    other = run("contain", finding, "--option", "imdsv2", "--rollback", "--yes", is_in_aws=True)
    assert (other.returncode, "nothing was applied" in other.stderr) == (2, True)
    alone = run("contain", finding, "--rollback", is_in_aws=True)
    assert (alone.returncode, "say --yes --force" in alone.stderr) == (2, True)
    unforced = run("contain", finding, "--rollback", "--yes", is_in_aws=True)
    assert (unforced.returncode, "say --yes --force" in unforced.stderr) == (2, True)
    assert name in boto3.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]
    rolled = run("contain", finding, "--rollback", "--yes", "--force", is_in_aws=True)
    assert rolled.returncode == 0, rolled.stderr
    assert "work again after this" in rolled.stderr
    assert snapshot() == before
    assert run("contain", finding, "--rollback", "--yes", "--force", is_in_aws=True).returncode == 2


def test_a_companion_is_taken_back_without_force(
    run: Run, logs: Callable[..., str], there: Scene, tmp_path: Path
) -> None:
    finding = _found(run, logs(*in_its_region(theft(there.instance))), tmp_path)
    contained = ("contain", finding, "logs.json", "--offline", "--option", "imdsv2")
    applied = run(*contained, "--apply", "--yes", is_in_aws=True)
    assert (applied.returncode, "the thief's keys go on working" in applied.stderr) == (0, True)
    verified = run(*contained[:-2], "--verify")
    assert (verified.returncode, "that stops no key that is out" in verified.stderr) == (1, True)
    rolled = run("contain", finding, "--rollback", "--yes", is_in_aws=True)
    assert rolled.returncode == 0, rolled.stderr


def test_what_a_swapped_role_breaks_is_told_with_whose_it_is(
    run: Run, logs: Callable[..., str], there: Scene, tmp_path: Path
) -> None:
    sisters = [by(there.sister, minute, "198.18.0.20") for minute in range(0, 50, 10)]
    records = in_its_region([*theft(there.instance), *sisters])
    finding = _found(run, logs(*records), tmp_path)
    contained = ("contain", finding, "logs.json", "--offline", "--option", "swap-role", "--apply", "--yes")
    assert run(*contained, is_in_aws=True).returncode == 0
    copy = f"straykey-swap-role-{finding[:12]}"
    assert copy in [one["RoleName"] for one in boto3.client("iam").list_roles()["Roles"]]
    later = {"key": "ASIAEXAMPLEKEY000009", "error": DENIED, "time": "2126-05-04T10:00:00Z"}
    silent, told = {"errorMessage": "Access Denied"}, {"errorMessage": EXPLICIT}
    since = [
        use_record(instance=there.instance, role=copy, account=ACCOUNT, event="GetObject", **later, **silent),
        use_record(instance=there.sister, role=ROLE, account=ACCOUNT, address="198.18.0.20", **later, **told),
    ]
    verified = run("contain", finding, logs(*records, *since, name="later.json"), "--offline", "--verify")
    assert "swap-role (applied)" in verified.stderr
    assert f"GetObject of the workload {there.instance}, which now has role {copy}," in verified.stdout
    assert f"of {there.sister}, which shares role {ROLE}," in verified.stdout
    assert verified.returncode == 1


def test_what_still_goes_through_is_not_contained(run: Run, logs: Callable[..., str], found: str) -> None:
    later = logs(*theft(INSTANCE), by(INSTANCE, 600, AWAY, key="ASIAEXAMPLEKEY000002"), name="later.json")
    told = run("contain", found, later, "--offline", "--verify", "--since", "2026-05-04T18:00Z", "--format", "json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["outcome"] == "not contained"


def test_the_report_for_aws_is_written_from_a_file_of_findings(run: Run, found: str) -> None:
    told = run("abuse-report", found, "--findings", "findings.json")
    assert told.returncode == 0
    assert f"Source address: {AWAY}" in told.stdout
    assert "To: the abuse contact of the network" in told.stdout.splitlines()[0]
    assert "whether the address is AWS's is not known" in told.stderr


def test_a_file_that_holds_no_findings_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("{}")
    for name in ("none.json", "missing.json"):
        told = run("abuse-report", "ffffffff", "--findings", name)
        assert (told.returncode, "Traceback" in told.stderr) == (2, False)
