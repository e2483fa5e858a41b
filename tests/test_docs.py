"""Documentation cannot lie: what it shows is run, what it lists is complete."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from straykey import errors
from straykey.config import settings_of
from straykey.core.coverage import Gap
from straykey.core.explanation import EXPLANATIONS
from straykey.core.finding import Confidence, Finding, FindingType, Severity, Status
from straykey.core.reasons import OTHER_REASONS, REASONS
from straykey.core.record import Skipped
from straykey.formats.status_json import Condition
from straykey.metrics import Metrics
from straykey.secret import Secret
from straykey.setting import KINDS, Key, WatchSettings, keys_of
from straykey.stores.database import Database
from straykey.stores.findings import rules_of
from straykey.stores.troubles import State
from straykey.watch.feed import Parcel
from tests.conftest import ROOT, Golden
from tests.records import trail, use_record
from tests.watch.records_in import Process, Shelf

COMMANDS = ["scan", "explain", "agents", "watch", "drill", "status", "findings", "contain", "abuse-report", "harden"]
COMMANDS += ["simulate", "demo", "evaluate"]
ON_FINDINGS = ["list", "show", "ack", "resolve", "reopen", "suppress", "unsuppress", "rules"]
DOCUMENTED = [*COMMANDS[:7], *(f"findings {name}" for name in ON_FINDINGS), *COMMANDS[7:]]
OUTPUT = (ROOT / "docs/output.md").read_text()


def straykey(*arguments: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "straykey", *arguments]
    environment = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    environment |= variables
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def replaced(text: str, begin: str, end: str, content: str) -> str:
    """`text` with what stands between two markers replaced."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{content}{end}{after}"


def fields(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(struct):
        yield prefix + field.name
        kinds = [field.type, *get_args(field.type)]
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)
        if inner is not None:
            many = "[]" if field.type is not inner else ""
            yield from fields(inner, f"{prefix}{field.name}{many}.")


@pytest.mark.parametrize("name", list(fields(Finding)))
def test_every_field_of_a_finding_is_documented(name: str) -> None:
    assert f"`{name}`" in OUTPUT


@pytest.mark.parametrize(
    "code",
    [
        *(explanation.code for explanation in EXPLANATIONS),
        *(code for code, _ in REASONS),
        *OTHER_REASONS,
        *(kind.value for kind in FindingType),
    ],
)
def test_every_code_has_a_row_of_its_own_that_ends_with_an_example(code: str) -> None:
    (row,) = re.findall(rf"^\| `{re.escape(code)}` \|.*\|$", OUTPUT, re.MULTILINE)
    table = OUTPUT[: OUTPUT.index(row)].rpartition("\n\n")[2]
    assert table.splitlines()[0].endswith("| for example |")
    assert len(row.split("|")[-2].strip()) > 3


def test_no_code_is_documented_that_is_not_there() -> None:
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", OUTPUT.split("## Explanations")[1], re.MULTILINE))
    assert listed == {explanation.code for explanation in EXPLANATIONS} | {
        *OTHER_REASONS,
        *(code for code, _ in REASONS),
    }


@pytest.mark.parametrize("word", [*Severity, *Confidence, *Status])
def test_every_severity_confidence_and_status_is_documented(word: str) -> None:
    assert f"`{word}`" in OUTPUT


def test_the_reasons_for_skipping_are_the_ones_listed(golden: Golden) -> None:
    def rows(*, lost: bool) -> str:
        return "".join(f"* {reason.value}\n" for reason in Skipped if reason.is_loss is lost)

    content = f"\n\nPassed over:\n\n{rows(lost=False)}\nLosses:\n\n{rows(lost=True)}"
    golden("docs/output.md", replaced(OUTPUT, "<!-- skipped -->", "<!-- end -->", content))


