"""What docs/operate.md tells to type can be typed: commands, options and parameters are there."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import botocore.session
import pytest
import typer
from botocore import xform_name

from straykey.cli import app
from tests.conftest import ROOT
from tests.deploy.stack import template

PAGE = (ROOT / "docs/operate.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TYPED = [line for kind, block in BLOCKS if not kind for line in block.replace("\\\n", " ").splitlines()]
OF_THE_CLI = {"query", "output"}  # for every call


def words(line: str) -> list[str]:
    """What is run, without who runs it and in what environment."""
    found = shlex.split(line)
    if found[:2] == ["sudo", "-u"]:
        found = found[3:]
    while found and (found[0] == "sudo" or re.match(r"[A-Z_]+=", found[0])):
        found = found[1:]
    return found


OURS = [line for line in TYPED if words(line)[0].endswith("straykey")]
OURS += [one for one in re.findall(r"`(straykey [a-z]+[^`]*)`", PAGE) if " watch" not in one]
AWS = [line for line in TYPED if words(line)[0] == "aws"]


@pytest.mark.parametrize("line", OURS)
def test_a_command_of_ours_and_its_options_are_there(line: str) -> None:
    command: Any = typer.main.get_command(app)
    rest = words(line)[1:]
    while commands := getattr(command, "commands", None):
        assert rest[0] in commands, f"no command {rest[0]}"
        command, rest = commands[rest[0]], rest[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("line", AWS)
def test_a_command_of_aws_and_its_options_are_there(line: str) -> None:
    _, service, command, *rest = words(line)
    options = {word.removeprefix("--") for word in rest if word.startswith("--")}
    if (service, command) == ("cloudformation", "deploy"):  # the command line's own
        assert options == {"stack-name", "template-file", "capabilities", "parameter-overrides"}
        return
    model = botocore.session.get_session().get_service_model("s3" if service == "s3api" else service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[command]).input_shape
    assert shape is not None
    assert options - OF_THE_CLI <= {xform_name(name, "-") for name in shape.members}


def test_the_stack_is_deployed_with_parameters_that_it_has_and_all_that_it_needs() -> None:
    (line,) = (one for one in AWS if "cloudformation deploy" in one)
    given = {word.partition("=")[0] for word in words(line) if re.match(r"[A-Z][A-Za-z]+=", word)}
    parameters = template()["Parameters"]
    assert given <= set(parameters)
    assert {name for name, one in parameters.items() if "Default" not in one} <= given
    assert (ROOT / words(line)[words(line).index("--template-file") + 1]).is_file()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([A-Z][A-Za-z]+)(?:=[^`]*)?`", PAGE))))
def test_a_name_in_capitals_is_the_stacks_or_of_those_it_is_made_of(name: str) -> None:
    others = {"Unknown", "MemoryMax"}
    stack = template()
    assert name in {*stack["Parameters"], *stack["Resources"], *stack["Outputs"], *others}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(straykey_[a-z_]+)`", PAGE))))
def test_a_metric_that_is_named_is_there(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/metrics.md").read_text()


def test_the_policies_on_the_page_are_json() -> None:
    assert [json.loads(block)["Effect"] for kind, block in BLOCKS if kind == "json"] == ["Allow"]


def test_what_is_paid_is_reckoned_right() -> None:
    objects = 100 * 30 * 24 * 12
    assert (objects, f"{730 * 0.0168:.1f}", f"{20 * 0.08:.1f}", f"{730 * 0.005:.2f}") == (
        864_000,
        "12.3",
        "1.6",
        "3.65",
    )
    assert [f"{count * price / 1e6:.1f}" for count, price in ((518_400, 0.4), (3 * objects, 0.4), (objects, 0.4))] == [
        "0.2",
        "1.0",
        "0.3",
    ]
    assert [f"{objects * price / 1e6:.1f}" for price in (3, 1)] == ["2.6", "0.9"]
