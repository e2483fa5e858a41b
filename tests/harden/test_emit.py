"""A report as a file that runs elsewhere: golden, valid in its language, and nothing of a log becomes code in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import boto3
import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from straykey.contain.terraform import quoted
from straykey.harden.blindness import Blind, Gap, Sign
from straykey.harden.emit import Style, emitted
from straykey.harden.imds_document import declarative_policy, launch_policy
from straykey.harden.imds_plan import Measure, Step
from straykey.harden.perimeter import Kind
from straykey.harden.pieces import SAMPLE, pieces_of
from straykey.harden.report import Report
from straykey.harden.terraform import label
from straykey.harden.trail_gap import BUCKET
from tests.aws import Aws
from tests.conftest import Golden
from tests.harden.emitting import ACCOUNT, ENDPOINT, OTHER, WORLD

STYLES: tuple[Style, ...] = get_args(Style)
SUFFIX: dict[Style, str] = {"json": "json", "terraform": "tf", "cli": "sh"}
INSTANCE = "i-0123456789abcdef0"
_MODIFY = ("aws", "ec2", "modify-instance-metadata-options", "--region", "eu-west-1", "--instance-id", INSTANCE)
REQUIRED = Measure(
    Step.REQUIRE,
    "Require tokens",
    ACCOUNT,
    ((*_MODIFY, "--http-tokens", "required", "--http-endpoint", "enabled"),),
    ((*_MODIFY, "--http-tokens", "optional", "--http-endpoint", "enabled"),),
)
DECLARED = Measure(Step.DECLARE, "Say so once", documents=(declarative_policy(), declarative_policy(is_enforced=True)))
LAUNCHED = Measure(Step.LAUNCH, "Let nobody", documents=(launch_policy(), launch_policy(partition="aws-cn")))
_SELECT = ("--trail-name", "main", "--advanced-event-selectors", "[]")
GAPS = (
    Gap(
        Blind.DATA,
        Sign.SETTING,
        ACCOUNT,
        "objects read",
        "record them",
        trail="main",
        command=("aws", "cloudtrail", "put-event-selectors", "--region", "eu-west-1", *_SELECT),
        adds=("all objects",),
        owner=ACCOUNT,
        cost="Each event is charged for",
    ),
    Gap(
        Blind.NO_TRAIL,
        Sign.SETTING,
        OTHER,
        "anything",
        "create a trail",
        command=("aws", "cloudtrail", "create-trail", "--name", "straykey", "--s3-bucket-name", BUCKET),
        owner=OTHER,
    ),
    Gap(Blind.ACCOUNT, Sign.RECORDS, ACCOUNT, "its own records", "read this account's trail"),
)
# What a language would take for its own, were it not quoted.
NASTY = '\'; touch owned; "$(touch owned)" `touch owned` ${var.x} %{if x} \\ \\n {} {0}\n#\x08\x0c\x7f\u202e😀\nEND'


def whole() -> tuple[Report, tuple[Measure, ...]]:
    report, measures = WORLD()
    return report, (REQUIRED, DECLARED, LAUNCHED, *measures)


def called(name: str) -> tuple[Report, tuple[Measure, ...]]:
    """That world with all names that a log, or a thief, may choose set to this one."""
    report, measures = whole()
    rehearsed = tuple(
        replace(one, artifact=replace(one.artifact, role=name)) if one.artifact.role else one
        for one in report.rehearsed
    )
    needs = tuple(replace(one, vpc=name, roles=(name,)) if one.vpc else one for one in report.needs)
    changed = replace(
        report, rehearsed=rehearsed, needs=needs, notes=(name,), unread=(name,), left_out=((Kind.SCP, ACCOUNT, name),)
    )
    return changed, (*measures, Measure(Step.UPDATE, name, notes=(name,)))


def is_well_formatted(text: str) -> bool:
    """By Terraform's own reading of it: what it cannot parse is not well formatted either."""
    command = ["terraform", "fmt", "-check", "-"]
    clean = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    return subprocess.run(command, input=text.encode(), capture_output=True, env=clean, check=False).returncode == 0


needs_terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="Terraform is not here")


