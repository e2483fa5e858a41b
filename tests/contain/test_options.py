"""What each plan is, does, undoes and does not stop."""

import itertools
import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from straykey.contain.account import Account, InlinePolicy
from straykey.contain.needs import NEEDS
from straykey.contain.options import plans_of
from straykey.contain.plan import Call, Lookup, Option, Plan, Rerouted, Sought, Step
from straykey.contain.policy import Answer
from straykey.contain.services import doorways
from straykey.contain.theft import Theft
from straykey.core.network import network_of
from straykey.errors import UsageError
from tests.contain.thefts import (
    ACCOUNT,
    AT,
    ENDPOINT,
    FINDING,
    INSTANCE,
    NAT,
    READ,
    THIEF,
    account,
    answers,
    as_role,
    called,
    heirs,
    instance,
    plan_of,
    role,
    theft,
)

DENYING = [option for option in Option if not option.is_companion]


def steps(plan: Plan) -> list[str]:
    return [step.call.operation for step in plan.steps]


def undone(plan: Plan) -> list[str]:
    return [call.operation for step in reversed(plan.steps) for call in step.undo]


def test_there_is_one_plan_for_each_option_in_their_order() -> None:
    for read in (None, account()):
        assert [plan.option for plan in plans_of(theft(), read, AT)] == list(Option)


def test_with_the_account_at_hand_every_plan_of_an_instance_can_be_applied() -> None:
    assert not any(plan.troubles for plan in plans_of(theft(**heirs()), account(), AT))


def test_without_an_account_every_deny_can_be_rehearsed_but_the_one_on_the_vpc() -> None:
    for homes in ((NAT,), (NAT, ENDPOINT)):
        for plan in plans_of(theft(homes=homes), None, AT):
            if not plan.option.is_companion and plan.option is not Option.VPC_ENDPOINT:
                assert answers(plan, THIEF) is Answer.DENIED


def test_of_a_vpc_that_nobody_knows_there_is_no_policy_and_the_trouble_says_so() -> None:
    for read in (None, account(instance=None), account(instance=instance(vpc=""))):
        plan = plan_of(Option.VPC_ENDPOINT, theft(), read)
        assert not plan.denies
        assert not plan.steps
        assert "VPC is not known" in plan.troubles[0].text


def test_without_an_account_what_needs_none_can_be_applied_and_says_what_was_not_checked() -> None:
    plans = {plan.option: plan for plan in plans_of(theft(), None, AT)}
    possible = {option for option, plan in plans.items() if not plan.troubles}
    assert possible == {Option.PIN, Option.PIN_EVERYWHERE, Option.REVOKE, Option.DENY_ALL}
    assert all(any("was not read" in note for note in plans[option].notes) for option in possible)


def test_a_time_of_planning_that_is_none_is_refused() -> None:
    for at in ("now", "2026-05-04T10:41:00"):
        with pytest.raises(UsageError):
            plans_of(theft(), None, at)


def test_every_step_has_a_name_of_its_own() -> None:
    for plan in plans_of(theft(**heirs()), account(), AT):
        names = [step.name for step in plan.steps]
        assert len(set(names)) == len(names)


# Revoke, deny-all.


@pytest.mark.parametrize(
    ("at", "cutoff"),
    [
        ("2026-05-04T10:41:00Z", "2026-05-04T10:41:01Z"),
        ("2026-05-04T10:41:00.25Z", "2026-05-04T10:41:01Z"),
        ("2026-05-04T23:59:59+00:00", "2026-05-05T00:00:00Z"),
        ("2026-05-04T12:41:00+02:00", "2026-05-04T10:41:01Z"),
    ],
)
def test_the_cut_off_is_the_next_whole_second(at: str, cutoff: str) -> None:
    (deny,) = plan_of(Option.REVOKE, theft(), account(), at).denies
    (said,) = json.loads(deny.document)["Statement"]
    assert said["Condition"] == {"DateLessThan": {"aws:TokenIssueTime": cutoff}}


def test_revoke_denies_every_key_from_before_and_none_from_after() -> None:
    plan = plan_of(Option.REVOKE)
    for network in (NAT, THIEF):
        assert answers(plan, network) is Answer.DENIED
        assert answers(plan, network, **{"aws:TokenIssueTime": "2026-05-04T10:41:01Z"}) is Answer.ALLOWED


