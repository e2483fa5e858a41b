"""The command line as its users meet it: a process with stdout, stderr and an exit code."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from straykey import __version__
from tests.records import RawRecord, gz, issuance_record, trail, use_record

INSTANCE = "i-0123456789abcdef0"
Ran = subprocess.CompletedProcess[str]


def straykey(*arguments: object, stdin: bytes = b"") -> Ran:
    """Run it where nothing is cached and nothing is downloaded."""
    command = [sys.executable, "-m", "straykey", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    return Ran(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def theft(**changes: str) -> list[RawRecord]:
    stray = use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z", **changes)
    return [issuance_record(), use_record(), use_record(time="2026-05-04T10:09:00Z"), stray]


@pytest.fixture
def ranges(tmp_path: Path) -> Path:
    path = tmp_path / "ranges.txt"
    prefix = {"ip_prefix": "198.18.0.0/16", "region": "eu-west-1", "service": "EC2"}
    path.write_text(json.dumps({"syncToken": "1777716000", "createDate": "2026-05-02-10-00-00", "prefixes": [prefix]}))
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "one.json.gz").write_bytes(gz(trail(*theft())))
    return folder


def test_a_theft_is_printed_and_the_exit_code_is_0(logs: Path, ranges: Path) -> None:
    ran = straykey("scan", logs, "--ip-ranges", ranges)
    assert ran.returncode == 0
    assert f"Keys of {INSTANCE} used from 203.0.113.66, outside AWS" in ran.stdout
    assert "What to do next" in ran.stdout


def test_results_go_to_stdout_and_the_summary_to_stderr(logs: Path, ranges: Path) -> None:
    ran = straykey("scan", logs, "--ip-ranges", ranges, "--format", "jsonl")
    assert [json.loads(line)["severity"] for line in ran.stdout.splitlines()] == ["HIGH"]
    assert "1 file, 4 records" in ran.stderr
    assert "sessions  1 of roles and users, 1 of them of workloads" in ran.stderr
    assert "token 1777716000, created 2026-05-02-10-00-00" in ran.stderr
    assert "findings  1 HIGH" in ran.stderr


def test_the_json_document_tells_the_ranges_it_was_judged_by(logs: Path, ranges: Path) -> None:
    document = json.loads(straykey("scan", logs, "--ip-ranges", ranges, "--format", "json").stdout)
    assert document["aws_ranges"] == {"token": "1777716000", "created": "2026-05-02-10-00-00"}
    assert len(document["findings"]) == 1


@pytest.mark.parametrize(
    ("form", "path"),
    [("asff", ("Id",)), ("ocsf", ("finding_info", "uid")), ("guardduty", ("detail", "id"))],
)
def test_the_formats_of_others_are_lists_with_our_ids(
    form: str, path: tuple[str, ...], logs: Path, ranges: Path
) -> None:
    (ours,) = json.loads(straykey("scan", logs, "--ip-ranges", ranges, "--format", "json").stdout)["findings"]
    (told,) = json.loads(straykey("scan", logs, "--ip-ranges", ranges, "--format", form).stdout)
    for name in path:
        told = told[name]
    assert told.removeprefix("straykey/") == ours["id"]


@pytest.mark.parametrize("form", ["asff", "ocsf", "guardduty"])
def test_without_findings_the_formats_of_others_are_empty_lists(form: str, tmp_path: Path, ranges: Path) -> None:
    (tmp_path / "quiet.json").write_bytes(trail(use_record()))
    ran = straykey("scan", tmp_path / "quiet.json", "--ip-ranges", ranges, "--format", form)
    assert (ran.returncode, json.loads(ran.stdout)) == (0, [])


@pytest.mark.parametrize(("at_least", "code"), [("HIGH", 1), ("LOW", 1)])
def test_fail_on_exits_1_for_a_finding_that_severe(at_least: str, code: int, logs: Path, ranges: Path) -> None:
    assert straykey("scan", logs, "--ip-ranges", ranges, "--fail-on", at_least).returncode == code


def test_fail_on_lets_lesser_findings_pass(tmp_path: Path, ranges: Path) -> None:
    home = {"instance": "i-0fedcba9876543210", "address": "198.18.7.7"}
    lesser = use_record(address="198.18.7.7", time="2026-05-04T10:05:00Z")
    (tmp_path / "low.json").write_bytes(trail(use_record(**home, time="2026-05-04T09:00:00Z"), use_record(), lesser))
    ran = straykey("scan", tmp_path / "low.json", "--ip-ranges", ranges, "--fail-on", "MEDIUM")
    assert "findings  1 LOW" in ran.stderr
    assert ran.returncode == 0


def test_fail_on_goes_before_unread_input(logs: Path, ranges: Path) -> None:
    (logs / "broken.json.gz").write_bytes(b"\x1f\x8b broken")
    assert straykey("scan", logs, "--ip-ranges", ranges, "--fail-on", "HIGH").returncode == 1
    assert straykey("scan", logs, "--ip-ranges", ranges).returncode == 3


def test_without_ranges_it_says_so_and_goes_on(logs: Path) -> None:
    ran = straykey("scan", logs, "--offline", "--format", "jsonl")
    assert "ranges    unknown, every public stray will be of type Unknown (offline)" in ran.stderr
    assert json.loads(ran.stdout)["type"].endswith(".Unknown")


def test_standard_input_is_read(ranges: Path) -> None:
    ran = straykey("scan", "-", "--ip-ranges", ranges, stdin=gz(trail(*theft())))
    assert "203.0.113.66" in ran.stdout


def test_a_trusted_network_explains_the_stray(logs: Path, ranges: Path) -> None:
    ran = straykey("scan", logs, "--ip-ranges", ranges, "--trusted-network", "203.0.113.64/28")
    assert ran.stdout == "No stray keys found.\n"


def test_a_beacon_makes_home_in_scan_and_explain_where_its_role_is_named(tmp_path: Path, ranges: Path) -> None:
    asked = {"event": "GetCallerIdentity", "source": "sts.amazonaws.com", "agent": "straykey-beacon/1"}
    thief_first = use_record(address="198.18.7.7", time="2026-05-04T10:01:00Z")
    beacon = use_record(address="198.18.0.10", time="2026-05-04T10:03:00Z", **asked)
    (tmp_path / "t.json").write_bytes(trail(issuance_record(time="2026-05-04T10:00:00Z"), thief_first, beacon))
    for options, stray, home in (([], "198.18.0.10", "first-use"), (["--beacon", "web-role"], "198.18.7.7", "beacon")):
        given = [tmp_path / "t.json", "--ip-ranges", ranges, *options]
        (finding, *_) = map(json.loads, straykey("scan", *given, "--format", "jsonl").stdout.splitlines())
        assert finding["stray"]["address"] == stray
        assert [one["why"] for one in finding["home"]] == [home]
        assert home in straykey("explain", "i-0123456789abcdef0", *given).stdout


def test_until_leaves_later_records_out_and_counts_them(logs: Path, ranges: Path) -> None:
    ran = straykey("scan", logs, "--ip-ranges", ranges, "--until", "2026-05-04T10:05Z")
    assert ran.stdout == "No stray keys found.\n"
    assert "2 × outside --since/--until" in ran.stderr


def test_since_takes_the_offset_of_a_time_into_account(logs: Path, ranges: Path) -> None:
    ran = straykey("scan", logs, "--ip-ranges", ranges, "--since", "2026-05-04T12:05:00+02:00")
    assert "2 × outside --since/--until" in ran.stderr


def test_accounts_may_stand_in_a_file(tmp_path: Path, ranges: Path) -> None:
    stray = use_record(
        address="172.31.0.9", endpoint="vpce-0e", endpoint_owner="444455556666", time="2026-05-04T10:05:00Z"
    )
    first = use_record(address="10.0.0.1", endpoint="vpce-0a", endpoint_owner="111122223333")
    (tmp_path / "t.json").write_bytes(trail(first, stray))
    (tmp_path / "accounts.txt").write_text("\ufeff# ours\n123456789012\n444455556666  # the hub\n")
    for accounts in ("444455556666,123456789012", tmp_path / "accounts.txt"):
        ran = straykey("scan", tmp_path / "t.json", "--ip-ranges", ranges, "--accounts", accounts, "--format", "jsonl")
        assert json.loads(ran.stdout)["severity"] == "MEDIUM"


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "/nowhere/at/all"],
        ["scan", "{logs}", "--ip-ranges", "/nowhere.json"],
        ["scan", "{logs}", "--ip-ranges", "{logs}/one.json.gz"],
        ["scan", "{logs}", "--trusted-network", "10.0.0.0/99"],
        ["scan", "{logs}", "--accounts", "12345"],
        ["scan", "{logs}", "--beacon", "service-role/web"],
        ["scan", "{logs}", "--since", "yesterday"],
        ["scan", "{logs}", "--format", "xml"],
        ["scan", "{logs}", "--since", "2026-05-05", "--until", "2026-05-04"],
        ["scan", "{logs}", "--accounts", "no-such-file.txt"],
        ["scan"],
        ["explain", "i-00000000000000000", "{logs}", "--offline"],
        ["simulate", "/proc/nowhere"],
        ["simulate", "{logs}/new", "--instances", "1", "--thefts", "9"],
        ["nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_in_words_and_exits_2(arguments: list[str], logs: Path) -> None:
    ran = straykey(*(argument.format(logs=logs) for argument in arguments))
    assert ran.returncode == 2, ran
    assert ran.stdout == ""
    assert ran.stderr.strip()
    assert "Traceback" not in ran.stderr


def test_a_path_that_does_not_exist_is_one_clear_line_and_a_hint() -> None:
    told = straykey("scan", "/nowhere/at/all").stderr.splitlines()
    assert told == [
        "straykey: /nowhere/at/all: no such file or folder",
        "  name CloudTrail files, folders of them, s3://bucket/prefix, or -",
    ]


def test_hundreds_of_accounts_may_be_listed(logs: Path, ranges: Path) -> None:
    ids = ",".join(f"{n:012d}" for n in range(900))
    assert straykey("scan", logs, "--ip-ranges", ranges, "--accounts", ids).returncode == 0


def test_a_full_disk_is_told_in_words(logs: Path, ranges: Path) -> None:
    command = f"{sys.executable} -m straykey scan {logs} --ip-ranges {ranges} --format json > /dev/full"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (ran.returncode, "cannot write the output" in ran.stderr) == (2, True)


def test_a_session_that_is_no_instances_is_not_called_stray(tmp_path: Path, ranges: Path) -> None:
    person: dict[str, Any] = {"instance": "alice", "delivery": None}
    moves = [use_record(**person), use_record(**person, address="203.0.113.66", time="2026-05-04T11:00:00Z")]
    (tmp_path / "t.json").write_bytes(trail(*moves))
    ran = straykey("explain", "alice", tmp_path / "t.json", "--ip-ranges", ranges)
    assert "not judged" in ran.stdout
    assert "stray " not in ran.stdout


def test_explain_shows_every_network_and_the_record_that_proves_it(logs: Path, ranges: Path) -> None:
    ran = straykey("explain", INSTANCE, logs, "--ip-ranges", ranges)
    assert ran.returncode == 0
    for text in ("198.18.0.10", "first-use", "203.0.113.66", "stray", "proved by", theft()[3]["eventID"], "cannot see"):
        assert text in ran.stdout


def test_explain_takes_a_sessions_arn_and_prints_json(logs: Path, ranges: Path) -> None:
    arn = f"arn:aws:sts::111122223333:assumed-role/web-role/{INSTANCE}"
    ran = straykey("explain", arn, logs, "--ip-ranges", ranges, "--format", "json")
    (session,) = json.loads(ran.stdout)
    assert [network["verdict"] for network in session["networks"]] == ["home", "stray"]


def test_nothing_hostile_reaches_stdout_or_stderr_raw(tmp_path: Path, ranges: Path) -> None:
    hostile = "\x1b[2J\x9b31m[red]\u202e"
    role = f"role{hostile}"
    records = [*theft(agent=hostile, event=hostile, role=role), use_record(role=role)]
    folder = tmp_path / "odd\x1b[31m"
    folder.mkdir()
    (folder / "t.json").write_bytes(trail(*records))
    (folder / "broken.json").write_bytes(b"{")
    for arguments in (["scan", folder], ["scan", folder, "--format", "jsonl"], ["explain", INSTANCE, folder]):
        ran = straykey(*arguments, "--ip-ranges", ranges)
        assert not {"\x1b", "\x9b", "\u202e"} & {*ran.stdout, *ran.stderr}


def test_no_secret_of_a_record_is_printed(tmp_path: Path, ranges: Path) -> None:
    (tmp_path / "t.json").write_bytes(trail(*theft()))
    for arguments in (["scan"], ["scan", "--format", "json"], ["explain", INSTANCE]):
        ran = straykey(*arguments, tmp_path / "t.json", "--ip-ranges", ranges)
        assert "EXAMPLE-TOKEN" not in ran.stdout + ran.stderr


def test_a_reader_that_goes_away_is_no_error(logs: Path, ranges: Path) -> None:
    command = f"{sys.executable} -m straykey scan {logs} --ip-ranges {ranges} --format json | head -c 1"
    ran = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert ran.returncode == 0
    assert b"Traceback" not in ran.stderr
    assert b"Exception" not in ran.stderr


def test_a_progress_bar_shows_on_a_terminal_only(logs: Path, ranges: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "straykey", "scan", str(logs), "--ip-ranges", str(ranges)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 4096)
            except OSError:  # Linux says so when the other side closes
                break
            shown += chunk
        process.wait()
    os.close(ours)
    assert b"\x1b[?25l" in shown
    assert "\x1b" not in straykey("scan", logs, "--ip-ranges", ranges).stderr


def test_equal_seeds_simulate_equal_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert straykey("simulate", tmp_path / name, "--instances", "3", "--thefts", "1").returncode == 0
    one, two = (sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in ("one", "two"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_a_simulated_folder_scans_clean_with_its_side_files_in_it(tmp_path: Path) -> None:
    straykey("simulate", tmp_path / "world", "--thefts", "1")
    ran = straykey("scan", tmp_path / "world", "--ip-ranges", tmp_path / "world" / "ip-ranges.json")
    assert ran.returncode == 0
    assert "findings  1 HIGH" in ran.stderr


def test_a_second_simulation_into_one_folder_is_refused(tmp_path: Path) -> None:
    straykey("simulate", tmp_path / "world", "--thefts", "0")
    ran = straykey("simulate", tmp_path / "world", "--thefts", "0")
    assert (ran.returncode, "holds a simulation already" in ran.stderr) == (2, True)


def test_the_demo_finds_its_two_thefts_and_says_what_to_do(tmp_path: Path) -> None:
    ran = straykey("demo", tmp_path / "company")
    assert ran.returncode == 0
    assert ran.stdout.count("Keys of i-") == 2
    assert "straykey contain" in ran.stdout
    again = straykey("demo", tmp_path / "company")
    assert again.stdout == ran.stdout


def test_the_version_is_printed() -> None:
    assert straykey("--version").stdout == f"straykey {__version__}\n"
