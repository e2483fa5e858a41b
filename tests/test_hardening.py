"""`straykey harden`, as somebody types it: on logs, on what `watch` keeps, on an account that moto keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from straykey.cli import app
from straykey.errors import StraykeyError, UsageError
from straykey.fortress import hardening_of, kept
from straykey.harden import beacon, change, host_filter, perimeter
from straykey.hardening import _GOES_WITH, DoingName, LevelName, MeansName, ToolName
from tests.contain.applying import SIMULATE, simulation
from tests.contain.grounds import ACCOUNT, REGION, ROLE, Scene, scene, snapshot
from tests.ec2 import allocate, associate
from tests.harden.scenes import DEFAULTS, said_of_defaults
from tests.records import RawRecord, issuance_record, trail, use_record
from tests.test_keeping import AT_HOME, STOLEN, Kept

if TYPE_CHECKING:
    from tests.aws import Aws

HOME, AWAY = "198.18.0.10", "203.0.113.66"
INSTANCE = "i-0123456789abcdef0"
POLICY = "straykey-perimeter"
Harden = Callable[..., Result]


@pytest.fixture
def harden(tmp_path: Path) -> Harden:
    """With a store of its own, which is not there."""

    def running(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["harden", *arguments], env={"STRAYKEY_STORE": str(tmp_path / "own.db")})

    return running


@pytest.fixture
def there(aws: Aws) -> Scene:
    made = scene()
    # moto has neither, and who asks it again and again waits.
    aws.answer_xml(SIMULATE, simulation("allowed"))
    aws.answer_xml(DEFAULTS, said_of_defaults())
    return made


@pytest.fixture
def logs(tmp_path: Path) -> Callable[..., str]:
    def written(*records: RawRecord) -> str:
        (tmp_path / "logs.json").write_bytes(trail(*records))
        return str(tmp_path / "logs.json")

    return written


def by(instance: str, minute: int, address: str = HOME, **more: Any) -> RawRecord:
    time = f"2026-05-04T10:{minute:02}:00Z"
    more = {"role": ROLE, "account": ACCOUNT, "awsRegion": REGION} | more
    return use_record(instance=instance, address=address, time=time, **more)


def theft(instance: str = INSTANCE, **more: Any) -> list[RawRecord]:
    stolen = {"key": "ASIAEXAMPLEKEY000002", "agent": "curl/8.1"}
    return [
        issuance_record(instance=instance, account=ACCOUNT, role=ROLE, awsRegion=REGION),
        issuance_record(instance=instance, account=ACCOUNT, role=ROLE, awsRegion=REGION, key="ASIAEXAMPLEKEY000002"),
        *(by(instance, minute, **more) for minute in range(0, 50, 5)),
        *(by(instance, minute, AWAY, **stolen) for minute in (21, 22, 23)),
    ]


def squeezed(text: str) -> str:
    """Without the line breaks of a table."""
    return " ".join(text.split())


def refused(told: Result) -> StraykeyError:
    error = told.exception
    assert isinstance(error, StraykeyError), told.exception
    assert "\x1b" not in f"{error} {error.hint}"
    return error


def test_names_are_those_of_what_they_stand_for() -> None:
    pairs = [
        (LevelName, perimeter.Level),
        (DoingName, change.Doing),
        (MeansName, beacon.Means),
        (ToolName, host_filter.Tool),
    ]
    for typed, meant in pairs:
        assert [one.value for one in typed] == [one.value for one in meant]


def test_options_that_may_be_named_in_vain_are_options() -> None:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    assert _GOES_WITH.keys() <= {one.name for one in root.commands["harden"].params}


# What is told.


def test_a_process_tells_all_parts_of_it_and_that_nothing_was_changed(tmp_path: Path) -> None:
    (tmp_path / "logs.json").write_bytes(trail(*theft(delivery="1.0")))
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": ":".join(filter(None, sys.path))}
    command = [sys.executable, "-m", "straykey", "harden", "logs.json", "--offline", "--level", "instance"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert told.returncode == 0, told.stderr
    assert "the account was not read" in told.stderr
    assert "nothing was changed" in told.stderr
    said = squeezed(told.stdout)
    for part in (
        f"role-policy {ROLE}",
        "3/3",  # the thief's
        "10/10",  # the workload's own
        f"scp would have denied 10 calls of one role: {ROLE} of {ACCOUNT}, 10 of 10: s3:ListBuckets from {HOME} (10)",
        "Endpoints needed",
        "to be made",
        "IMDSv2, in this order",
        "What is not seen",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("part", "said", "unsaid"),
    [
        ("perimeters", "thief stopped", "Endpoints needed"),
        ("endpoints", "Endpoints needed", "thief stopped"),
        ("imdsv2", "IMDSv2", "What is not seen"),
        ("coverage", "What is not seen", "IMDSv2"),
    ],
)
def test_a_part_is_told_alone(harden: Harden, logs: Callable[..., str], part: str, said: str, unsaid: str) -> None:
    told = harden(logs(*theft()), "--offline", "--no-account", "--part", part)
    assert told.exit_code == 0, told.exception
    assert said in told.stdout
    assert unsaid not in told.stdout


def test_what_is_unknown_is_told_with_the_keys_it_hangs_on(harden: Harden, logs: Callable[..., str]) -> None:
    inside = [by(INSTANCE, minute, "10.0.0.5", endpoint="vpce-0aaaaaaaaaaaaaaa1") for minute in (1, 2)]
    far = by(INSTANCE, 30, "10.9.0.5", endpoint="vpce-0bbbbbbbbbbbbbbb2", endpoint_owner="444455556666")
    records = logs(*theft(), *inside, far)
    told = harden(records, "--offline", "--no-account", "--part", "perimeters", "--level", "instance")
    assert "unknown" in told.stdout
    assert "What is unknown hangs on aws:SourceVpc" in squeezed(told.stdout)


def test_what_watch_keeps_is_read_where_no_logs_are_named(harden: Harden, url: str) -> None:
    store = Kept(url)
    store.sees(*AT_HOME, STOLEN)
    store.database.close()
    told = harden("--store", url, "--no-account", "--part", "perimeters")
    assert told.exit_code == 0, told.exception
    assert "1 instances under 1 roles of 1 accounts" in squeezed(told.stdout)
    assert "1/1" in told.stdout


@pytest.fixture
def store(url: str) -> Iterator[Kept]:
    found = Kept(url)
    yield found
    found.database.close()


def thiefs_calls(where: str) -> int:
    with kept(where) as basis:
        report = hardening_of(basis, None, perimeter.Level.NETWORK).report
    return sum(role.thief.calls for one in report.rehearsed for role in one.roles if one.artifact.role)


def test_what_a_late_record_explained_is_no_thiefs_any_more(store: Kept) -> None:
    store.sees(*AT_HOME, use_record(address="198.18.0.77", time="2026-05-04T10:05:00Z"))
    assert thiefs_calls(store.url) == 1
    late = {"time": "2026-05-04T10:04:00Z", "address": "198.18.0.77"}
    store.sees(allocate(**late), associate(time="2026-05-04T10:04:30Z"))
    assert store.statuses() == ["resolved"]
    assert thiefs_calls(store.url) == 0


def test_a_theft_that_somebody_called_done_was_a_theft(store: Kept) -> None:
    store.sees(*AT_HOME, STOLEN)
    store.run("findings", "resolve", store.id, "--reason", "contained")
    assert thiefs_calls(store.url) == 1


def test_a_store_that_is_not_there_is_told(harden: Harden) -> None:
    assert "no such file" in str(refused(harden("--no-account")))


# What needs neither logs nor an account.


@pytest.mark.parametrize("tool", host_filter.Tool)
def test_rules_for_a_host_are_printed_to_be_piped_and_all_else_is_talk(harden: Harden, tool: host_filter.Tool) -> None:
    told = harden("--part", "host", "--tool", tool.value, "--user", "app")
    assert told.exit_code == 0, told.exception
    assert told.stdout == host_filter.rules(tool, ["app"])
    assert host_filter.how_to_load(tool) in told.stderr
    assert host_filter.FILES[tool] in told.stderr
    for one in host_filter.NOT_COVERED:
        assert one in told.stderr


def test_a_user_of_a_hostile_name_is_refused(harden: Harden) -> None:
    assert isinstance(refused(harden("--part", "host", "--user", "\x1b[31m; drop")), UsageError)


@pytest.mark.parametrize("means", beacon.Means)
def test_a_beacon_is_printed_to_be_piped(harden: Harden, means: beacon.Means) -> None:
    told = harden("--part", "beacon", "--means", means.value)
    assert told.stdout == beacon.user_data(means)
    assert "--beacon ROLE" in told.stderr


# What makes no sense.

APPLY = ("--apply", "perimeter", "--role", "web")
LOGS = ("logs.json",)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--apply", "perimeter"], "--apply perimeter needs --role"),
        (["--apply", "v2-keys", "--instance", INSTANCE], "--apply v2-keys needs --role"),
        (["--apply", "tokens"], "--apply tokens needs --instance"),
        (["--apply", "tokens", "--role", "web"], "--apply tokens needs --instance"),
        ([*APPLY, "--instance", INSTANCE], "--apply perimeter needs --role, and nothing else"),
        ([*APPLY, "--no-account"], "--no-account means nothing with --apply"),
        ([*APPLY, "--emit", "json"], "--emit and --apply: one at a time"),
        ([*APPLY, "--part", "perimeters"], "--part means nothing with --apply"),
        (["--emit", "json", "--part", "imdsv2"], "--part means nothing with --emit"),
        (["--part", "host", "--rollback"], "one at a time"),
        (["--rollback"], "--rollback needs --role or --instance"),
        (["--rollback", "--role", "web", "--instance", INSTANCE], "--rollback needs --role or --instance"),
        (["--rollback", "--role", "web", "--level", "instance"], "--level means nothing with --rollback"),
        ([*LOGS, "--rollback", "--role", "web"], "--rollback reads no logs"),
        ([*LOGS, "--part", "host"], "--part host reads no logs"),
        (["--role", "web"], "--role means nothing here"),
        (["--yes"], "--yes means nothing here"),
        (["--force"], "--force means nothing here"),
        (["--tool", "pf"], "--tool means nothing here"),
        (["--part", "beacon", "--user", "app"], "--user means nothing with --part beacon"),
        (["--part", "host", "--means", "python"], "--means means nothing with --part host"),
        (["--part", "host", "--store", "a.db"], "--store means nothing with --part host"),
        (["--since", "2026-05-04"], "--since means nothing here"),
        (["--trusted-network", "198.18.0.0/15"], "--trusted-network means nothing here"),
        (["--beacon", "web"], "--beacon means nothing here"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(harden: Harden, arguments: list[str], said: str) -> None:
    error = refused(harden(*arguments))
    assert isinstance(error, UsageError)
    assert said in str(error)


@pytest.mark.parametrize("name", ["nobody", "\x1b[31m", ""])
def test_a_role_or_an_instance_that_is_not_there_is_named_harmlessly(
    harden: Harden, logs: Callable[..., str], there: Scene, name: str
) -> None:
    before, records = snapshot(), logs(*theft(there.instance))
    for what in (("perimeter", "--role"), ("v2-keys", "--role"), ("tokens", "--instance")):
        error = refused(harden(records, "--offline", "--apply", what[0], what[1], name, "--yes"))
        assert isinstance(error, UsageError)
    assert snapshot() == before


@pytest.mark.parametrize("name", ["nobody", "\x1b[31m"])
def test_what_was_never_applied_cannot_be_taken_back(harden: Harden, name: str) -> None:
    assert "nothing was applied to" in str(refused(harden("--rollback", "--role", name, "--yes")))


# What changes an account, and takes it back.


def policies() -> list[str]:
    return list(boto3.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"])


def tokens(instance: str) -> str:
    found = boto3.client("ec2").describe_instances(InstanceIds=[instance])
    return str(found["Reservations"][0]["Instances"][0]["MetadataOptions"]["HttpTokens"])


def test_a_perimeter_is_put_on_a_role_and_taken_back(harden: Harden, logs: Callable[..., str], there: Scene) -> None:
    before, records = snapshot(), logs(*theft(there.instance))
    apply = (records, "--offline", "--apply", "perimeter", "--role", ROLE)
    assert "say --yes" in refused(harden(*apply)).hint
    assert snapshot() == before

    applied = harden(*apply, "--yes")
    assert applied.exit_code == 0, applied.exception
    assert f"done: put policy {POLICY} on role {ROLE}" in applied.stderr
    assert f"straykey harden --rollback --role {ROLE} takes it back" in applied.stderr
    put = boto3.client("iam").get_role_policy(RoleName=ROLE, PolicyName=POLICY)["PolicyDocument"]
    assert json.dumps(put["Statement"][0]["Condition"]["NotIpAddressIfExists"]) == f'{{"aws:SourceIp": "{HOME}"}}'

    assert "say --yes" in refused(harden("--rollback", "--role", ROLE)).hint
    assert POLICY in policies()
    rolled = harden("--rollback", "--role", ROLE, "--yes")
    assert rolled.exit_code == 0, rolled.exception
    assert snapshot() == before
    assert "nothing was applied" in str(refused(harden("--rollback", "--role", ROLE, "--yes")))


def test_what_breaks_recorded_calls_is_applied_by_force_only(
    harden: Harden, logs: Callable[..., str], there: Scene
) -> None:
    before = snapshot()
    apply = (logs(*theft(there.instance)), "--offline", "--apply", "perimeter", "--role", ROLE, "--yes")
    told = harden(*apply, "--level", "instance")
    assert "recorded calls of the workload would break" in str(refused(told))
    assert f"10 of 10 recorded calls of role {ROLE} would have been denied" in told.stderr
    assert snapshot() == before
    assert harden(*apply, "--level", "instance", "--force").exit_code == 0
    assert POLICY in policies()


def test_keys_of_the_old_version_are_denied_to_a_role_and_one_change_is_taken_back_alone(
    harden: Harden, logs: Callable[..., str], there: Scene
) -> None:
    before, records = policies(), logs(*theft(there.instance))
    for doing in ("perimeter", "v2-keys"):
        assert harden(records, "--offline", "--apply", doing, "--role", ROLE, "--yes").exit_code == 0
    assert set(policies()) == {*before, POLICY, "straykey-imdsv2-keys"}
    assert harden("--rollback", "--apply", "v2-keys", "--role", ROLE, "--yes").exit_code == 0
    assert set(policies()) == {*before, POLICY}


def test_tokens_are_required_of_an_instance_and_no_more_so_afterwards(
    harden: Harden, logs: Callable[..., str], there: Scene
) -> None:
    before, records = snapshot(), logs(*theft(there.instance))
    applied = harden(records, "--offline", "--apply", "tokens", "--instance", there.instance, "--yes")
    assert applied.exit_code == 0, applied.exception
    assert (tokens(there.instance), tokens(there.sister)) == ("required", "optional")
    assert harden("--rollback", "--instance", there.instance, "--yes").exit_code == 0
    assert snapshot() == before


def test_tokens_break_what_the_instance_did_with_old_keys_and_not_what_its_sister_did(
    harden: Harden, logs: Callable[..., str], there: Scene
) -> None:
    sisters = [by(there.sister, minute, delivery="1.0", key="ASIAEXAMPLEKEY000009") for minute in (1, 2, 3)]
    records = logs(*theft(there.instance), *sisters)
    apply = (records, "--offline", "--apply", "tokens", "--yes", "--instance")
    told = harden(*apply, there.sister)
    assert "recorded calls of the workload would break" in str(refused(told))
    assert f"3 recorded calls of instance {there.sister} were made with keys that came by IMDSv1" in told.stderr
    assert harden(*apply, there.instance).exit_code == 0
