"""The programs a role uses, as a user lists them, writes them down, and holds the role to them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from straykey.core.inventory import Program
from tests.conftest import ROOT
from tests.records import RawRecord, gz, issuance_record, trail, use_record
from tests.test_cli import Ran, ranges, straykey

__all__ = ["ranges"]

ROLE = "111122223333/web-role"
HOSTILE = "evil\x1b[2J\x9b31m\u202e/1.0"
UNRECOGNIZED = "CredentialAccess:IAMUser/InstanceUserAgent.Unrecognized"


def at(minute: int, **changes: Any) -> RawRecord:
    return use_record(**{"time": f"2026-05-04T10:{minute:02}:00Z", **changes})


def home() -> list[RawRecord]:
    return [issuance_record(), at(0), at(1, agent="Boto3/1.34.84"), at(50)]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return written(tmp_path / "logs", home())


def written(folder: Path, records: Iterable[RawRecord]) -> Path:
    folder.mkdir()
    (folder / "one.json.gz").write_bytes(gz(trail(*records)))
    return folder


def listed(ran: Ran) -> list[str]:
    return [one["program"] for one in json.loads(ran.stdout)["programs"]]


def types(ran: Ran) -> list[str]:
    return [json.loads(line)["type"] for line in ran.stdout.splitlines()]


def test_the_programs_of_each_role_are_printed(logs: Path, ranges: Path) -> None:
    ran = straykey("agents", logs, "--ip-ranges", ranges)
    assert ran.returncode == 0
    assert [line.split() for line in ran.stdout.splitlines()[1:]] == [
        [ROLE],
        ["aws-cli", "AWS", "1", "of", "1", "2", "2026-05-04T10:00:00Z", "aws-cli/2.17.0"],
        ["boto3", "AWS", "1", "of", "1", "1", "2026-05-04T10:01:00Z", "Boto3/1.34.84"],
    ]
    assert "1 file, 4 records" in ran.stderr


def test_the_programs_are_printed_as_json(logs: Path, ranges: Path) -> None:
    document = json.loads(straykey("agents", logs, "--ip-ranges", ranges, "--format", "json").stdout)
    assert (document["left_out"], document["incomplete_roles"]) == ([], [])
    assert document["programs"][1] == {
        "role": ROLE,
        "program": "boto3",
        "is_aws": True,
        "instances": 1,
        "role_instances": 1,
        "first_seen": "2026-05-04T10:01:00Z",
        "count": 1,
        "count_is_estimate": False,
        "user_agent": "Boto3/1.34.84",
    }


@pytest.mark.parametrize("field", [*Program.__struct_fields__, "left_out", "incomplete_roles"])
def test_every_field_of_the_json_is_documented(field: str) -> None:
    assert f"`{field}`" in (ROOT / "docs/agents.md").read_text()


def test_records_without_instances_have_no_programs(tmp_path: Path, ranges: Path) -> None:
    person: dict[str, Any] = {"instance": "alice", "delivery": None}
    ran = straykey("agents", written(tmp_path / "logs", [at(0, **person)]), "--ip-ranges", ranges)
    assert ran.stdout.startswith("No programs: ")


def test_a_program_that_is_none_of_awss_is_marked(tmp_path: Path, ranges: Path) -> None:
    ran = straykey("agents", written(tmp_path / "logs", [*home(), at(5, agent="curl/8.5.0")]), "--ip-ranges", ranges)
    (curl,) = (line for line in ran.stdout.splitlines() if "curl" in line)
    assert "look at it" in curl
    assert "marked:   1 program of no AWS SDK, command line or service: look before you allow" in ran.stderr


def test_a_program_from_a_stray_network_is_neither_listed_nor_allowed(tmp_path: Path, ranges: Path) -> None:
    thief = at(5, address="203.0.113.66", agent="Boto3/1.34.84")
    logs = written(tmp_path / "logs", [issuance_record(), at(0), thief, at(50)])
    file = tmp_path / "agents.json"
    ran = straykey("agents", logs, "--ip-ranges", ranges, "--format", "json", "--write", file)
    assert listed(ran) == ["aws-cli"]
    assert "left out: 1 program seen only from stray networks: see straykey scan" in ran.stderr
    assert json.loads(file.read_text())["roles"] == {ROLE: ["aws-cli"]}
    assert "boto3" not in file.read_text()


def test_a_period_of_which_nothing_is_known_to_be_bad_can_be_chosen(tmp_path: Path, ranges: Path) -> None:
    logs = written(tmp_path / "logs", [*home(), at(5, agent="curl/8.5.0")])
    ran = straykey("agents", logs, "--ip-ranges", ranges, "--until", "2026-05-04T10:05Z", "--format", "json")
    assert listed(ran) == ["aws-cli", "boto3"]


def test_a_written_list_is_accepted_and_finds_nothing_in_the_same_logs(logs: Path, ranges: Path) -> None:
    file = logs.parent / "agents.json"
    ran = straykey("agents", logs, "--ip-ranges", ranges, "--write", file)
    assert (ran.returncode, f"wrote:    {file}: 2 programs allowed to 1 role" in ran.stderr) == (0, True)
    scanned = straykey("scan", logs, "--ip-ranges", ranges, "--agents", file)
    assert (scanned.returncode, scanned.stdout) == (0, "No stray keys found.\n")


def test_a_later_program_is_found_even_if_it_is_an_sdk_of_awss(logs: Path, ranges: Path) -> None:
    file = logs.parent / "agents.json"
    straykey("agents", logs, "--ip-ranges", ranges, "--write", file)
    later = written(logs.parent / "later", [*home(), at(20, agent="aws-sdk-java/2.25.31 md/io#sync")])
    assert types(straykey("scan", later, "--ip-ranges", ranges, "--format", "jsonl")) == []
    ran = straykey("scan", later, "--ip-ranges", ranges, "--format", "jsonl", "--agents", file)
    (found,) = map(json.loads, ran.stdout.splitlines())
    assert (found["type"], found["severity"]) == (UNRECOGNIZED, "MEDIUM")
    assert "aws-sdk-java is not on the role's list of programs" in found["reasons"][0]["text"]


def test_a_program_none_of_awss_is_found_until_a_person_moves_it_to_the_roles(tmp_path: Path, ranges: Path) -> None:
    logs = written(tmp_path / "logs", [*home(), at(5, agent=HOSTILE)])
    file = tmp_path / "agents.json"
    ran = straykey("agents", logs, "--ip-ranges", ranges, "--write", file)
    assert "1 undecided: move to roles what is yours" in ran.stderr
    scan = ["scan", logs, "--ip-ranges", ranges, "--format", "jsonl", "--agents", file]
    assert types(straykey(*scan)) == [UNRECOGNIZED]
    document = json.loads(file.read_text())
    document["roles"][ROLE] += document["undecided"].pop(ROLE)
    file.write_text(json.dumps(document))
    assert types(straykey(*scan)) == []


def test_roles_that_are_not_listed_are_judged_as_without_a_list(logs: Path, ranges: Path) -> None:
    file = logs.parent / "agents.json"
    file.write_text('{"roles": {"444455556666/web-role": []}}')
    ran = straykey("scan", logs, "--ip-ranges", ranges, "--agents", file)
    assert ran.stdout == "No stray keys found.\n"


def test_explain_takes_the_list_and_names_the_finding(logs: Path, ranges: Path) -> None:
    file = logs.parent / "agents.json"
    file.write_text(json.dumps({"about": "ours", "roles": {ROLE: ["aws-cli"]}}))
    command = ["explain", "i-0123456789abcdef0", logs, "--ip-ranges", ranges]
    title = "Keys of i-0123456789abcdef0 used from its own network by boto3"
    assert title not in straykey(*command).stdout
    assert title in straykey(*command, "--agents", file).stdout


def test_the_next_step_of_a_scan_with_a_list_explains_with_the_same_list(logs: Path, ranges: Path) -> None:
    file = logs.parent / "agents.json"
    file.write_text(json.dumps({"roles": {ROLE: ["aws-cli"]}}))
    ran = straykey("scan", logs, "--ip-ranges", ranges, "--agents", file)
    assert f"straykey explain i-0123456789abcdef0 {logs} --ip-ranges {ranges} --agents {file}\n" in ran.stdout


def test_a_file_that_is_there_is_not_written_over_unless_forced(logs: Path, ranges: Path) -> None:
    file = logs.parent / "agents.json"
    file.write_text("mended")
    command = ["agents", logs, "--ip-ranges", ranges, "--write", file]
    ran = straykey(*command)
    assert (ran.returncode, ran.stdout, file.read_text()) == (2, "", "mended")
    assert "--force" in ran.stderr
    assert straykey(*command, "--force").returncode == 0
    assert json.loads(file.read_text())["roles"] == {ROLE: ["aws-cli", "boto3"]}


def test_a_list_that_cannot_be_written_is_told_with_its_name(logs: Path, ranges: Path) -> None:
    ran = straykey("agents", logs, "--ip-ranges", ranges, "--write", logs / "none" / "agents.json")
    assert (ran.returncode, f"--write {logs}/none/agents.json" in ran.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "line 1, column 2"),
        ("[]", "a list, not an object"),
        ('{"roles": {"web-role": ["boto3"]}}', 'roles, "web-role"'),
        (f'{{"roles": {{"{ROLE}": [1, "aws-cli/2"]}}}}', f'roles, "{ROLE}", program 2'),
        ("\xff", "no UTF-8"),
        (None, "No such file"),
    ],
)
@pytest.mark.parametrize("command", [["scan"], ["explain", "i-0123456789abcdef0"]])
def test_a_wrong_list_exits_2_and_says_where(
    command: list[str], content: str | None, told: str, logs: Path, ranges: Path
) -> None:
    file = logs.parent / "agents.json"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    ran = straykey(*command, logs, "--ip-ranges", ranges, "--agents", file)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"--agents {file}" in ran.stderr
    assert told in ran.stderr


def test_nothing_hostile_is_printed_or_written_raw(tmp_path: Path, ranges: Path) -> None:
    role = "role\x1b[2J\x9b\u202e"
    logs = written(tmp_path / "logs", [at(0, role=role), at(1, role=role, agent=HOSTILE)])
    for how in ("table", "json"):
        file = tmp_path / f"{how}\x1b[31m"
        ran = straykey("agents", logs, "--ip-ranges", ranges, "--format", how, "--write", file)
        assert ran.returncode == 0
        assert not {"\x1b", "\x9b", "\u202e"} & {*ran.stdout, *ran.stderr, *file.read_text()}
        assert file.read_text().isascii()


def test_services_that_acted_are_reported_only_on_request(tmp_path: Path, ranges: Path) -> None:
    service = at(5, address="kms.amazonaws.com", agent="kms.amazonaws.com", event="Decrypt", source="kms.amazonaws.com")
    logs = written(tmp_path / "logs", [*home(), service])
    scan = ["scan", logs, "--ip-ranges", ranges, "--format", "jsonl"]
    assert types(straykey(*scan)) == []
    (found,) = map(json.loads, straykey(*scan, "--report", "service-calls").stdout.splitlines())
    assert (found["type"], found["severity"]) == ("Discovery:IAMUser/InstanceServiceCalls", "INFORMATIONAL")
    assert straykey(*scan, "--report", "nonsense").returncode == 2


def test_explain_names_the_finding_of_a_service_that_acted(tmp_path: Path, ranges: Path) -> None:
    service = at(5, address="kms.amazonaws.com", agent="kms.amazonaws.com", event="Decrypt", source="kms.amazonaws.com")
    logs = written(tmp_path / "logs", [*home(), service])
    command = ["explain", "i-0123456789abcdef0", logs, "--ip-ranges", ranges]
    assert "InstanceServiceCalls" not in straykey(*command).stdout
    assert "InstanceServiceCalls" in straykey(*command, "--report", "service-calls").stdout