@pytest.mark.parametrize("style", STYLES)
def test_files_are_these(style: Style, golden: Golden) -> None:
    golden(f"tests/golden/harden/perimeter.{SUFFIX[style]}", emitted(*whole(), style, GAPS))


@pytest.mark.parametrize("style", STYLES)
def test_equal_reports_give_equal_files(style: Style) -> None:
    report, measures = WORLD.__wrapped__()
    assert emitted(report, (REQUIRED, DECLARED, LAUNCHED, *measures), style, GAPS) == emitted(*whole(), style, GAPS)


def test_json_holds_every_document_as_it_is_sent() -> None:
    report, measures = whole()
    told = json.loads(emitted(report, measures, "json"))
    sent = [one.artifact.document for one in report.rehearsed]
    assert [json.dumps(one["document"], separators=(",", ":")) for one in told["artifacts"]] == sent
    assert [one["size"] for one in told["artifacts"]] == [len(one) for one in sent]
    documents = [one for measure in measures for one in measure.documents]
    said = [one for measure in told["imds"] for one in measure["documents"]]
    assert [json.dumps(one["document"], separators=(",", ":")) for one in said] == [one.text for one in documents]


def test_json_holds_all_of_every_gap() -> None:
    told = json.loads(emitted(*whole(), "json", GAPS))
    assert msgspec.convert(told["coverage"], tuple[Gap, ...]) == GAPS


@pytest.mark.parametrize("style", STYLES)
def test_every_file_says_that_numbers_are_of_a_sample(style: Style) -> None:
    assert SAMPLE in emitted(*whole(), style)


def test_no_number_of_calls_is_told_in_text_but_as_of_a_sample() -> None:
    told = pieces_of(*whole())
    counted = (
        [one.about for one in told.roles] + [one.about for one in told.endpoints] + [one.about for one in told.openings]
    )
    assert counted
    assert not [one for one in counted if re.search(r"\d calls?\b", one) or "sampled call" not in one]


def test_json_sums_what_was_rehearsed() -> None:
    told = json.loads(emitted(*whole(), "json"))
    (scp,) = (one for one in told["artifacts"] if one["kind"] == "scp")
    assert scp["rehearsed"]["home"] == {"of": 7, "denied": 0, "unknown": 0}
    assert scp["rehearsed"]["thief"] == {"of": 1, "denied": 1, "unknown": 0}
    assert scp["scope"]["accounts"] == [ACCOUNT, OTHER]


@needs_terraform
def test_terraform_would_format_it_so() -> None:
    assert is_well_formatted(emitted(*whole(), "terraform"))
    nasty = tuple(
        replace(one, unseen=NASTY, mend=NASTY, trail=NASTY, command=one.command and (*one.command, NASTY))
        for one in GAPS
    )
    assert is_well_formatted(emitted(*called(NASTY), "terraform", nasty))
    assert not is_well_formatted(emitted(*whole(), "terraform").replace(" = ", "=", 1))
    assert not is_well_formatted('a = "\\b"\n')


