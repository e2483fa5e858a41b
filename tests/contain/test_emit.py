"""A plan as a file that runs elsewhere: golden, valid in its language, and nothing of a log becomes code in it."""

import ast
import json
import os
import py_compile
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest
from botocore import xform_name
from msgspec.structs import replace

from straykey.contain.account import InlinePolicy, Tag
from straykey.contain.emit import Style, emitted
from straykey.contain.needs import NEEDS
from straykey.contain.parts import words
from straykey.contain.plan import Lookup, Option, Plan, Sought
from straykey.contain.terraform import quoted
from straykey.errors import UsageError
from tests.conftest import Golden
from tests.contain.thefts import NAT, account, as_role, called, heirs, instance, plan_of, role, theft

STYLES: tuple[Style, ...] = get_args(Style)
SUFFIX: dict[Style, str] = {"cli": "sh", "python": "py.txt", "terraform": "tf"}
# What each language would take for its own, were it not quoted.
NASTY = '\'; touch owned; "$(touch owned)" `touch owned` ${var.x} %{if x} \\ \\n {} {0}\n#\x7f0\x7f\u202e'
USED = (called("s3:GetObject", NAT), called("sts:AssumeRole", NAT))
PLANS: dict[str, Plan] = {
    option.value: plan_of(option, as_role(theft(**heirs()), calls=USED), account()) for option in Option
} | {"swap-role-stopped": plan_of(Option.SWAP_ROLE, theft(), account(instance=instance(state="stopped")))}


def nasty() -> Plan:
    """All that an account's owner, or a thief in it, may write freely."""
    marked = role(description=NASTY, tags=(Tag(NASTY, NASTY),), inline=(InlinePolicy("p", json.dumps(NASTY)),))
    plan = plan_of(Option.SWAP_ROLE, theft(), account(role=marked))
    return replace(plan, notes=(NASTY,), manual=(NASTY,))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", PLANS)
def test_files_are_these(name: str, style: Style, golden: Golden) -> None:
    golden(f"tests/contain/golden/{name}.{SUFFIX[style]}", emitted(PLANS[name], style))


@pytest.mark.parametrize("plan", [*PLANS.values(), nasty()], ids=[*PLANS, "nasty"])
def test_the_files_are_of_their_language(plan: Plan, tmp_path: Path) -> None:
    script = tmp_path / "contain.sh"
    script.write_text(emitted(plan, "cli"))
    assert subprocess.run(["bash", "-n", script], capture_output=True, check=False).stderr == b""
    program = tmp_path / "contain.py"
    program.write_text(emitted(plan, "python"))
    py_compile.compile(str(program), doraise=True)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not here")
