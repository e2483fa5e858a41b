"""What AWS refuses, forgets or tells late, and what others change meanwhile."""

import json

import pytest

from straykey.contain.apply import Point
from straykey.contain.check import Checked, check
from straykey.contain.plan import Option, Plan, Trouble
from straykey.errors import ContainError
from straykey.ports import Phase, StepState
from straykey.stores.journal import SqlJournal
from tests.aws import Aws
from tests.contain.applying import (
    ORDER,
    SIMULATE,
    CrashAfter,
    CrashError,
    Time,
    applied,
    latest,
    simulation,
    taken_back,
)
from tests.contain.grounds import ALLOW, DENY_ALL, READ, ROLE, SSM, TRUST, Scene, client, clients, snapshot
from tests.contain.handmade import (
    DENY,
    NAME,
    PLANS,
    boundary,
    deny,
    ec2,
    iam,
    imdsv2,
    inline,
    isolate,
    plan,
    step,
    stop,
    swap,
)

PUT, GET = "Action=PutRolePolicy", "Action=GetRolePolicy"


def checked(what: Plan) -> Checked:
    return check(what, ORDER, clients(), Time().clock)


def told(found: Checked) -> str:
    return "; ".join(one.text for one in found.troubles)


@pytest.mark.parametrize("name", PLANS)
def test_checking_changes_nothing_and_finds_nothing_in_the_way(name: str, here: Scene) -> None:
    before = snapshot()
    found = checked(PLANS[name](here))
    assert found.troubles == ()
    assert snapshot() == before


def test_what_was_applied_is_not_taken_back_twice(here: Scene, journal: SqlJournal) -> None:
    done = applied(inline(here), journal)
    taken_back(done.id, journal)
    with pytest.raises(ContainError, match="rolled back already"):
        taken_back(done.id, journal)


