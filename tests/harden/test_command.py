"""Commands are such as AWS's command line takes: its operations, its options, and values it has."""

import json
from collections.abc import Iterator

import botocore.session
import pytest
from botocore import xform_name

from straykey.harden.command import Argv, is_instance, is_region
from straykey.harden.imds import survey
from straykey.harden.imds_plan import plan
from straykey.harden.posture import BasicSelector, Defaults, Organization, Posture
from straykey.harden.trail_gap import trail_gaps
from tests.harden.machines import IDLE, machine
from tests.harden.machines import posture as with_machines
from tests.harden.trails import ACCOUNT, LEADER, posture, trail
from tests.records import use_record
from tests.seen import ledger_of


def commands() -> Iterator[Argv]:
    node = use_record(event="SubmitTaskStateChange", source="ecs.amazonaws.com")
    set_up = with_machines(machine(hops=1), machine(IDLE), defaults=Defaults(http_tokens="optional"))
    for measure in plan(survey(ledger_of([node]), (), [set_up]), [set_up]):
        yield from (*measure.commands, *measure.undo)
    manager = Organization("o-exampleorg1", ACCOUNT)
    blind = trail("main", BasicSelector("WriteOnly"), is_logging=False, is_multi_region=False, home=LEADER)
    global_ = trail("other", has_global_events=False)
    for one in (
        posture(),
        posture(blind, organization=manager, services=("s3",)),
        posture(global_, organization=manager),
        Posture(ACCOUNT, trails=()),
    ):
        yield from (gap.command for gap in trail_gaps(one) if gap.command)


COMMANDS = list(dict.fromkeys(commands()))


def test_there_is_a_command_of_each_kind() -> None:
    assert {command[2] for command in COMMANDS} == {
        "create-trail",
        "get-metric-statistics",
        "modify-instance-metadata-defaults",
        "modify-instance-metadata-options",
        "put-event-selectors",
        "start-logging",
        "update-trail",
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_an_operation_and_options_of_the_service(command: Argv) -> None:
    program, service, operation, *said = command
    assert program == "aws"
    model = botocore.session.get_session().get_service_model(service)
    (shape,) = (
        model.operation_model(name).input_shape for name in model.operation_names if xform_name(name, "-") == operation
    )
    assert shape is not None
    options = {f"--{xform_name(name, '-')}": member for name, member in shape.members.items()}
    for place, word in enumerate(said):
        if not word.startswith("--") or word == "--region":
            continue
        member = options[word]
        value = "" if member.type_name == "boolean" else said[place + 1]
        assert value in (getattr(member, "enum", None) or (value,))
        if word == "--advanced-event-selectors":
            assert json.loads(value)
    assert not {xform_name(name, "-") for name in shape.required_members} - {one[2:] for one in said}


@pytest.mark.parametrize("name", ["eu-west-1", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-3", "us-isob-east-1"])
def test_regions_of_all_partitions_are_regions(name: str) -> None:
    assert is_region(name)


@pytest.mark.parametrize("name", ["", "eu", "eu-west-1 --debug", "-eu-west-1", "EU-west-1", "eu-west-1\n", "eu-west-١"])
def test_what_is_no_region_gets_into_no_command(name: str) -> None:
    assert not is_region(name)
    assert not is_instance(name)