def full(letters: int) -> tuple[InlinePolicy, ...]:
    """One inline policy that takes so much of the room, in lines that do not count."""
    return (InlinePolicy("big", "{\n " + "x" * (letters - 2) + " }\t"),)


def test_deny_all_goes_where_there_is_room() -> None:
    ours = len(plan_of(Option.DENY_ALL).denies[0].document)
    arns = tuple(f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(10))
    for inline, attached, operation, undo in (
        (full(10_240 - ours), (), "PutRolePolicy", "DeleteRolePolicy"),
        (full(10_241 - ours), arns[:9], "AttachRolePolicy", "DetachRolePolicy"),
        (full(10_241 - ours), arns, "PutRolePermissionsBoundary", "PutRolePermissionsBoundary"),
    ):
        plan = plan_of(Option.DENY_ALL, theft(), account(role=role(inline=inline, attached=attached)))
        assert (steps(plan), undone(plan)) == ([operation], [undo])
        assert answers(plan, NAT) is Answer.DENIED
        assert not plan.troubles


def test_as_a_boundary_deny_all_gives_the_old_one_back() -> None:
    arns = tuple(f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(10))
    crowded = role(inline=full(10_240), attached=arns)
    (step,) = plan_of(Option.DENY_ALL, theft(), account(role=crowded)).steps
    assert step.call.parameters["PermissionsBoundary"] == "arn:aws:iam::aws:policy/AWSDenyAll"
    assert step.undo[0].parameters["PermissionsBoundary"] == f"arn:aws:iam::{ACCOUNT}:policy/limits"
    (step,) = plan_of(Option.DENY_ALL, theft(), account(role=replace(crowded, boundary=""))).steps
    assert step.undo[0].operation == "DeleteRolePermissionsBoundary"


def test_what_is_denied_already_is_not_touched_so_that_undoing_does_not_take_it_away() -> None:
    for field, value in (
        ("attached", ("arn:aws:iam::aws:policy/AWSDenyAll",)),
        ("boundary", "arn:aws:iam::aws:policy/AWSDenyAll"),
    ):
        done = role(**{"inline": full(10_240), field: value})
        plan = plan_of(Option.DENY_ALL, theft(), account(role=done))
        assert not plan.steps
        assert any("already" in note for note in plan.notes)


def test_a_policy_of_the_same_name_is_put_back_letter_by_letter() -> None:
    name = f"straykey-pin-{FINDING[:12]}"
    before = InlinePolicy(name, READ + "\n ")
    (step,) = plan_of(Option.PIN, theft(), account(role=role(inline=(before,)))).steps
    (undo,) = step.undo
    assert undo == Call(
        "iam", "PutRolePolicy", {"RoleName": "web-role", "PolicyName": name, "PolicyDocument": before.document}
    )


def test_a_policy_of_ours_that_is_on_the_role_already_is_told_but_for_the_one_that_is_replaced() -> None:
    inline = tuple(InlinePolicy(name, READ) for name in (f"straykey-pin-{FINDING[:12]}", "straykey-pin-mine"))
    attached = (f"arn:aws:iam::{ACCOUNT}:policy/straykey-revoke-0123456789ab",)
    read = account(role=role(inline=inline, attached=attached))
    for plan in plans_of(theft(), read, AT):
        told = [note for note in plan.notes if "applied before" in note]
        assert len(told) == (not plan.option.is_companion)
        assert all("straykey-revoke-0123456789ab" in note and "mine" not in note for note in told)
        assert any(inline[0].name in note for note in told) is (
            not plan.option.is_companion and plan.option is not Option.PIN
        )
    assert not any("applied before" in note for plan in plans_of(theft(), account(), AT) for note in plan.notes)


def test_a_pin_without_inline_room_is_a_managed_policy_and_without_any_room_a_trouble() -> None:
    plan = plan_of(Option.PIN, theft(), account(role=role(inline=full(10_000))))
    assert (steps(plan), undone(plan)) == (["CreatePolicy", "AttachRolePolicy"], ["DetachRolePolicy", "DeletePolicy"])
    arns = tuple(f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(10))
    assert plan_of(Option.PIN, theft(), account(role=role(inline=full(10_000), attached=arns))).troubles