def test_credentials_of_another_account_change_nothing(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    done, before = applied(inline(here), journal), snapshot()
    identity = "<GetCallerIdentityResult><Arn>arn:aws:iam::444455556666:user/x</Arn><Account>444455556666</Account>"
    aws.answer_xml(
        "Action=GetCallerIdentity",
        f"<GetCallerIdentityResponse>{identity}</GetCallerIdentityResult></GetCallerIdentityResponse>",
    )
    with pytest.raises(ContainError, match="of account 444455556666, and the keys were stolen in 123456789012"):
        applied(imdsv2(here), journal)
    with pytest.raises(ContainError, match="of account 444455556666"):
        taken_back(done.id, journal)
    assert snapshot() == before
    assert latest(journal).phase is Phase.APPLIED


def test_a_step_that_is_refused_stops_it_and_all_before_it_can_be_taken_back(
    here: Scene, journal: SqlJournal, aws: Aws
) -> None:
    before = snapshot()
    aws.refuse("Action=AddRoleToInstanceProfile", "AccessDenied")
    done = applied(swap(here), journal)
    assert done.stop is not None
    assert (done.stop.step, done.stop.is_in_doubt) == ("fill profile", False)
    assert "access denied" in done.stop.reason
    assert "iam:AddRoleToInstanceProfile" in done.stop.hint
    assert done.left == ("hand over", "deny")
    assert [one.state for one in latest(journal).entries][-3:] == [
        StepState.FAILED,
        StepState.PLANNED,
        StepState.PLANNED,
    ]
    assert taken_back(done.id, journal).undone[0] == "make profile"  # what failed for certain is not touched
    assert snapshot() == before


def test_throttling_and_failures_are_waited_out(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    time = Time()
    aws.refuse(PUT, "Throttling", "400 Bad Request", times=2)
    aws.refuse(GET, "ServiceFailure", "500 Internal Server Error", times=2)
    assert applied(inline(here), journal, time=time).stop is None
    assert 0 < time.seconds < 30


def test_what_was_lost_on_its_way_is_in_doubt_and_is_taken_back(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    before = snapshot()
    aws.refuse(PUT, "ServiceFailure", "500 Internal Server Error")
    done = applied(inline(here), journal)
    assert done.stop is not None
    assert done.stop.is_in_doubt
    aws.relent()
    client("iam").put_role_policy(RoleName=ROLE, PolicyName=NAME, PolicyDocument=DENY)  # it came through after all
    time = Time()
    assert taken_back(done.id, journal, time=time).undone == ("deny",)
    assert time.seconds >= 10  # it may have been on its way still
    assert snapshot() == before


def test_an_answer_that_was_lost_makes_no_second_role(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    def lose(point: Point, number: int) -> None:
        if (point, number) == (Point.NOTED, 0):  # the call comes through, but its answer does not
            made = swap(here).steps[0].call.parameters
            client("iam").create_role(**made)

    assert applied(swap(here), journal, lose).stop is None


def test_another_role_of_the_same_name_is_not_taken_for_ours(here: Scene, journal: SqlJournal) -> None:
    def other(point: Point, number: int) -> None:
        if (point, number) == (Point.NOTED, 0):
            client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST), Description="other")

    done = applied(swap(here), journal, other)
    assert done.stop is not None
    assert "something else of that name" in done.stop.reason


def test_a_change_that_is_not_seen_stops_it_in_doubt(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    def forget(point: Point, _: int) -> None:
        if point is Point.CALLED:
            aws.refuse(GET, "NoSuchEntity", "404 Not Found")

    done = applied(inline(here), journal, forget)
    assert done.stop is not None
    assert (done.stop.is_in_doubt, "nothing is seen of it" in done.stop.reason) == (True, True)


def test_a_change_that_is_seen_late_is_waited_for(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    def forget(point: Point, _: int) -> None:
        if point is Point.CALLED:
            aws.refuse(GET, "NoSuchEntity", "404 Not Found", times=3)

    assert applied(inline(here), journal, forget).stop is None


def test_a_role_that_iam_believes_in_use_is_deleted_later(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    before = snapshot()
    done = applied(swap(here), journal)
    aws.refuse("Action=DeleteRole", "DeleteConflict", "409 Conflict", times=3)
    aws.refuse("Action=DeleteInstanceProfile", "DeleteConflict", "409 Conflict", times=1)
    assert taken_back(done.id, journal).stop is None
    assert snapshot() == before


def crowded() -> None:
    """Somebody puts policies on the copy of the role."""
    client("iam").put_role_policy(RoleName=NAME, PolicyName="fix-bucket", PolicyDocument=json.dumps(READ))
    client("iam").attach_role_policy(RoleName=NAME, PolicyArn=DENY_ALL)


def test_what_somebody_put_on_a_role_that_was_made_is_named_with_how_to_take_it_off(
    here: Scene, journal: SqlJournal
) -> None:
    before = snapshot()
    done = applied(swap(here), journal)
    crowded()
    back = taken_back(done.id, journal)
    assert back.stop is not None
    assert f"inline policy fix-bucket, attached policy {DENY_ALL}" in back.stop.reason
    assert f"`aws iam delete-role-policy --role-name {NAME} --policy-name fix-bucket`" in back.stop.hint
    assert f"`aws iam detach-role-policy --role-name {NAME} --policy-arn {DENY_ALL}`" in back.stop.hint
    client("iam").delete_role_policy(RoleName=NAME, PolicyName="fix-bucket")
    client("iam").detach_role_policy(RoleName=NAME, PolicyArn=DENY_ALL)
    assert taken_back(done.id, journal).stop is None
    assert snapshot() == before


def test_that_somebody_put_it_into_an_instance_profile_is_told_too(here: Scene, journal: SqlJournal) -> None:
    done = applied(swap(here), journal)
    client("iam").create_instance_profile(InstanceProfileName="mine")
    client("iam").add_role_to_instance_profile(InstanceProfileName="mine", RoleName=NAME)
    back = taken_back(done.id, journal, is_forced=True)
    assert back.stop is not None
    assert "an instance profile that holds it" in back.stop.reason
    assert f"list-instance-profiles-for-role --role-name {NAME}" in back.stop.hint
    assert f"remove-role-from-instance-profile --role-name {NAME}" in back.stop.hint
    assert "--force" not in back.stop.hint


def test_by_force_it_is_taken_off_whatever_crashes_and_told_in_full(here: Scene, journal: SqlJournal) -> None:
    before, crashes = snapshot(), 0
    for points in range(40):
        done = applied(swap(here), journal)
        crowded()
        try:
            back = taken_back(done.id, journal, CrashAfter(points), is_forced=True)
        except CrashError:
            crashes += 1
            # What force began goes on without it; what it did not come to needs it again.
            is_begun = b"fix-bucket" in journal.read(done.id).entries[0].undo
            back = taken_back(done.id, journal, is_forced=not is_begun)
        else:
            assert back.removed == (
                f"inline policy fix-bucket of role {NAME}: {json.dumps(READ, separators=(',', ':'))}",
                f"attached policy {DENY_ALL} of role {NAME}",
            )
        assert back.stop is None, points
        assert snapshot() == before, points
    assert 30 < crashes < 40


def test_a_role_that_only_bears_the_name_keeps_its_policies_by_force_too(here: Scene, journal: SqlJournal) -> None:
    def other(point: Point, number: int) -> None:
        if (point, number) == (Point.NOTED, 0):
            client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST), Description="other")
            crowded()

    done = applied(swap(here), journal, other)
    assert taken_back(done.id, journal, is_forced=True).stop is not None
    assert client("iam").list_role_policies(RoleName=NAME)["PolicyNames"] == ["fix-bucket"]


def test_what_is_gone_already_is_taken_back_by_saying_so(here: Scene, journal: SqlJournal) -> None:
    done = applied(isolate(here), journal)
    gone = here.interfaces[1]
    found = client("ec2").describe_network_interfaces(NetworkInterfaceIds=[gone])["NetworkInterfaces"][0]
    client("ec2").detach_network_interface(AttachmentId=found["Attachment"]["AttachmentId"])
    client("ec2").delete_network_interface(NetworkInterfaceId=gone)
    back = taken_back(done.id, journal)
    assert (back.stop, back.gone) == (None, (f"cut off {gone}",))


def test_what_somebody_deleted_of_ours_is_taken_back_all_the_same(here: Scene, journal: SqlJournal) -> None:
    before = snapshot()
    done = applied(inline(here), journal)
    client("iam").delete_role_policy(RoleName=ROLE, PolicyName=NAME)
    assert taken_back(done.id, journal).stop is None
    assert snapshot() == before


def test_what_somebody_set_since_is_not_written_over_unless_by_force(here: Scene, journal: SqlJournal) -> None:
    before = snapshot()
    done = applied(boundary(here), journal)
    client("iam").put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=SSM)
    back = taken_back(done.id, journal)
    assert back.stop is not None
    assert "boundary: neither what this step made nor what was there before" in back.stop.reason
    assert back.left == ("make policy",)
    assert latest(journal).phase is Phase.ROLLING_BACK
    assert taken_back(done.id, journal, is_forced=True).stop is None
    assert snapshot() == before


def test_what_is_so_already_is_not_done_and_not_undone(here: Scene, journal: SqlJournal) -> None:
    options = {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 2}
    client("ec2").modify_instance_metadata_options(InstanceId=here.instance, **options)
    client("iam").put_role_policy(RoleName=ROLE, PolicyName=NAME, PolicyDocument=DENY)
    before = snapshot()
    done = applied(plan(Option.PIN, *inline(here).steps, *imdsv2(here).steps), journal)
    assert done.already == ("deny", "require tokens")
    assert taken_back(done.id, journal).stop is None
    assert snapshot() == before


def test_who_is_taken_back_while_applying_goes_no_further(here: Scene, journal: SqlJournal) -> None:
    before = snapshot()

    def take_back(point: Point, number: int) -> None:
        if (point, number) == (Point.SEEN, 3):
            assert taken_back(latest(journal).id, journal).stop is None

    with pytest.raises(ContainError, match="rolled-back, not applying"):
        applied(swap(here), journal, take_back)
    assert snapshot() == before


def test_a_plan_that_the_account_has_outrun_is_refused(here: Scene, journal: SqlJournal) -> None:
    plans = [boundary(here), isolate(here), imdsv2(here), swap(here), inline(here)]
    other = {"HttpTokens": "optional", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 5}
    client("iam").put_role_permissions_boundary(RoleName=ROLE, PermissionsBoundary=SSM)
    for interface in here.interfaces:
        client("ec2").modify_network_interface_attribute(NetworkInterfaceId=interface, Groups=list(here.groups))
    client("ec2").modify_instance_metadata_options(InstanceId=here.instance, **other)
    client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST), Description="other")
    client("iam").put_role_policy(RoleName=ROLE, PolicyName=NAME, PolicyDocument=json.dumps(READ))
    before = snapshot()
    for one in plans:
        with pytest.raises(ContainError, match="changed since this was planned"):
            applied(one, journal)
    assert snapshot() == before


