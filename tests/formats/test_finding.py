"""Golden files of one theft, as every format shows it."""

import json
import shlex
from io import StringIO

from rich.console import Console, RenderableType

from straykey.core.case import Context
from straykey.core.home import weigh
from straykey.core.settings import Settings
from straykey.core.survey import survey
from straykey.formats import explanation, finding_json, finding_table
from tests.conftest import Golden
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import RANGES, findings_of, ledger_of

HOSTILE = "\x1b]0;owned\x07[bold red]curl\u202e/8.1"


def theft() -> list[RawRecord]:
    home = [
        use_record(time=f"2026-05-04T10:{minute:02d}:00Z", event=event)
        for minute, event in enumerate(["ListBuckets", "GetObject", "GetObject", "PutObject"])
    ]
    endpoint = {"endpoint": "vpce-0aaaabbbbccccdddd", "endpoint_owner": "111122223333", "address": "10.0.1.10"}
    stray = {"address": "203.0.113.66", "key": "ASIAEXAMPLEKEY000002", "delivery": "1.0", "agent": HOSTILE}
    return [
        issuance_record(),
        issuance_record(key="ASIAEXAMPLEKEY000002"),
        *home,
        use_record(**endpoint, time="2026-05-04T10:02:00Z", event="GetItem", source="dynamodb.amazonaws.com"),
        use_record(
            address="kms.amazonaws.com", time="2026-05-04T10:02:30Z", event="Decrypt", source="kms.amazonaws.com"
        ),
        use_record(**stray, time="2026-05-04T10:02:10Z", event="GetCallerIdentity", source="sts.amazonaws.com"),
        use_record(**stray, time="2026-05-04T10:02:20Z", event="ListBuckets"),
        use_record(**stray, time="2026-05-04T10:02:40Z", event="GetObject", error="AccessDenied"),
    ]


def on_terminal(what: RenderableType, width: int = 120) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(what)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def test_a_finding_as_json(golden: Golden) -> None:
    document = finding_json.to_document(findings_of(*theft()), {"token": "1", "created": None})
    golden("tests/golden/findings.json", document + "\n")


def test_a_finding_on_one_line_is_the_same_finding() -> None:
    finding, *_ = findings_of(*theft())
    line = finding_json.to_line(finding)
    assert "\n" not in line
    assert json.loads(line) == json.loads(finding_json.to_document([finding], {}))["findings"][0]


def test_a_finding_on_a_terminal(golden: Golden) -> None:
    findings = findings_of(*theft())
    table = on_terminal(finding_table.render(findings, instances=1, most=20))
    steps = on_terminal(finding_table.next_steps(findings, ["my logs/", "--ip-ranges", "ip-ranges.json"]))
    golden("tests/golden/findings.txt", table + steps)


def test_no_finding_is_said_in_words() -> None:
    assert on_terminal(finding_table.render([], instances=1, most=20)) == "No stray keys found.\n"


def test_beyond_the_first_the_others_are_counted() -> None:
    strays = [use_record(address=f"203.0.113.{n}", time="2026-05-04T10:30:00Z") for n in range(5)]
    text = on_terminal(finding_table.render(findings_of(use_record(), *strays), instances=1, most=2))
    assert "… and 3 more" in text


def test_records_without_an_instance_are_not_said_to_be_clean() -> None:
    assert on_terminal(finding_table.render([], instances=0, most=20)).startswith("Nothing to judge")


def test_no_text_from_a_log_can_leave_its_place_in_a_command() -> None:
    hostile = "x'; touch /tmp/owned; '"
    odd = {"role": hostile, "instance": hostile, "awsRegion": hostile}
    findings = findings_of(use_record(**odd), use_record(**odd, address="203.0.113.66", time="2026-05-04T11:00:00Z"))
    lines = on_terminal(finding_table.next_steps(findings, [hostile]), width=10_000).splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("   ")]
    assert [command[:2] for command in commands] == [["straykey", "explain"], ["straykey", "contain"]]
    assert not any(word in ("touch", ";", "touch;") for command in commands for word in command)


def test_for_the_instances_own_identity_keys_no_policy_is_offered() -> None:
    own = {"role": "aws:ec2-instance"}
    findings = findings_of(use_record(**own), use_record(**own, address="203.0.113.66", time="2026-05-04T11:00:00Z"))
    steps = on_terminal(finding_table.next_steps(findings, ["logs"]))
    assert "straykey contain" not in steps
    assert "stop-instances" in steps


def test_an_explanation(golden: Golden) -> None:
    ledger = ledger_of(theft())
    context = Context(Settings(), survey(ledger, Settings(), RANGES), RANGES)
    (evidence,) = ledger.sessions.values()
    findings = {finding.id: finding for finding in findings_of(*theft())}
    session = explanation.Explained(evidence, weigh(evidence, context), findings, ledger.bounds, [])
    golden("tests/golden/explanation.txt", on_terminal(explanation.render(session)))
    golden("tests/golden/explanation.json", explanation.to_document([session]) + "\n")


def test_nothing_an_attacker_wrote_reaches_the_terminal_raw() -> None:
    findings = findings_of(*theft())
    shown = on_terminal(finding_table.render(findings, instances=1, most=20)) + finding_json.to_document(findings, {})
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "\\x1b]0;owned\\x07[bold red]curl" in shown