def test_a_pin_that_is_there_in_the_other_form_is_not_given_a_second_beside_it() -> None:
    name = plan_of(Option.PIN).denies[0].name
    managed = role(attached=(f"arn:aws:iam::{ACCOUNT}:policy/{name}",))
    grown = role(inline=(*full(10_000), InlinePolicy(name, READ)))
    for one in (managed, grown):
        plan = plan_of(Option.PIN, theft(), account(role=one))
        assert (plan.steps, len(plan.troubles)) == ((), 1)
        assert "roll it back first" in plan.troubles[0].hint


def test_what_stands_under_the_policys_name_is_put_back_by_undoing_also_where_the_thief_made_sessions() -> None:
    name = plan_of(Option.PIN_EVERYWHERE).denies[0].name
    read = account(role=role(inline=(InlinePolicy(name, READ),)))
    own, other = plan_of(Option.PIN_EVERYWHERE, theft(**heirs()), read).steps
    assert [one.parameters["PolicyDocument"] for one in own.undo] == [READ]
    assert (own.is_unread, own.is_optional) == (False, False)
    assert (other.is_unread, other.is_optional) == (True, True)


def test_homes_that_no_policy_has_room_for_are_a_trouble_and_none_is_left_out() -> None:
    homes = tuple(network_of(f"198.18.{one // 128}.{one % 128 * 2}") for one in range(700))
    for read in (None, account()):
        plan = plan_of(Option.PIN, theft(homes=homes), read)
        assert plan.troubles
        assert not plan.steps
        assert all(f"{home.address}/32" in plan.denies[0].document for home in homes)


# VPC endpoints.


def test_endpoints_are_made_for_what_the_workload_uses_and_has_none_for() -> None:
    calls = (called("s3:GetObject", NAT), called("sts:AssumeRole", NAT), called("ecr:GetAuthorizationToken", NAT))
    stolen = as_role(theft(), calls=(*theft().workload.calls, *calls))
    plan = plan_of(Option.VPC_ENDPOINT, stolen, account())
    named = [step.call.parameters["ServiceName"] for step in plan.steps if step.call.operation == "CreateVpcEndpoint"]
    assert named == [f"com.amazonaws.eu-west-1.{suffix}" for suffix in ("ecr.api", "ecr.dkr", "s3", "sts")]
    assert steps(plan)[0] == "CreateSecurityGroup"
    assert steps(plan)[-1] == "PutRolePolicy"
    assert undone(plan)[0] == "DeleteRolePolicy"
    assert undone(plan)[-1] == "DeleteSecurityGroup"


def test_a_service_without_an_endpoint_at_home_is_named() -> None:
    calls = (
        called("iam:GetRole", NAT, "us-east-1"),
        called("s3:GetObject", NAT, "us-east-1"),
        called("kafka:ListClusters", NAT),
        called("logs:PutLogEvents", NAT),  # this region has none
    )
    plan = plan_of(Option.VPC_ENDPOINT, as_role(theft(), calls=calls), account())
    (told,) = (note for note in plan.notes if note.startswith("No endpoint"))
    for named in ("iam (global)", "s3 in us-east-1 (another region)", "kafka (no endpoint", "logs (no endpoint"):
        assert named in told


def test_what_comes_through_no_endpoint_is_denied_and_through_the_home_vpc_or_endpoint_is_not() -> None:
    plan = plan_of(Option.VPC_ENDPOINT, theft(), account())
    vpc = {"aws:SourceVpc": "vpc-0aaaaaaaaaaaaaaa1"}
    assert answers(plan, NAT) is Answer.DENIED
    assert answers(plan, THIEF) is Answer.DENIED
    assert (
        answers(plan, network_of("10.0.0.5", "vpce-0bbbbbbbbbbbbbbb2"), **{"aws:SourceVpc": "vpc-1"}) is Answer.DENIED
    )
    assert answers(plan, network_of("10.0.0.9", "vpce-0bbbbbbbbbbbbbbb2"), **vpc) is Answer.ALLOWED
    assert answers(plan, ENDPOINT, **{"aws:SourceVpc": "vpc-0hub"}) is Answer.ALLOWED
    assert answers(plan, network_of("s3.amazonaws.com")) is Answer.ALLOWED


