"""The commands about what `watch` keeps, on stores that its commits filled."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from straykey.cli import app
from straykey.core import lifecycle
from straykey.core.finding import Severity, Status
from straykey.core.lifecycle import Tracked
from straykey.core.moment import later
from straykey.core.rule import Rule
from straykey.errors import StraykeyError, UsageError
from straykey.options import now
from straykey.sources.notice import ObjectRef
from straykey.stores import findings, outbox, progress, troubles
from straykey.stores.database import Database
from straykey.stores.progress import Worker
from straykey.stores.troubles import State, Trouble
from straykey.watch.feed import Parcel
from tests.records import RawRecord, issuance_record, use_record
from tests.watch.records_in import NOW, Process, Shelf

HOME, THIEF = "198.18.0.10", "203.0.113.66"
OTHER = {"instance": "i-0fedcba9876543210", "account": "444455556666", "role": "batch"}
AT_HOME = [use_record(address=HOME, time=f"2026-05-04T10:0{n}:00Z") for n in range(4)]
STOLEN = use_record(address=THIEF, time="2026-05-04T10:05:00Z")
ELSEWHERE = [
    use_record(**OTHER),
    use_record(**OTHER, address="203.0.113.67", time="2026-05-04T10:30:00Z"),
]
SINKS = {"hub": Severity.INFORMATIONAL}


class Kept:
    """A store that a process fills, and the commands on it."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.url = url
        self.shelf = Shelf()
        self.process = Process(self.database, self.shelf)
        self._objects = 0

    def sees(self, *records: RawRecord, at: str = NOW) -> None:
        self._objects += 1
        parcels = [Parcel("m", objects=(self._put(records),))] if records else []
        self.process.take(parcels, now=at, sinks=SINKS)

    def _put(self, records: tuple[RawRecord, ...]) -> ObjectRef:
        return self.shelf.put(f"o{self._objects}", records)

    def invoke(self, *arguments: object) -> Result:
        return CliRunner().invoke(app, [*map(str, arguments), "--store", self.url])

    def run(self, *arguments: object) -> str:
        """What a command prints that goes well."""
        done = self.invoke(*arguments)
        assert done.exit_code == 0, done.exception
        return done.stdout

    def refused(self, *arguments: object) -> StraykeyError:
        error = self.invoke(*arguments).exception
        assert isinstance(error, UsageError)
        return error

    @property
    def all(self) -> list[Tracked]:
        with self.process.store.reading() as connection:
            return list(findings.findings_since(connection, -1).values())

    @property
    def only(self) -> Tracked:
        (one,) = self.all
        return one

    def statuses(self) -> list[Status]:
        return [one.status for one in self.all]

    @property
    def id(self) -> str:
        return self.only.finding.id

    def told(self) -> list[str]:
        """The statuses that the sink was to be told of, in order."""
        with self.process.store.reading() as connection:
            return [one.finding.status for one in outbox.told_of(connection, self.id)]


@pytest.fixture
def kept(url: str) -> Iterator[Kept]:
    """On SQLite and on PostgreSQL."""
    store = Kept(url)
    yield store
    store.database.close()


@pytest.fixture
def stolen(kept: Kept) -> Kept:
    """With one finding."""
    kept.sees(*AT_HOME, STOLEN)
    return kept


def listed(kept: Kept, *options: str) -> list[str]:
    """The addresses of what is listed, in order."""
    found = json.loads(kept.run("findings", "list", "--json", *options))["findings"]
    return [one["stray"]["address"] for one in found]


def test_findings_are_listed_in_the_order_of_a_scan(kept: Kept) -> None:
    kept.sees(*ELSEWHERE)
    kept.sees(*AT_HOME, STOLEN)
    assert listed(kept) == [THIEF, "203.0.113.67"]


def test_a_list_can_be_narrowed(kept: Kept) -> None:
    kept.sees(*ELSEWHERE, *AT_HOME, STOLEN)
    assert listed(kept, "--account", "444455556666") == ["203.0.113.67"]
    assert listed(kept, "--severity", "HIGH") == [THIEF, "203.0.113.67"]
    assert listed(kept, "--status", "suppressed") == []