def test_as_it_stands_terraform_touches_no_key() -> None:
    """Every resource but the policies of the organization waits for a variable, and none of these names anything."""
    text = emitted(*whole(), "terraform")
    blocks = re.findall(r'^resource "(\w+)" "([^"]+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE)
    assert {
        kind for kind, _, body in blocks if not re.search(r"^  (count|for_each) += .*var\.", body, re.MULTILINE)
    } == {"aws_organizations_policy"}
    assert set(re.findall(r"^  default +=(.*)$", text, re.MULTILINE)) == {' ""', " {}", " []"}


def test_the_organization_s_file_of_terraform_has_no_provider_of_an_account() -> None:
    first, line, second = emitted(*whole(), "terraform").partition("# ---- Here the organization's file ends")
    assert line
    assert "allowed_account_ids = " not in first
    assert set(re.findall(r"var\.(\w+)", first)) == {"targets"}
    assert "var.targets" not in second
    assert 'resource "aws_organizations' not in second
    assert not re.search(r'^provider "aws" \{\n(?!  alias)', second, re.MULTILINE)


def test_terraform_tells_to_note_what_no_log_knows() -> None:
    report, measures = whole()
    blind = [replace(one, undo=()) for one in measures]
    assert f"--instance-ids {INSTANCE}" in emitted(report, blind, "terraform")
    assert f"--instance-ids {INSTANCE}" not in emitted(report, measures, "terraform")


def test_in_terraform_no_account_is_taken_for_another() -> None:
    text = emitted(*whole(), "terraform")
    for account in (ACCOUNT, OTHER):
        providers = re.findall(rf'alias += "(a{account}[^"]*)".*?allowed_account_ids = \["(\d+)"\]', text, re.DOTALL)
        assert {told for _, told in providers} == {account}
    made = re.findall(r'^resource "aws_(?!organizations)\w+" .*?^\}', text, re.DOTALL | re.MULTILINE)
    assert made
    assert all(re.search(r"^  provider += aws\.a\d{12}_", one, re.MULTILINE) for one in made)


@given(st.lists(st.tuples(st.sampled_from([ACCOUNT, OTHER]), st.text(min_size=1)), unique=True, max_size=20))
def test_in_terraform_no_two_roles_have_one_name(roles: list[tuple[str, str]]) -> None:
    names = [label("perimeter", account, role) for account, role in roles]
    assert len(set(names)) == len(roles)
    assert all(re.fullmatch(r"[A-Za-z][\w-]*", name, re.ASCII) for name in names)


def test_names_of_an_organization_s_policies_are_unlike() -> None:
    names = [one.name for one in pieces_of(*whole()).organized]
    assert len(set(names)) == len(names) == 7
    assert "straykey-imdsv2-launch-aws-cn-scp" in names


def test_what_is_too_long_is_left_out_and_said_so() -> None:
    report, measures = whole()
    long = [
        replace(one, artifact=replace(one.artifact, document=one.artifact.document + " " * 20_480))
        for one in report.rehearsed
    ]
    for style in ("terraform", "cli"):
        text = emitted(replace(report, rehearsed=tuple(long)), measures, style)
        assert text.count("# Left out: ") == len(long)
        assert "NotAction" not in text
    assert {
        one["fits"] for one in json.loads(emitted(replace(report, rehearsed=tuple(long)), (), "json"))["artifacts"]
    } == {False}


def test_an_endpoint_is_made_once_in_a_vpc_that_two_accounts_use_and_for_nobody_in_particular() -> None:
    report, measures = WORLD()
    shared = tuple(replace(one, vpc="vpc-0d1") for one in report.needs)
    openings = pieces_of(replace(report, needs=shared), measures).openings
    assert len({one.service for one in openings}) == len(openings)
    assert {one.place.account for one in openings} == {""}
    assert 'resource "aws_vpc_endpoint" ' not in emitted(replace(report, needs=shared), measures, "terraform")


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The script, run where there is an `aws` that writes down what it is told, and answers the account."""
    (tmp_path / "aws").write_text(
        f'#!/bin/sh\ncase "$*" in *get-caller-identity*) echo {ACCOUNT}; exit ;; esac\n'
        'case "$*" in *get-instance-metadata-defaults*) echo None; exit ;; esac\n'
        'case "$*" in *describe-instances*) echo disabled optional 1; exit ;; esac\n'
        'case "$*" in *gone-role*) exit 254 ;; esac\n'
        "for one; do printf '%s\\0' \"$one\" >>calls; done; printf '\\0' >>calls\n"
    )
    (tmp_path / "aws").chmod(0o755)

    def run(text: str, *words: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "harden.sh").write_text(text)
        path = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ROUTE_TABLES": "r", "SUBNETS": "s", "SECURITY_GROUPS": "g"}
        command = ["bash", "harden.sh", *words]
        return subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True, check=False)

    return run


NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=64) | st.text(
    st.sampled_from("'\"$(`){}\\\n;#%& END\t\x7f"), min_size=1, max_size=32
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES)
@example(NASTY)
def test_no_name_breaks_out_of_the_script(script: Callable[..., Any], tmp_path: Path, name: str) -> None:
    (tmp_path / "calls").unlink(missing_ok=True)
    text = emitted(*called(name), "cli")
    done = script(text, "role-policies", "--all")
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)
    words = (tmp_path / "calls").read_text().split("\0")
    assert words[:3] == ["iam", "put-role-policy", "--cli-input-json"]
    assert json.loads(words[3])["RoleName"] == name
    assert words[4:] == ["", ""]
    listed = script(text, "list")
    pieces = pieces_of(*called(name))
    count = sum(map(len, (pieces.roles, pieces.organized, pieces.endpoints, pieces.openings, pieces.commands)))
    assert (listed.returncode, listed.stdout.count("\n")) == (0, count)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aws", "calls", "harden.sh"]


@needs_terraform
@settings(max_examples=25)
@given(NAMES)
@example(NASTY)
def test_no_name_breaks_out_of_terraform(name: str) -> None:
    text = emitted(*called(name), "terraform")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", code)
    assert is_well_formatted(text)
    plain = emitted(*called("plain"), "terraform")
    assert text.count("\n") == plain.count("\n")
    assert f"  role     = {quoted(name)}\n" in text


@given(NAMES)
@example(NASTY)
def test_no_name_breaks_out_of_json(name: str) -> None:
    text = emitted(*called(name), "json")
    assert text.isascii()
    assert "\x7f" not in text
    assert json.loads(text)["artifacts"][0]["scope"]["role"] == name


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense", "x"),
        ("role-policies",),
        ("attach", "ou-1"),
        ("attach", "ou-1", "--all"),
        ("part", "list", "x"),
        ("trails", "--all"),
    ],
)
def test_nothing_is_done_that_was_not_named(script: Callable[..., Any], tmp_path: Path, words: tuple[str, ...]) -> None:
    done = script(emitted(*whole(), "cli"), *words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")
    assert not (tmp_path / "calls").exists()


def test_what_belongs_to_another_account_is_passed_over(script: Callable[..., Any], tmp_path: Path) -> None:
    done = script(emitted(*whole(), "cli"), "role-policies", "batch.role")
    assert done.returncode == 1
    assert done.stderr == f"nothing of that name belongs to account {ACCOUNT}\n"
    assert not (tmp_path / "calls").exists()


def test_a_role_that_is_gone_keeps_no_other_back(script: Callable[..., Any], tmp_path: Path) -> None:
    report, measures = called("gone-role")
    both = replace(report, rehearsed=(*report.rehearsed, *whole()[0].rehearsed))
    done = script(emitted(both, measures, "cli"), "role-policies", "--all")
    assert done.returncode == 1
    assert "failed: the others go on" in done.stderr
    assert "web-role" in (tmp_path / "calls").read_text()


def told(folder: Path) -> list[list[str]]:
    """The calls that the `aws` of `script` wrote down."""
    calls = folder / "calls"
    return [call.split("\0") for call in calls.read_text().split("\0\0")[:-1]] if calls.exists() else []


def test_keys_of_v1_are_denied_to_all_roles_of_one_s_own_account_and_no_other(
    script: Callable[..., Any], tmp_path: Path
) -> None:
    text = emitted(*whole(), "cli")
    assert script(text, "key-policy", "--all").returncode == 0
    assert [call[-2:] for call in told(tmp_path)] == [["--role-name", "web-role"]]
    assert script(text, "key-policy", "batch.role").returncode == 1
    assert script(text, "undo-key-policy", "--all").returncode == 0
    assert [call[1] for call in told(tmp_path)] == ["put-role-policy", "delete-role-policy"]


def test_a_region_s_default_is_set_as_it_was_also_where_only_logs_were_read(
    script: Callable[..., Any], tmp_path: Path
) -> None:
    report, measures = whole()
    text = emitted(report, [replace(one, undo=()) for one in measures], "cli")
    for _ in range(2):  # a second time does not take the change for how it was
        assert script(text, "imds", "account-default", "--all").returncode == 0
    assert script(text, "undo-imds", "account-default", "--all").returncode == 0
    assert [call[-1] for call in told(tmp_path)] == ["required", "required", "no-preference"]


def test_a_gap_is_closed_by_its_number_with_its_cost_and_the_old_setting_kept(
    script: Callable[..., Any], tmp_path: Path
) -> None:
    text = emitted(*whole(), "cli", GAPS)
    assert "Each event is charged for" in script(text, "list").stdout
    done = script(text, "trails", "1", "2")
    assert (done.returncode, "Each event is charged for" in done.stderr) == (0, True)
    assert [call[1] for call in told(tmp_path)] == ["get-event-selectors", "put-event-selectors"]
    assert (tmp_path / "straykey-undo" / f"trail-{ACCOUNT}-main-put-event-selectors.txt").exists()
    assert script(text, "trails", "3").returncode == 1
    bucketless = script(text.replace(OTHER, ACCOUNT), "trails", "2")
    assert "BUCKET" in bucketless.stderr
    assert len(told(tmp_path)) == 2


def test_what_was_not_changed_from_here_is_not_taken_back(script: Callable[..., Any], tmp_path: Path) -> None:
    text = emitted(*whole(), "cli")
    for words in (("require-tokens", INSTANCE), ("require-tokens", "--all"), ("account-default", "--all")):
        done = script(text, "undo-imds", *words)
        assert done.returncode == 1
        assert "is not here: left as it is" in done.stderr
    assert told(tmp_path) == []


def test_a_metadata_service_that_is_off_is_not_turned_on(script: Callable[..., Any], tmp_path: Path) -> None:
    done = script(emitted(*whole(), "cli"), "imds", "require-tokens", INSTANCE)
    assert done.returncode == 1
    assert "its metadata service is not on" in done.stderr
    assert told(tmp_path) == []


def test_bash_can_read_it(tmp_path: Path) -> None:
    (tmp_path / "harden.sh").write_text(emitted(*whole(), "cli"))
    assert subprocess.run(["bash", "-n", tmp_path / "harden.sh"], capture_output=True, check=False).stderr == b""


class Account:
    """What moto's account has of what the world names, and the script with a command line that reaches it."""

    def __init__(self, aws: Aws, folder: Path, tool: str) -> None:
        self.folder = folder
        self.iam: Any = boto3.client("iam")
        self.ec2: Any = boto3.client("ec2", region_name="eu-west-1")
        self.organizations: Any = boto3.client("organizations")
        self.iam.create_role(RoleName="web-role", AssumeRolePolicyDocument="{}")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = {"VpcId": self.vpc, "ServiceName": "com.amazonaws.eu-west-1.s3", "VpcEndpointType": "Gateway"}
        self.endpoint = self.ec2.create_vpc_endpoint(**made, PolicyDocument='{"Statement":[]}')["VpcEndpoint"]
        self.account = boto3.client("sts").get_caller_identity()["Account"]
        (folder / "bin").mkdir()
        small = Path(__file__).parent / "small_aws.py"
        (folder / "bin" / "aws").write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{small}" "$@"\n'
            if tool == "small"
            else f'#!/bin/sh\nexec {tool} "$@"\n'
        )
        (folder / "bin" / "aws").chmod(0o755)
        self.environment = aws.environment | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def text(self) -> str:
        """The world's script with the ids that moto gave."""
        text = emitted(*whole(), "cli").replace(ACCOUNT, self.account).replace("vpc-0d1", self.vpc)
        return text.replace(ENDPOINT, self.endpoint["VpcEndpointId"])

    def run(self, *words: str, **variables: str) -> None:
        (self.folder / "harden.sh").write_text(self.text())
        environment = self.environment | variables
        command = ["bash", "harden.sh", *words]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def account(aws: Aws, tmp_path: Path) -> Account:
    """With AWS's own command line where it is installed."""
    return Account(aws, tmp_path, shutil.which("aws") or "small")