def test_a_gateway_is_a_route_and_the_others_have_names_and_a_group_that_lets_https_in() -> None:
    stolen = as_role(theft(), calls=(called("s3:GetObject", NAT), called("sts:AssumeRole", NAT)))
    plan = plan_of(Option.VPC_ENDPOINT, stolen, account())
    made_of = [step.call.parameters for step in plan.steps if step.call.operation == "CreateVpcEndpoint"]
    gateway, interface = made_of
    assert (gateway["VpcEndpointType"], gateway["RouteTableIds"]) == ("Gateway", ("rtb-0aaaaaaaaaaaaaaa1",))
    group = Lookup(Sought.SECURITY_GROUP, f"straykey-vpc-endpoint-{FINDING[:12]} vpc-0aaaaaaaaaaaaaaa1")
    assert (interface["PrivateDnsEnabled"], interface["SecurityGroupIds"]) == (True, (group,))
    assert steps(plan)[:2] == ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress"]


def test_china_names_its_endpoints_its_own_way() -> None:
    read = account(
        instance=instance(region="cn-north-1"),
        services=("cn.com.amazonaws.cn-north-1.sts", "com.amazonaws.cn-north-1.s3"),
        endpoints=(),
    )
    calls = (called("sts:AssumeRole", NAT, "cn-north-1"), called("s3:GetObject", NAT, "cn-north-1"))
    stolen = replace(as_role(theft(), region="cn-north-1", calls=calls), partition="aws-cn")
    plan = plan_of(Option.VPC_ENDPOINT, stolen, read)
    named = [step.call.parameters["ServiceName"] for step in plan.steps if step.call.operation == "CreateVpcEndpoint"]
    assert named == ["com.amazonaws.cn-north-1.s3", "cn.com.amazonaws.cn-north-1.sts"]


def test_no_service_has_two_endpoints_of_one_name_and_global_ones_have_none() -> None:
    assert [one.suffix for one in doorways("ecr")] == ["ecr.api", "ecr.dkr"]
    assert [one.is_gateway for name in ("s3", "dynamodb", "sts") for one in doorways(name)] == [True, True, False]
    assert doorways("iam") == doorways("nothing-like-it") == ()


def test_services_that_get_all_their_endpoints_are_rerouted_and_others_go_on_as_before() -> None:
    calls = (
        called("s3:GetObject", NAT),
        called("ecr:GetAuthorizationToken", NAT),
        called("sqs:ReceiveMessage", NAT),  # has its endpoint already, and does not take it
        called("sts:AssumeRole", NAT, "us-east-1"),
        called("logs:PutLogEvents", NAT),  # this region has none
    )
    stolen = as_role(theft(), calls=calls)
    found = plan_of(Option.VPC_ENDPOINT, stolen, account()).rerouted
    assert found == Rerouted("vpc-0aaaaaaaaaaaaaaa1", "eu-west-1", ("ecr", "s3"), ("i-0fedcba9876543210",), ())
    # A gateway without a route, or a service with one of its two doors, is no way.
    for read in (account(route_tables=()), account(services=("com.amazonaws.eu-west-1.ecr.api",))):
        found = plan_of(Option.VPC_ENDPOINT, stolen, read).rerouted
        assert found is not None
        assert "s3" not in found.services
    assert found.services == ()


def test_other_instances_are_inside_or_outside_only_where_that_was_read() -> None:
    for neighbours, inside, outside in ((None, (), ()), (("i-1",), ("i-1",), ("i-2",))):
        plan = plan_of(Option.VPC_ENDPOINT, theft(), account(others=("i-1", "i-2"), neighbours=neighbours))
        assert plan.rerouted is not None
        assert (plan.rerouted.inside, plan.rerouted.outside) == (inside, outside)


# Swap.


def test_the_copy_is_whole_before_the_instance_gets_it_and_the_old_role_is_denied_last() -> None:
    plan = plan_of(Option.SWAP_ROLE, theft(), account())
    assert steps(plan) == [
        "CreateRole",
        "PutRolePolicy",
        "AttachRolePolicy",
        "CreateInstanceProfile",
        "AddRoleToInstanceProfile",
        "ReplaceIamInstanceProfileAssociation",
        "PutRolePolicy",
    ]
    assert undone(plan) == [
        "DeleteRolePolicy",
        "ReplaceIamInstanceProfileAssociation",
        "RemoveRoleFromInstanceProfile",
        "DeleteInstanceProfile",
        "DetachRolePolicy",
        "DeleteRolePolicy",
        "DeleteRole",
    ]
    assert plan.denies[0].role == "web-role"
    assert any("stop nothing" in limit for limit in plan.limits)