def test_what_is_over_is_listed_on_demand_only(stolen: Kept) -> None:
    stolen.run("findings", "resolve", stolen.id, "--reason", "keys revoked")
    assert listed(stolen) == []
    assert listed(stolen, "--all") == listed(stolen, "--status", "resolved") == [THIEF]


def test_a_list_tells_on_stderr_how_many_it_leaves_out(stolen: Kept) -> None:
    assert stolen.invoke("findings", "list", "--status", "resolved").stderr == "0 of 1 findings\n"


def test_jsonl_has_a_finding_on_each_line(kept: Kept) -> None:
    kept.sees(*ELSEWHERE, *AT_HOME, STOLEN)
    lines = kept.run("findings", "list", "--format", "jsonl").splitlines()
    assert [json.loads(line)["tracked"]["opened"] for line in lines] == [NOW, NOW]


def test_a_table_shows_beginnings_of_ids_that_the_commands_take(stolen: Kept) -> None:
    head, line = stolen.run("findings", "list").splitlines()
    assert head.split() == ["id", "severity", "sure", "status", "last", "seen", "what"]
    assert stolen.id.startswith(line.split()[0])
    assert stolen.id in stolen.run("findings", "show", line.split()[0])


def test_a_beginning_that_fits_several_is_refused_and_they_are_listed(stolen: Kept) -> None:
    one = stolen.only
    twin = replace(one, finding=replace(one.finding, id=one.finding.id[:10] + "f" * 22, title="\x1b[2J"))
    with stolen.process.store.writing() as writing:
        findings.put_findings(writing.connection, [twin], writing.revision)
    error = stolen.refused("findings", "show", one.finding.id[:10])
    assert "2 findings begin with" in str(error)
    assert one.finding.id in str(error)
    assert f"{twin.finding.id} (\\x1b[2J)" in str(error)
    length = len(stolen.run("findings", "list").splitlines()[1].split()[0])
    assert stolen.run("findings", "show", one.finding.id[:length])


@pytest.mark.parametrize("name", ["0000", "%", "", "\x1b[31m", "z"])
def test_an_id_that_fits_none_is_refused(stolen: Kept, name: str) -> None:
    error = stolen.refused("findings", "show", name)
    assert "no finding" in str(error)
    assert "\x1b" not in str(error)


def test_an_acknowledged_finding_shows_who_said_what_and_the_sink_is_told_at_the_next_commit(stolen: Kept) -> None:
    stolen.run("findings", "ack", stolen.id[:8], "--note", "looking into it", "--by", "ann")
    assert stolen.told() == ["open"]
    stolen.sees(at="2026-05-04T12:01:00Z")
    shown = stolen.run("findings", "show", stolen.id[:8])
    assert "acknowledged since" in shown
    assert "by ann: looking into it" in shown
    assert stolen.told() == ["open", "acknowledged"]


def test_who_says_something_is_who_is_logged_in_unless_another_is_named(stolen: Kept) -> None:
    done = CliRunner().invoke(
        app, ["findings", "ack", stolen.id, "--store", stolen.url], env={"LOGNAME": "berta", "USER": "berta"}
    )
    assert done.exit_code == 0
    assert stolen.only.by == "berta"


def test_several_are_acknowledged_at_once_or_none(kept: Kept) -> None:
    kept.sees(*ELSEWHERE, *AT_HOME, STOLEN)
    names = [one.finding.id for one in kept.all]
    kept.refused("findings", "ack", *names, "0000")
    assert {one.status for one in kept.all} == {Status.OPEN}
    assert len(kept.run("findings", "ack", *names).splitlines()) == 2
    assert {one.status for one in kept.all} == {Status.ACKNOWLEDGED}


def test_a_process_that_starts_later_tells_what_was_said_meanwhile(stolen: Kept) -> None:
    stolen.run("findings", "ack", stolen.id)
    stolen.process = Process(stolen.database, stolen.shelf, "later")
    stolen.sees()
    assert stolen.told() == ["open", "acknowledged"]