def test_the_command_line_reference_is_what_help_prints(golden: Golden) -> None:
    parts = ["# Command line\n\nEach command's `--help`, as it prints it.\n"]
    for command in DOCUMENTED:
        shown = straykey(*command.split(), "--help")
        assert shown.returncode == 0
        text = "\n".join(line.rstrip() for line in shown.stdout.strip().splitlines())
        parts.append(f"\n## {command}\n\n```\n{text}\n```\n")
    golden("docs/cli.md", "".join(parts))


def test_help_lists_exactly_the_documented_commands() -> None:
    shown = straykey("--help").stdout
    assert re.findall(r"^  ([a-z-]+) ", shown.split("Commands:")[1], re.MULTILINE) == COMMANDS
    shown = straykey("findings", "--help").stdout
    assert re.findall(r"^  ([a-z-]+) ", shown.split("Commands:")[1], re.MULTILINE) == ON_FINDINGS


@pytest.mark.parametrize("command", DOCUMENTED)
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    assert f"Example: straykey {command}" in straykey(*command.split(), "--help").stdout


def test_the_readme_shows_what_the_demo_prints(golden: Golden, tmp_path: Path) -> None:
    assert straykey("demo", cwd=tmp_path).returncode == 0
    readme = (ROOT / "README.md").read_text()
    (command,) = re.findall(r"^\$ straykey (.*)$", readme, re.MULTILINE)
    shown = straykey(*shlex.split(command), cwd=tmp_path)
    assert shown.returncode == 0
    first_line = f"$ straykey {command}\n"
    golden("README.md", replaced(readme, first_line, "\n```\n\n(`make demo`", shown.stdout.rstrip()))


@pytest.mark.parametrize("page", ["contain", "harden"])
def test_the_commands_of_a_page_are_understood(page: str, tmp_path: Path) -> None:
    """What is missing is a store, a file or an account, never an option."""
    block = (ROOT / f"docs/{page}.md").read_text().split("## The commands")[1].split("```")[1]
    lines = [shlex.split(line, comments=True) for line in block.strip().splitlines()]
    assert len(lines) > 5
    for name, *arguments in lines:
        assert name == "straykey"
        ran = straykey(*(arguments[: arguments.index(">")] if ">" in arguments else arguments), cwd=tmp_path)
        if ran.returncode != 0 or not {"host", "beacon"} & set(arguments):
            assert (ran.returncode, ran.stdout) == (2, ""), ran.stderr
            assert re.search("no such file|nothing was applied", ran.stderr, re.IGNORECASE), ran.stderr


def test_the_agents_page_shows_what_the_command_prints(golden: Golden, tmp_path: Path) -> None:
    other = {"instance": "i-0fedcba9876543210", "address": "198.18.0.11", "key": "ASIAEXAMPLEKEY000002"}
    agents = ("[aws-cli/2.17.0 md/awscrt#0.19.19]", "Boto3/1.34.84 md/Botocore#1.34.84", "Boto3/1.28.40")
    used = [use_record(time=f"2026-05-04T10:0{n}:00Z", agent=agent) for n, agent in enumerate(agents)]
    used += [use_record(**other, time="2026-05-04T10:05:00Z", agent=agent) for agent in (agents[1], "curl/8.5.0")]
    used.append(use_record(address="203.0.113.66", time="2026-05-04T10:01:30Z", agent="python-requests/2.31.0"))
    (tmp_path / "AWSLogs").mkdir()
    (tmp_path / "AWSLogs/one.json").write_bytes(trail(*used))
    prefix = {"ip_prefix": "198.18.0.0/16", "region": "eu-west-1", "service": "EC2"}
    ranges = {"syncToken": "1", "createDate": "2026-05-02-10-00-00", "prefixes": [prefix]}
    (tmp_path / "ip-ranges.json").write_text(json.dumps(ranges))
    page = (ROOT / "docs/agents.md").read_text()
    command = re.findall(r"^\$ straykey (agents .*)$", page, re.MULTILINE)[0]
    ran = straykey(*shlex.split(command), cwd=tmp_path)
    told = ran.stderr.partition("findings ")[2].split("\n", 1)[1]
    golden("docs/agents.md", replaced(page, f"$ straykey {command}\n", "```\n\nOnly use", f"{ran.stdout}{told}"))
    written = json.loads((tmp_path / "agents.json").read_text())
    (shown,) = map(json.loads, re.findall(r"```\n(\{.*?\n\})\n```", page, re.DOTALL))
    assert shown | {"about": ""} == written | {"about": ""}