def test_the_copy_has_all_the_old_role_has_but_the_tags_of_aws() -> None:
    old = role()
    first = plan_of(Option.SWAP_ROLE, theft(), account(role=old)).steps[0]
    assert first.call.parameters == {
        "RoleName": f"straykey-swap-role-{FINDING[:12]}",
        "Path": "/app/",
        "AssumeRolePolicyDocument": old.trust,
        "MaxSessionDuration": 3600,
        "Description": old.description,
        "PermissionsBoundary": old.boundary,
        "Tags": ({"Key": "team", "Value": "web ${shop}"},),
    }
    assert "iam:TagRole" in first.permissions


def test_a_stopped_instance_is_swapped_in_two_steps_and_gets_its_old_profile_back() -> None:
    plan = plan_of(Option.SWAP_ROLE, theft(), account(instance=instance(state="stopped")))
    taken, given_ = plan.steps[5:7]
    assert (taken.call.operation, given_.call.operation) == (
        "DisassociateIamInstanceProfile",
        "AssociateIamInstanceProfile",
    )
    (give_back,), (take,) = taken.undo, given_.undo
    assert give_back.parameters["IamInstanceProfile"] == {"Arn": instance().profile}
    assert take.operation == "DisassociateIamInstanceProfile"
    assert plan_of(Option.SWAP_ROLE, theft(), account(instance=instance(state="shutting-down"))).troubles


# Companions.


def test_isolating_gives_every_interface_a_group_without_rules_and_its_own_back() -> None:
    plan = plan_of(Option.ISOLATE, theft(), account())
    assert steps(plan) == [
        "CreateSecurityGroup",
        "RevokeSecurityGroupEgress",
        "RevokeSecurityGroupEgress",
        "ModifyNetworkInterfaceAttribute",
    ]
    last = plan.steps[-1]
    assert last.call.parameters["Groups"] == (
        Lookup(Sought.SECURITY_GROUP, f"straykey-isolate-{FINDING[:12]} vpc-0aaaaaaaaaaaaaaa1"),
    )
    assert last.undo[0].parameters["Groups"] == ("sg-0aaaaaaaaaaaaaaa1", "sg-0aaaaaaaaaaaaaaa2")
    assert undone(plan)[-1] == "DeleteSecurityGroup"


def test_hardening_the_metadata_service_leaves_the_rest_of_it_and_is_put_back() -> None:
    (step,) = plan_of(Option.IMDSV2, theft(), account()).steps
    common = {"InstanceId": INSTANCE, "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"}
    assert step.call.parameters == common | {"HttpTokens": "required"}
    assert step.undo[0].parameters == common | {"HttpTokens": "optional"}


@pytest.mark.parametrize(
    ("option", "fields"),
    [
        (Option.IMDSV2, {"http_tokens": "required"}),
        (Option.IMDSV2, {"http_endpoint": "disabled"}),
        (Option.STOP, {"state": "stopped"}),
    ],
)
def test_what_is_so_already_is_not_done(option: Option, fields: dict[str, Any]) -> None:
    plan = plan_of(option, theft(), account(instance=instance(**fields)))
    assert not plan.steps
    assert any("nothing to do" in note for note in plan.notes)


@pytest.mark.parametrize("option", [option for option in Option if option.is_companion])
def test_companions_say_that_they_stop_no_key_that_is_out(option: Option) -> None:
    plan = plan_of(option, theft(), account())
    assert not plan.denies
    assert any("stops no theft" in limit for limit in plan.limits)


# What cannot be done.


def test_keys_of_the_instances_own_identity_cannot_be_denied_and_companions_are_left() -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-instance/{INSTANCE}"
    stolen = as_role(theft(), arn=arn, role="aws:ec2-instance")
    for plan in plans_of(stolen, account(role=None), AT):
        assert bool(plan.troubles) is not plan.option.is_companion
        assert not plan.denies