def test_resolving_needs_a_reason(stolen: Kept) -> None:
    assert stolen.invoke("findings", "resolve", stolen.id).exit_code == 2
    assert stolen.statuses() == [Status.OPEN]


def test_what_was_said_can_be_taken_back(stolen: Kept) -> None:
    for said in (["ack"], ["resolve", "--reason", "was me"]):
        stolen.run("findings", *said, stolen.id)
        assert stolen.statuses() != [Status.OPEN]
        stolen.run("findings", "reopen", stolen.id)
        assert (stolen.only.status, stolen.only.note, stolen.only.by) == (Status.OPEN, "", "")


def test_what_is_over_or_open_already_is_told_so(stolen: Kept) -> None:
    assert "is open" in str(stolen.refused("findings", "reopen", stolen.id))
    stolen.run("findings", "resolve", stolen.id, "--reason", "was me")
    assert "resolved already" in str(stolen.refused("findings", "ack", stolen.id))
    assert "resolved already" in str(stolen.refused("findings", "resolve", stolen.id, "--reason", "x"))


def test_what_the_logs_resolved_is_not_reopened_by_hand(stolen: Kept) -> None:
    over = stolen.only
    with stolen.process.store.writing() as writing:
        resolved = lifecycle.explained(over, "address-grant: late", NOW)
        findings.put_findings(writing.connection, [resolved], writing.revision)
    assert "by the logs" in str(stolen.refused("findings", "reopen", stolen.id))
    stolen.run("findings", "suppress", "--role", "web-role", "--reason", "red team", "--for", "30d")
    assert stolen.statuses() == [Status.RESOLVED]


def test_a_note_that_is_too_long_is_refused(stolen: Kept) -> None:
    stolen.refused("findings", "ack", stolen.id, "--note", "x" * 501)
    assert stolen.statuses() == [Status.OPEN]


def test_nothing_hostile_that_was_said_reaches_the_terminal_raw(stolen: Kept) -> None:
    stolen.run("findings", "ack", stolen.id, "--note", "\x1b]0;x\x07\u202e", "--by", "\x1b[2J")
    shown = stolen.run("findings", "show", stolen.id) + stolen.run("findings", "list", "--json")
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


HIDE = ("--reason", "red team", "--for", "30d")


def test_a_rule_made_of_a_finding_names_its_instance_and_address_and_hides_it_at_once(stolen: Kept) -> None:
    shown = stolen.run("findings", "suppress", stolen.id[:9], *HIDE)
    assert "account 111122223333, role web-role, instance i-0123456789abcdef0, network 203.0.113.66/32" in shown
    assert stolen.statuses() == [Status.SUPPRESSED]
    (rule,) = json.loads(stolen.run("findings", "rules", "--json"))["rules"]
    assert (rule["hid"], rule["hides"], rule["is_live"]) == (1, 1, True)
    assert f"suppressed since {rule['created']} by rule {rule['id']}" in stolen.run("findings", "show", stolen.id)


def test_the_process_that_watches_keeps_to_a_rule_and_tells_the_sink(stolen: Kept) -> None:
    stolen.run("findings", "suppress", stolen.id, *HIDE)
    stolen.sees(use_record(address=THIEF, time="2026-05-04T11:00:00Z"), at=now())
    assert stolen.statuses() == [Status.SUPPRESSED]
    assert stolen.told() == ["open", "suppressed"]
    stolen.run("findings", "unsuppress", stolen.only.rule)
    stolen.sees(at=now())
    assert stolen.statuses() == [Status.OPEN]
    assert stolen.told() == ["open", "suppressed", "open"]


def test_a_rule_hides_only_what_it_covers(kept: Kept) -> None:
    kept.sees(*ELSEWHERE, *AT_HOME, STOLEN)
    shown = kept.run("findings", "suppress", "--network", "203.0.113.64/31", "--account", "111122223333", *HIDE)
    assert len(shown.splitlines()) == 1
    shown = kept.run("findings", "suppress", "--network", "203.0.113.64/30", "--account", "111122223333", *HIDE)
    assert THIEF in shown
    assert [one.status for one in kept.all if one.finding.stray.address != THIEF] == [Status.OPEN]