@pytest.mark.parametrize("name", ["endpoint", "stop", "imdsv2", "isolate"])
def test_what_ec2_would_refuse_is_told_before_anything_is_changed(
    name: str, here: Scene, journal: SqlJournal, aws: Aws
) -> None:
    before = snapshot()
    refused = {
        "endpoint": "CreateVpcEndpoint",
        "stop": "StartInstances",
        "imdsv2": "ModifyInstanceMetadataOptions",
        "isolate": "CreateSecurityGroup",
    }[name]
    aws.refuse(f"Action={refused}", "UnauthorizedOperation")
    with pytest.raises(ContainError, match=f"nothing was changed\n.*ec2:{refused}: access denied"):
        applied(PLANS[name](here), journal)
    assert snapshot() == before


def test_what_iam_would_refuse_is_told_before_anything_is_changed(here: Scene, aws: Aws) -> None:
    aws.answer_xml(SIMULATE, simulation("implicitDeny"))
    assert told(checked(inline(here))) == (
        "iam:PutRolePolicy is not allowed on arn:aws:iam::123456789012:role/app/web-role, as IAM simulates it"
    )


def test_what_cannot_be_simulated_is_said_to_be_unchecked(here: Scene, aws: Aws) -> None:
    aws.answer_xml(SIMULATE, simulation("implicitDeny", missing="iam:PolicyARN"))
    found = checked(inline(here))
    assert (found.troubles, len(found.notes)) == ((), 1)
    aws.refuse(SIMULATE, "AccessDenied")
    found = checked(inline(here))
    assert found.troubles == ()
    assert "what IAM allows was not checked" in found.notes[0]