@pytest.mark.parametrize("plan", [*PLANS.values(), nasty()], ids=[*PLANS, "nasty"])
def test_terraform_would_format_its_files_as_they_are(plan: Plan) -> None:
    """Which it does only of what it can parse; what the provider says of them, it must be at hand for."""
    said = ["terraform", "fmt", "-check", "-diff", "-"]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    text = emitted(plan, "terraform")
    done = subprocess.run(said, input=text, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", PLANS)
def test_terraform_does_not_claim_what_is_by_hand(name: str) -> None:
    plan, text = PLANS[name], emitted(PLANS[name], "terraform")
    (does,) = (line for line in text.splitlines() if line.startswith("# Terraform does: "))
    by_hand = [step for step in plan.steps if f"# By hand, as Terraform has no resource for it: {step.name}" in text]
    assert len(by_hand) + text.count('\nresource "') + text.count(": said with") + text.count(
        ": Terraform makes"
    ) == len(plan.steps)
    for step in plan.steps:
        assert (step.name in does) is (step not in by_hand)


@pytest.mark.parametrize("name", PLANS)
def test_terraform_takes_a_deny_away_with_one_variable(name: str) -> None:
    text = emitted(PLANS[name], "terraform")
    switched = text.count("  count = var.contain ? 1 : 0\n")
    assert switched == len(PLANS[name].denies)
    assert ('variable "contain"' in text) is bool(switched)


@pytest.mark.parametrize("word", ["apply", "undo"])
def test_the_script_gives_aws_each_call_with_its_parameters_and_runs_nothing_else(word: str, tmp_path: Path) -> None:
    plan = nasty()
    (tmp_path / "contain.sh").write_text(emitted(plan, "cli"))
    # An `aws` that answers a lookup with an id, and writes down everything else.
    (tmp_path / "aws").write_text(
        '#!/bin/sh\ncase "$*" in *--query*) echo found-1; exit ;; esac\n'
        'for one; do printf "%s\\0" "$one"; done >>calls\n'
    )
    (tmp_path / "aws").chmod(0o755)
    subprocess.run(["bash", "contain.sh", word], cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    calls = [step.call for step in plan.steps]
    if word == "undo":
        calls = [call for step in reversed(plan.steps) for call in step.undo]
    said = (tmp_path / "calls").read_text().split("\0")
    given = [json.loads(said[at + 1]) for at, one in enumerate(said) if one == "--cli-input-json"]
    assert given == [plain(call.parameters) for call in calls]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aws", "calls", "contain.sh"]


@pytest.mark.parametrize("word", ["apply", "undo"])
def test_the_program_makes_each_call_with_its_parameters(word: str) -> None:
    plan = nasty()
    tree = ast.parse(emitted(plan, "python"))
    (function,) = (one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == word)
    made = [one.value for one in function.body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call)]
    calls = [step.call for step in plan.steps]
    if word == "undo":
        calls = [call for step in reversed(plan.steps) for call in step.undo]
    assert {ast.unparse(one.func) for one in made} == {"run"}
    asked = [one.args[0].body for one in made if isinstance(one.args[0], ast.Lambda)]
    assert [ast.unparse(one.func) for one in asked if isinstance(one, ast.Call)] == [
        f"{call.service}.{xform_name(call.operation)}" for call in calls
    ]
    for one, call in zip(asked, calls, strict=True):
        assert isinstance(one, ast.Call)
        found = {
            keyword.arg: "found-1" if isinstance(keyword.value, ast.Call) else ast.literal_eval(keyword.value)
            for keyword in one.keywords
        }
        assert found == plain(call.parameters)


def plain(value: object) -> object:
    if isinstance(value, Lookup):
        return "found-1"
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def test_terraform_takes_no_text_for_a_template() -> None:
    text = emitted(nasty(), "terraform")
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", "\n".join(line for line in text.splitlines() if line[:1] != "#"))
    assert quoted('${a} %{b} "c" \\') == r'"$${a} %%{b} \"c\" \\"'


def test_terraform_gets_no_escape_that_only_json_knows() -> None:
    assert quoted("\b\f\n\\b\U0001f600") == r'"\u0008\u000c\n\\b\U0001f600"'


@pytest.mark.parametrize("style", STYLES)
def test_no_line_of_a_remark_ends_before_its_end(style: Style) -> None:
    text = emitted(nasty(), style)
    assert "\x7f" not in text
    assert "\u202e" not in text
    remarks = [line for line in text.splitlines() if "touch owned" in line and "Note: " in line]
    assert len(remarks) == 1
    assert remarks[0].startswith("# ")


@pytest.mark.parametrize("style", STYLES)
def test_a_plan_with_troubles_is_not_emitted(style: Style) -> None:
    with pytest.raises(UsageError) as caught:
        emitted(plan_of(Option.SWAP_ROLE), style)
    assert "was not read" in str(caught.value)
    assert caught.value.hint


def test_operations_are_named_as_the_command_line_and_boto3_name_them() -> None:
    for operation in NEEDS:
        assert words(operation, "_") == xform_name(operation)
        assert words(operation, "-") == xform_name(operation, "-")


def test_every_kind_of_lookup_that_plans_have_can_be_emitted() -> None:
    found = {one.sought for one in lookups_of(PLANS)}
    assert found == {Sought.ASSOCIATION, Sought.ENDPOINT, Sought.SECURITY_GROUP}


def lookups_of(plans: dict[str, Plan]) -> list[Lookup]:
    calls = [call for plan in plans.values() for step in plan.steps for call in (step.call, *step.undo)]
    return [one for call in calls for one in within(call.parameters)]


def within(value: object) -> list[Lookup]:
    if isinstance(value, Lookup):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else []
    return [found for one in inner for found in within(one)]