def test_a_rule_made_of_a_finding_about_no_address_names_its_type(kept: Kept) -> None:
    kept.sees(*(use_record(delivery="1.0", time=f"2026-05-04T10:0{n}:00Z") for n in range(4)))
    shown = kept.run("findings", "suppress", kept.id, *HIDE)
    assert shown.splitlines()[0].endswith(
        ": type Policy:EC2/InstanceMetadata.V1Delivery, account 111122223333, role web-role"
    )
    assert kept.statuses() == [Status.SUPPRESSED]


def test_an_option_replaces_what_the_finding_says(stolen: Kept) -> None:
    shown = stolen.run("findings", "suppress", stolen.id, "--network", "203.0.113.0/24", *HIDE)
    assert "instance i-0123456789abcdef0, network 203.0.113.0/24" in shown


def test_what_a_person_acknowledged_or_resolved_stays_so_under_a_rule(kept: Kept) -> None:
    kept.sees(*ELSEWHERE, *AT_HOME, STOLEN)
    one, other = (one.finding.id for one in kept.all)
    kept.run("findings", "ack", one)
    kept.run("findings", "resolve", other, "--reason", "was me")
    kept.run("findings", "suppress", "--network", "203.0.113.0/24", *HIDE)
    assert {found.finding.id: found.status for found in kept.all} == {one: Status.ACKNOWLEDGED, other: Status.RESOLVED}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--for", "30d"], "hide nothing"),
        (["--role", "r"], "either --for or --until"),
        (["--role", "r", "--for", "1d", "--until", "2030-01-01"], "either --for or --until"),
        (["--role", "r", "--for", "367d"], "longer than a year"),
        (["--role", "r", "--until", "2020-01-01"], "would be over"),
        (["--role", "r", "--until", "soon"], "--until soon: no time"),
        (["--role", "r", "--for", "soon"], "--for"),
        (["--network", "203.0.113.66/24", "--for", "1d"], "--network"),
        (["--type", "Unheard*", "--for", "1d"], "no type of finding"),
        (["--type", "*", "--for", "1d"], "every finding"),
        (["--role", "r", "--for", "1d", "--reason", " "], "needs a reason"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(stolen: Kept, options: list[str], said: str) -> None:
    assert said in str(stolen.refused("findings", "suppress", "--reason", "why", *options))
    assert json.loads(stolen.run("findings", "rules", "--all", "--json")) == {"rules": []}


def test_a_rule_that_would_not_cover_the_finding_named_is_refused(stolen: Kept) -> None:
    assert "not cover" in str(stolen.refused("findings", "suppress", stolen.id, "--role", "other", *HIDE))


def test_what_a_rule_hid_opens_when_the_rule_is_ended_and_the_rule_is_still_told_of(stolen: Kept) -> None:
    stolen.run("findings", "suppress", stolen.id, *HIDE)
    hidden = stolen.only.rule
    error = stolen.refused("findings", "reopen", stolen.id)
    assert f"hidden by rule {hidden}" in str(error)
    assert error.hint == f"straykey findings unsuppress {hidden}"
    shown = stolen.run("findings", "unsuppress", hidden[:5])
    assert f"{stolen.id[:8]}  open" in shown
    assert stolen.statuses() == [Status.OPEN]
    assert json.loads(stolen.run("findings", "rules", "--json")) == {"rules": []}
    (rule,) = json.loads(stolen.run("findings", "rules", "--all", "--json"))["rules"]
    assert (rule["hid"], rule["hides"], rule["is_live"]) == (1, 0, False)
    assert "is over since" in str(stolen.refused("findings", "unsuppress", hidden))
    assert "no rule" in str(stolen.refused("findings", "unsuppress", "x"))


def test_what_another_rule_hides_too_stays_hidden(stolen: Kept) -> None:
    stolen.run("findings", "suppress", stolen.id, *HIDE)
    first = stolen.only.rule
    stolen.run("findings", "suppress", "--role", "web-role", *HIDE)
    stolen.run("findings", "unsuppress", stolen.only.rule)
    assert stolen.statuses() == [Status.SUPPRESSED]
    assert stolen.only.rule in {rule.id for rule in rules_of(stolen)}
    stolen.run("findings", "unsuppress", stolen.only.rule)
    assert stolen.statuses() == [Status.OPEN]
    assert first in {rule.id for rule in rules_of(stolen)}


def test_what_is_reopened_stays_hidden_where_a_rule_covers_it(stolen: Kept) -> None:
    stolen.run("findings", "ack", stolen.id)
    stolen.run("findings", "suppress", "--role", "web-role", *HIDE)
    assert "suppressed" in stolen.run("findings", "reopen", stolen.id)


def test_show_tells_what_sinks_were_told_and_what_they_refused(stolen: Kept) -> None:
    with stolen.process.store.writing() as writing:
        (one,) = outbox.claim(writing.connection, "hub", 9, "2027", "2028")
        outbox.refused(writing.connection, one.number, reason="400: \x1bno", due="2027", is_final=True)
    shown = stolen.run("findings", "show", stolen.id)
    assert "hub  parked, refused 1 time: 400: \\x1bno" in shown
    found = json.loads(stolen.run("findings", "show", stolen.id, "--json"))
    assert [one["status"] for one in found["tellings"]] == ["open"]
    assert [(one["sink"], one["state"], one["tries"]) for one in found["deliveries"]] == [("hub", "parked", 1)]


def rules_of(kept: Kept) -> list[Rule]:
    with kept.process.store.reading() as connection:
        return findings.rules_of(connection)


def test_a_change_is_told_of_once_however_many_sinks_hear_of_it(kept: Kept) -> None:
    parcel = Parcel("m", objects=(kept.shelf.put("o", [*AT_HOME, STOLEN]),))
    kept.process.take([parcel], sinks=SINKS | {"pager": Severity.LOW})
    found = json.loads(kept.run("findings", "show", kept.id, "--json"))
    assert [one["status"] for one in found["tellings"]] == ["open"]
    assert [one["sink"] for one in found["deliveries"]] == ["hub", "pager"]


def condition(kept: Kept, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kept.run("status", "--json", *options))
    return found


def test_status_tells_how_far_watching_is_and_what_it_sees(kept: Kept) -> None:
    kept.sees(*AT_HOME, STOLEN, issuance_record())
    found = condition(kept)
    assert (found["last_commit"], found["sessions"]) == (NOW, 1)
    assert found["newest_record"] == "2026-05-04T10:05:00Z"
    assert found["findings"] == {"open": {"HIGH": 1}}
    (row,) = found["coverage"]
    assert sorted(row["seen"]) == ["ec2-issuance", "read"]
    assert [gap["code"] for gap in found["gaps"]] == ["write", "data"]


def test_where_ec2_is_never_seen_to_take_a_role_status_says_what_that_means(stolen: Kept) -> None:
    assert "AssumeRole by EC2 is not seen" in stolen.run("status")


def test_a_process_that_committed_nothing_for_a_minute_is_stale(kept: Kept) -> None:
    at = now()
    with kept.process.store.writing() as writing:
        for name, seconds in (("alive", 3600), ("dead", -3600)):
            worker = Worker(name, NOW, later(at, seconds), rate=5.0, backlog=7)
            progress.put_worker(writing.connection, worker)
    found = condition(kept)
    assert [(one["name"], one["is_stale"]) for one in found["workers"]] == [
        ("alive", False),
        ("dead", True),
    ]
    assert (found["records_per_second"], found["backlog"]) == (5.0, 7)


def test_trouble_is_named_with_its_reason_until_it_is_forgotten(kept: Kept) -> None:
    name = "s3://logs/a\x1b.gz"
    with kept.process.store.writing() as writing:
        troubles.put_trouble(writing.connection, Trouble(name, State.QUARANTINED, "access denied", 5, NOW, NOW))
    shown = kept.run("status")
    assert "quarantined: 1" in shown
    assert "s3://logs/a\\x1b.gz after 5 tries: access denied" in shown
    assert "no" in str(kept.refused("status", "--forget-trouble", "s3://logs/b"))
    assert condition(kept, "--forget-trouble", name)["troubles"] == []


def test_what_was_given_up_is_told_with_its_reason_and_tried_again_on_demand(stolen: Kept) -> None:
    with stolen.process.store.writing() as writing:
        (one,) = outbox.claim(writing.connection, "hub", 9, "2027", "2028")
        outbox.refused(writing.connection, one.number, reason="403: no", due="2027", is_final=True)
    assert "hub  0 delivered, 0 waiting, 1 given up: 403: no" in stolen.run("status")
    stolen.refused("status", "--retry-parked", "--sink", "pager")
    stolen.refused("status", "--sink", "hub")
    (sink,) = condition(stolen, "--retry-parked", "--sink", "hub")["sinks"]
    assert (sink["waiting"], sink["parked"]) == (1, 0)


def test_why_a_sink_refused_stays_to_be_seen_when_more_waits_for_it(kept: Kept) -> None:
    kept.sees(*AT_HOME, STOLEN)
    with kept.process.store.writing() as writing:
        (one,) = outbox.claim(writing.connection, "hub", 9, "2027", "2028")
        outbox.refused(writing.connection, one.number, reason="503: later", due="2027", is_final=False)
    kept.sees(*ELSEWHERE)
    assert f"hub  0 delivered, 2 waiting since {NOW}: 503: later" in kept.run("status")


def test_status_names_rules_that_end_within_a_week(stolen: Kept) -> None:
    stolen.run("findings", "suppress", stolen.id, *HIDE)
    assert condition(stolen)["rules"] == []
    stolen.run("findings", "suppress", "--role", "web-role", "--reason", "drill", "--for", "2d")
    assert "drill" in stolen.run("status")


def test_a_store_that_nothing_was_ever_put_into_is_told_of(kept: Kept) -> None:
    assert "newest record  none yet" in kept.run("status")
    assert "No findings like that." in kept.run("findings", "list")
    assert "No rules" in kept.run("findings", "rules")


def test_the_store_is_taken_from_the_configuration_too(tmp_path: Path) -> None:
    Database(str(tmp_path / "kept.db")).close()
    (tmp_path / "straykey.toml").write_text(f'store = "{tmp_path / "kept.db"}"')
    for options, variables in (
        (["--config", str(tmp_path / "straykey.toml")], {}),
        ([], {"STRAYKEY_STORE": str(tmp_path / "kept.db")}),
    ):
        done = CliRunner().invoke(app, ["findings", "list", *options], env=variables)
        assert done.exit_code == 0, done.exception


def straykey(*arguments: object, store: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "straykey", *map(str, arguments), "--store", store]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["status"], ["findings", "list"], ["findings", "ack", "00"]])
def test_a_store_that_is_not_there_is_told_and_not_made(tmp_path: Path, arguments: list[str]) -> None:
    ran = straykey(*arguments, store=str(tmp_path / "none.db"))
    assert ran.returncode == 2
    assert "no such file" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_exits_2_with_a_way_out_and_no_traceback(tmp_path: Path) -> None:
    Database(str(tmp_path / "store.db")).close()
    ran = straykey("findings", "show", "0000", store=str(tmp_path / "store.db"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "straykey: no finding 0000 in this store",
        "  straykey findings list --all shows what there is",
    ]


@pytest.mark.parametrize("arguments", [["status"], ["findings", "list"]])
def test_who_looks_needs_no_secret_of_a_sink(tmp_path: Path, arguments: list[str]) -> None:
    Database(str(tmp_path / "store.db")).close()
    sink = '[[sinks]]\nname = "people"\nkind = "slack"\nurl_file = "/nowhere/secret"\n'
    (tmp_path / "straykey.toml").write_text(f'store = "{tmp_path}/store.db"\n{sink}')
    done = CliRunner().invoke(app, [*arguments, "--config", str(tmp_path / "straykey.toml")])
    assert done.exit_code == 0, done.exception