def test_a_service_linked_role_is_told_before_iam_refuses_it() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/web-role"
    cases: list[tuple[Theft, Account | None]] = [
        (theft(role_arn=arn), None),
        (theft(), account(role=role(path="/aws-service-role/x.amazonaws.com/"))),
    ]
    for (stolen, read), option in itertools.product(cases, DENYING):
        (trouble,) = plan_of(option, stolen, read).troubles
        assert "UnmodifiableEntity" in trouble.text


def test_what_needs_an_instance_says_so_where_there_is_none() -> None:
    stolen = as_role(
        theft(), arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/web-role/shop", instance="", is_delivered_by_ec2=False
    )
    for plan in plans_of(stolen, account(instance=None), AT):
        needs_one = plan.option not in (Option.PIN, Option.PIN_EVERYWHERE, Option.REVOKE, Option.DENY_ALL)
        assert any("no EC2 instance" in trouble.text for trouble in plan.troubles) is needs_one
        assert not (needs_one and plan.steps)
        assert bool(plan.denies) is not (plan.option.is_companion or plan.option is Option.VPC_ENDPOINT)


def test_another_account_than_the_robbed_one_is_not_touched() -> None:
    for plan in plans_of(theft(), account(id="444455556666"), AT):
        assert not plan.steps
        assert plan.troubles


HOSTILE = st.text(min_size=1, max_size=20)


@given(HOSTILE, st.sampled_from(["role", "region", "instance", "account", "session", "partition", "finding"]))
def test_a_name_that_is_none_reaches_no_policy_and_no_call(text: str, field: str) -> None:
    text += '"*'  # no name of AWS's has these
    stolen = theft()
    if field in ("partition", "finding"):
        stolen = theft(**{field: text})
    elif field == "session":
        stolen = as_role(stolen, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/web-role/{text}")
    else:
        stolen = as_role(stolen, **{field: text})
    for plan in plans_of(stolen, account(), AT):
        assert plan.troubles
        assert not plan.steps
        assert not plan.denies


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_arn_is_of_the_partition_of_the_theft(partition: str) -> None:
    crowded = role(inline=full(10_240), attached=())
    for option in (Option.DENY_ALL, Option.PIN):
        plan = plan_of(option, theft(partition=partition), account(role=crowded))
        said = str([step.call for step in plan.steps])
        assert f"arn:{partition}:" in said
        if partition != "aws":
            assert "arn:aws:" not in said


# What goes for every step.


def every_step() -> list[Step]:
    stopped = account(instance=instance(state="stopped"))
    arns = tuple(f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(10))
    reads = [
        account(),
        stopped,
        account(role=role(inline=full(10_240))),
        account(role=role(inline=full(10_240), attached=arns)),
    ]
    stolen = as_role(theft(**heirs()), calls=(called("s3:GetObject", NAT), called("sts:AssumeRole", NAT)))
    return [step for read in reads for plan in plans_of(stolen, read, AT) for step in plan.steps]


def test_every_call_and_its_undoing_is_one_that_is_known_with_its_permission() -> None:
    for step in every_step():
        for call, permissions in ((step.call, step.permissions), *((one, step.undo_permissions) for one in step.undo)):
            assert call.operation in NEEDS
            assert f"{call.service}:{call.operation}" in permissions
            assert bool(call.region) is (call.service == "ec2")


def test_every_operation_that_is_known_is_used() -> None:
    used = {call.operation for step in every_step() for call in (step.call, *step.undo)}
    used |= {"DeleteRolePermissionsBoundary"}  # of a role that had none
    assert used == set(NEEDS)


def test_boto3_takes_every_call_as_it_is() -> None:
    """Names, types and required parameters, as botocore's model of the service has them."""
    aws = botocore.session.get_session()
    models = {name: aws.get_service_model(name) for name in ("iam", "ec2")}
    for step in every_step():
        for call in (step.call, *step.undo):
            shape = models[call.service].operation_model(call.operation).input_shape
            assert shape is not None
            parameters = {key: plain(value) for key, value in call.parameters.items()}
            report = ParamValidator().validate(parameters, shape)
            assert not report.has_errors(), report.generate_report()


def plain(value: object) -> object:
    if isinstance(value, Lookup):
        return "found-1"
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return {key: plain(one) for key, one in value.items()} if isinstance(value, dict) else value