def test_troubles_of_the_plan_itself_are_told(here: Scene) -> None:
    trouble = Trouble("the role is one of AWS's own")
    assert checked(Plan(Option.PIN, (), inline(here).steps, (), troubles=(trouble,))).troubles == (trouble,)


def test_a_role_that_belongs_to_a_service_is_refused(here: Scene) -> None:
    client("iam").create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
    assert "belongs to a service of AWS" in told(checked(plan(Option.PIN, deny("AWSServiceRoleForAutoScaling"))))


def test_a_role_that_is_not_there_is_refused(here: Scene) -> None:
    assert "there is no role other" in told(checked(plan(Option.PIN, deny("other"))))


def test_policies_that_do_not_fit_are_refused(here: Scene) -> None:
    filler = json.dumps({"Version": "2012-10-17", "Statement": [{**ALLOW, "Sid": "x" * 10_000}]})
    client("iam").put_role_policy(RoleName=ROLE, PolicyName="filler", PolicyDocument=filler)
    assert "10,285 characters of inline policies" in told(checked(inline(here)))
    long = iam("CreatePolicy", PolicyName=NAME, PolicyDocument=filler)
    assert f"policy {NAME} is too long" in told(checked(plan(Option.PIN, step("long", long))))


def test_an_instance_that_does_not_run_keeps_its_profile(here: Scene) -> None:
    client("ec2").stop_instances(InstanceIds=[here.instance])
    assert "hand over: the instance is stopped" in told(checked(swap(here)))


def test_a_call_that_no_plan_may_make_is_refused(here: Scene) -> None:
    wrong = iam("DeleteUser", UserName="root")
    for one in (step("x", wrong), step("x", deny().call, wrong)):
        with pytest.raises(ContainError, match="iam:DeleteUser is no call that a containment makes"):
            checked(plan(Option.PIN, one))


def test_a_plan_that_does_not_name_what_it_changes_is_refused(here: Scene) -> None:
    wrong = [
        iam("PutRolePolicy", RoleName=ROLE),
        ec2("StopInstances", InstanceIds=(here.instance, here.sister)),
        ec2("DisassociateIamInstanceProfile", AssociationId="iip-assoc-0123456789abcdef0"),
        ec2("CreateVpcEndpoint", VpcId=here.vpc, ServiceName="x", TagSpecifications=()),
    ]
    for call in wrong:
        with pytest.raises(ContainError):
            checked(plan(Option.PIN, step("x", call)))


def test_stopping_can_be_taken_back_while_it_is_still_stopping(here: Scene, journal: SqlJournal, aws: Aws) -> None:
    before = snapshot()

    def crash(point: Point, _: int) -> None:
        if point is Point.CALLED:
            raise CrashError

    with pytest.raises(CrashError):
        applied(stop(here), journal, crash)
    aws.refuse("Action=StartInstances", "IncorrectInstanceState", "400 Bad Request", times=4)
    assert taken_back(latest(journal).id, journal).stop is None
    assert snapshot() == before


def test_nothing_secret_is_kept_and_what_is_kept_is_what_is_undone(here: Scene, journal: SqlJournal) -> None:
    applied(plan(Option.DENY_ALL, step("x", iam("AttachRolePolicy", RoleName=ROLE, PolicyArn=DENY_ALL))), journal)
    (entry,) = latest(journal).entries
    assert (entry.undo, entry.found, entry.state) == (b"[]", b"null", StepState.DONE)