def row_of(struct: type[msgspec.Struct], name: str, key: Key, *, variable: bool) -> str:
    (field,) = (field for field in msgspec.structs.fields(struct) if field.name == name)
    default = (
        "needed" if field.required else shown_default(field.default_factory() if name == "agents" else field.default)
    )
    told = f"{key.told} *Secret.*" if key.is_secret else key.told
    cells = [f"`{name}`", *([f"`STRAYKEY_{name.upper()}`"] if variable else []), default, told]
    return f"| {' | '.join(cells)} |\n"


def shown_default(value: object) -> str:
    if isinstance(value, timedelta):
        return f"`{value.total_seconds() / 3600:.0f}h`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Secret):
        return f"`{value.reveal()}`"
    return f"`{value}`" if value and value is not msgspec.NODEFAULT else "none"


def table_of(struct: type[msgspec.Struct], *, variable: bool) -> str:
    head = ["key", *(["variable"] if variable else []), "default", "meaning"]
    rows = "".join(row_of(struct, name, key, variable=variable) for name, key in keys_of(struct).items())
    return f"| {' | '.join(head)} |\n{'|---' * len(head)}|\n{rows}"


def test_the_settings_listed_are_those_there_are(golden: Golden) -> None:
    page = (ROOT / "docs/config.md").read_text()
    page = replaced(page, "<!-- settings -->", "<!-- end -->", f"\n\n{table_of(WatchSettings, variable=True)}\n")
    sinks = "".join(
        f"\n### {kind}\n\n{struct.__doc__}\n\n{table_of(struct, variable=False)}" for kind, struct in KINDS.items()
    )
    golden("docs/config.md", replaced(page, "<!-- sinks -->", "<!-- end -->", f"\n{sinks}\n"))


def test_the_configuration_page_shows_complaints_as_they_are() -> None:
    page = (ROOT / "docs/config.md").read_text()
    (shown,) = re.findall(r"```\nstraykey: (configuration: .*?)\n```", page, re.DOTALL)
    text = f'trys = 4\n[[sinks]]\nname = "pager"\nkind = "webhook"\nsecret = "{"x" * 32}"'
    with pytest.raises(errors.ConfigError) as caught:
        settings_of(text, {"STRAYKEY_TTL": "soon"}, {})
    assert sorted(str(caught.value).splitlines()) == sorted(shown.splitlines())


def test_the_metrics_listed_are_those_there_are(golden: Golden) -> None:
    rows = []
    metrics = Metrics(["hub"], lambda: datetime(2026, 5, 4, tzinfo=UTC))
    for family in text_string_to_metric_families(metrics.text().decode()):
        if family.name.startswith("straykey_"):
            names = {label for sample in family.samples for label in sample.labels if label != "le"}
            labels = ", ".join(f"`{label}`" for label in sorted(names)) or "none"
            name = f"{family.name}_total" if family.type == "counter" else family.name
            rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n")
    table = f"| metric | type | labels | meaning |\n|---|---|---|---|\n{''.join(sorted(rows))}"
    page = (ROOT / "docs/metrics.md").read_text()
    page = replaced(page, "<!-- metrics -->", "<!-- end -->", f"\n\n{table}\n")
    reasons = "".join(f"| `{reason.name.lower()}` | {reason.value} |\n" for reason in Skipped)
    table = f"| reason | meaning |\n|---|---|\n{reasons}"
    golden("docs/metrics.md", replaced(page, "<!-- reasons -->", "<!-- end -->", f"\n\n{table}\n"))


SHOWN_RULE = "8c1d02ab44f0"