def test_a_role_s_policy_is_put_and_taken_back(account: Account) -> None:
    account.run("role-policies", "web-role")
    put = account.iam.get_role_policy(RoleName="web-role", PolicyName="straykey-perimeter")["PolicyDocument"]
    assert put["Statement"][0]["Sid"] == "OwnNetwork"
    account.run("undo-role-policies", "web-role")
    assert account.iam.list_role_policies(RoleName="web-role")["PolicyNames"] == []


def test_keys_of_v1_are_denied_to_the_canary_and_allowed_again(account: Account) -> None:
    account.run("key-policy", "web-role")
    assert account.iam.list_role_policies(RoleName="web-role")["PolicyNames"] == ["straykey-imdsv2-keys"]
    account.run("undo-key-policy", "web-role")
    assert account.iam.list_role_policies(RoleName="web-role")["PolicyNames"] == []


def test_policies_of_the_organization_are_created_attached_to_a_canary_and_taken_back(account: Account) -> None:
    account.organizations.create_organization(FeatureSet="ALL")
    made = account.organizations.create_account(AccountName="canary", Email="canary@example.com")
    canary = made["CreateAccountStatus"]["AccountId"]
    names = ["straykey-perimeter-scp", "straykey-perimeter-rcp"]

    def attached() -> list[str]:
        kinds = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
        on = [account.organizations.list_policies_for_target(TargetId=canary, Filter=one)["Policies"] for one in kinds]
        return [one["Name"] for some in on for one in some if one["Name"] in names]

    account.run("create-policies", *names)
    account.run("create-policies", names[0])  # what is there is left
    assert attached() == []
    account.run("attach", canary, *names)
    assert attached() == names
    account.run("detach", canary, *names)
    assert attached() == []
    account.run("delete-policies", *names)
    left = account.organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    assert [one["Name"] for one in left] == ["FullAWSAccess"]