def rule_in(process: Process) -> str:
    with process.store.reading() as connection:
        return next((rule.id for rule in rules_of(connection)), SHOWN_RULE)


def shown_time(found: re.Match[str]) -> str:
    """Times of the logs as they are; of what is said now, and of what ends in a month, as if the logs were of today."""
    if found[0].startswith("2026-05-04"):
        return found[0]
    is_end = datetime.fromisoformat(found[0]) > datetime.now(UTC) + timedelta(days=1)
    return "2026-06-03T12:30:00Z" if is_end else "2026-05-04T12:30:00Z"


def test_the_findings_page_shows_what_the_commands_print(golden: Golden, tmp_path: Path) -> None:
    database, shelf = Database(str(tmp_path / "straykey.db")), Shelf()
    process = Process(database, shelf)
    other = {"instance": "i-0fedcba9876543210", "address": "198.18.0.11", "key": "ASIAEXAMPLEKEY000002"}
    home = [use_record(time=f"2026-05-04T10:0{n}:00Z") for n in range(9)]
    home += [use_record(**other), use_record(**other, time="2026-05-04T10:09:00Z")]
    strays = [use_record(address="203.0.113.66", time="2026-05-04T10:05:00Z")]
    strays.append(use_record(**other | {"address": "203.0.113.80", "time": "2026-05-04T10:07:00Z"}))
    process.take([Parcel("m", objects=(shelf.put("o", [*home, *strays]),))])

    def run(block: re.Match[str]) -> str:
        arguments = shlex.split(block[1].replace(SHOWN_RULE, rule_in(process)))
        ran = straykey(*arguments, cwd=tmp_path, STRAYKEY_STORE=str(tmp_path / "straykey.db"), LOGNAME="ann")
        assert ran.returncode == 0, ran.stderr
        printed = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:]+Z", shown_time, ran.stdout.replace(rule_in(process), SHOWN_RULE))
        return f"```\n$ straykey {block[1]}\n{printed}```"

    page = (ROOT / "docs/findings.md").read_text()
    golden("docs/findings.md", re.sub(r"```\n\$ straykey (.*)\n(?:(?!```)[^\n]*\n)*```", run, page))
    database.close()


@pytest.mark.parametrize("name", list(fields(Condition)))
def test_every_field_of_the_status_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/findings.md").read_text()


@pytest.mark.parametrize("state", State)
def test_every_state_of_a_trouble_is_documented(state: State) -> None:
    assert f"`{state.value}`" in (ROOT / "docs/findings.md").read_text()


@pytest.mark.parametrize("gap", Gap)
def test_every_gap_is_documented(gap: Gap) -> None:
    assert f"| `{gap.name.lower()}` |" in (ROOT / "docs/findings.md").read_text()


def test_pages_link_only_to_files_that_are_there() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_no_page_has_a_place_left_empty() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        text = re.sub("<!-- (?:skipped|measured|settings|sinks|metrics|reasons|end) -->", "", page.read_text())
        text = re.sub("<!-- (?:options|going-on|pin|purposes|permissions) -->", "", text)
        text = re.sub("<!-- (?:kinds|steps|not-covered|layer-7) -->", "", text)
        assert "<!--" not in text, page


def test_the_make_targets_of_the_pages_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_module_and_name_of_the_architecture_page_is_there() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for dotted in re.findall(r"`((?:core|sources|formats)\.[a-z_.]+)`", page):
        room, name, *_ = dotted.split(".")
        assert (ROOT / "src/straykey" / room / f"{name}.py").exists(), dotted
    for name in re.findall(r"`([A-Z][A-Za-z_]+)`", page):
        assert re.search(rf"\b{name}\b", source), name


def test_the_error_tree_is_drawn_in_full() -> None:
    tree = errors.__doc__ or ""
    for error in (errors.StraykeyError, errors.UsageError, errors.ConfigError, errors.SourceError, errors.RangesError):
        assert error.__name__ in tree