def test_an_endpoint_s_policy_is_replaced_and_the_old_one_put_back(account: Account) -> None:
    def policy() -> Any:
        (found,) = account.ec2.describe_vpc_endpoints(VpcEndpointIds=[account.endpoint["VpcEndpointId"]])[
            "VpcEndpoints"
        ]
        return json.loads(found["PolicyDocument"])

    for _ in range(2):  # a second time does not take the new one for the old
        account.run("endpoint-policies", "--all")
        assert policy()["Statement"][0]["Sid"] == "Everybody"
    account.run("undo-endpoint-policies", "--all")
    assert policy() == {"Statement": []}


def test_endpoints_are_made_once_and_deleted(account: Account) -> None:
    def made() -> list[tuple[str, str]]:
        tagged = [{"Name": "tag:straykey", "Values": ["harden"]}]
        found = account.ec2.describe_vpc_endpoints(Filters=tagged)["VpcEndpoints"]
        there = [one for one in found if one["State"] != "deleted"]
        return sorted((one["VpcEndpointType"], one["ServiceName"].rpartition(".")[2]) for one in there)

    subnet = account.ec2.create_subnet(VpcId=account.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = account.ec2.create_security_group(GroupName="g", Description="g", VpcId=account.vpc)["GroupId"]
    (table, *_) = account.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [account.vpc]}])[
        "RouteTables"
    ]
    ways = {"ROUTE_TABLES": table["RouteTableId"], "SUBNETS": subnet, "SECURITY_GROUPS": group}
    for what in ("--all", "com.amazonaws.eu-west-1.sqs"):
        account.run("openings", account.vpc, what, **ways)
        assert made() == [("Gateway", "dynamodb"), ("Interface", "api"), ("Interface", "dkr"), ("Interface", "sqs")]
    account.run("undo-openings", account.vpc, "com.amazonaws.eu-west-1.sqs")
    assert ("Interface", "sqs") not in made()
    account.run("undo-openings", account.vpc, "--all")
    assert made() == []


def test_tokens_are_required_of_an_instance_and_no_longer(account: Account) -> None:
    image = account.ec2.describe_images()["Images"][0]["ImageId"]
    started = account.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]

    def tokens() -> str:
        found = account.ec2.describe_instances(InstanceIds=[started])["Reservations"][0]["Instances"][0]
        return str(found["MetadataOptions"]["HttpTokens"])

    unread = (replace(REQUIRED, undo=()),)  # as logs alone tell it
    text = emitted(WORLD()[0], unread, "cli").replace(ACCOUNT, account.account).replace(INSTANCE, started)
    account.text = lambda: text  # type: ignore[method-assign]
    for _ in range(2):
        account.run("imds", "require-tokens", started)
        assert tokens() == "required"
    account.run("undo-imds", "require-tokens", started)
    assert tokens() == "optional"
