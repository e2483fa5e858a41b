"""What is read of an account before anything is said of how to harden it, and what of it may be kept from us."""

import json

import pytest

from straykey.contain.account import Endpoint
from straykey.errors import SourceError
from straykey.harden.posture import (
    BasicSelector,
    DataResource,
    Defaults,
    Field,
    Gate,
    Held,
    Organization,
    Selector,
    Trail,
)
from straykey.harden.reading import PERMISSIONS
from tests.aws import Aws
from tests.contain.grounds import ACCOUNT, PROFILE, REGION, ROLE, Scene, client, snapshot
from tests.harden.scenes import DEFAULTS, ELSEWHERE, read, said_of_defaults, select, stop, trail, whole

BUCKETS = "arn:aws:s3:::"


@pytest.fixture
def here(aws: Aws) -> Scene:
    return whole(aws)


def test_an_account_that_may_be_read_is_read_whole(here: Scene) -> None:
    posture = read()
    assert (posture.account, posture.partition, posture.unread) == (ACCOUNT, "aws", ())
    assert posture.organization is not None
    assert posture.organization.id.startswith("o-")
    assert posture.organization.management_account == ACCOUNT
    role = f"arn:aws:iam::{ACCOUNT}:role/app/{ROLE}"
    assert posture.profiles == (Held(f"arn:aws:iam::{ACCOUNT}:instance-profile/app/{PROFILE}", role),)
    assert posture.region(REGION).defaults == Defaults(http_tokens="required", hop_limit=2, managed_by="account")


def test_an_instance_is_read_with_its_addresses_and_what_its_metadata_service_asks_for(here: Scene) -> None:
    posture = read()
    machine = next(one for one in posture.machines() if one.id == here.instance)
    assert (machine.region, machine.state, machine.vpc, machine.profile) == (REGION, "running", here.vpc, here.profile)
    assert (machine.http_tokens, machine.http_endpoint, machine.hop_limit) == ("optional", "enabled", 2)
    assert posture.role_of(machine) == f"arn:aws:iam::{ACCOUNT}:role/app/{ROLE}"
    told = client("ec2").describe_instances(InstanceIds=[here.instance])["Reservations"][0]["Instances"][0]
    assert machine.address == told["PrivateIpAddress"]
    private = {one["PrivateIpAddress"] for one in told["NetworkInterfaces"]}
    assert len(private) == 2
    assert private <= set(machine.addresses)
    assert machine.public_addresses == ((told["PublicIpAddress"],) if told.get("PublicIpAddress") else ())


def test_an_instance_that_is_gone_is_none(here: Scene) -> None:
    client("ec2").terminate_instances(InstanceIds=[here.sister])
    assert [one.id for one in read().machines()] == [here.instance]


def test_endpoints_are_read_with_whether_they_have_a_policy_of_their_own(here: Scene) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    own = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    plain = json.dumps({"Version": "2008-10-17", "Statement": [deny | {"Effect": "Allow"}]})
    services = [f"com.amazonaws.{REGION}.{name}" for name in ("dynamodb", "s3")]
    for service, document in zip(services, (own, plain), strict=True):
        client("ec2").create_vpc_endpoint(VpcId=here.vpc, ServiceName=service, PolicyDocument=document)
    region = read().region(REGION)
    assert region.gates is not None
    found = {one.endpoint.service: one for one in region.gates}
    assert [found[service].has_own_policy for service in services] == [True, False]
    endpoint = found[services[0]].endpoint
    assert found[services[0]] == Gate(Endpoint(endpoint.id, here.vpc, services[0], "Gateway", "available"), True)
    assert region.services is not None
    assert f"com.amazonaws.{REGION}.sqs" in region.services


def test_a_trail_is_read_with_its_state_and_its_basic_selectors(here: Scene) -> None:
    said = {
        "ReadWriteType": "WriteOnly",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": [BUCKETS]}],
        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
    }
    select("main", EventSelectors=[said])
    assert read().trails == (
        Trail(
            name="main",
            arn=f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main",
            home_region=REGION,
            is_multi_region=True,
            has_global_events=True,
            is_organization=False,
            is_logging=True,
            basic=(
                BasicSelector(
                    "WriteOnly", True, (DataResource("AWS::S3::Object", (BUCKETS,)),), ("kms.amazonaws.com",)
                ),
            ),
            advanced=(),
        ),
    )


def test_a_trail_is_read_with_its_advanced_selectors(here: Scene) -> None:
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.ARN", "StartsWith": [BUCKETS], "NotEndsWith": ["/tmp"]},
    ]
    select("main", AdvancedEventSelectors=[{"Name": "objects", "FieldSelectors": fields}])
    (found,) = read().trails or ()
    wanted = (Field("eventCategory", ("Data",)), Field("resources.ARN", starts=(BUCKETS,), not_ends=("/tmp",)))
    assert (found.basic, found.advanced) == ((), (Selector("objects", wanted),))


def test_a_trail_that_does_not_log_is_told_from_one_that_does(here: Scene) -> None:
    stop("main")
    assert [one.is_logging for one in read().trails or ()] == [False]


def test_trails_of_all_regions_are_read_once_each_and_at_home(here: Scene, aws: Aws) -> None:
    trail("near", region=ELSEWHERE)
    aws.asked.clear()
    found = read(REGION, ELSEWHERE).trails
    assert [(one.name, one.home_region) for one in found or ()] == [("near", ELSEWHERE), ("main", REGION)]
    assert [one.is_logging for one in found or ()] == [True, True]
    assert len([one for one in aws.asked if one.endswith("GetEventSelectors")]) == 2


def test_several_regions_are_read_each(here: Scene) -> None:
    posture = read(ELSEWHERE, REGION)
    assert [one.name for one in posture.regions] == [ELSEWHERE, REGION]
    assert posture.region(ELSEWHERE).machines == ()
    assert {one.id for one in posture.machines()} == {here.instance, here.sister}


def test_an_account_of_no_organization_is_known_to_be_in_none(aws: Aws) -> None:
    aws.answer_xml(DEFAULTS, said_of_defaults())
    posture = read()
    assert (posture.organization, posture.unread) == (Organization(), ())
    assert posture.region(REGION).defaults == Defaults()


def test_defaults_that_aws_does_not_tell_of_are_unread_and_the_rest_is_read(here: Scene, aws: Aws) -> None:
    aws.relent()  # moto, left alone, knows nothing of them
    posture = read()
    assert posture.region(REGION).defaults is None
    (told,) = posture.unread
    assert told.startswith(f"metadata defaults in {REGION}: ")
    assert {one.id for one in posture.machines()} == {here.instance, here.sister}


@pytest.mark.parametrize(
    ("asked", "permission", "what"),
    [
        (DEFAULTS, "ec2:GetInstanceMetadataDefaults", f"metadata defaults in {REGION}"),
        ("Action=DescribeInstances", "ec2:DescribeInstances", f"instances in {REGION}"),
        ("Action=DescribeVpcEndpoints", "ec2:DescribeVpcEndpoints", f"endpoints in {REGION}"),
        ("Action=DescribeVpcEndpointServices", "ec2:DescribeVpcEndpointServices", f"endpoint services in {REGION}"),
        ("Action=ListInstanceProfiles", "iam:ListInstanceProfiles", "instance profiles"),
        ("AWSOrganizationsV20161128.DescribeOrganization", "organizations:DescribeOrganization", "the organization"),
        ("CloudTrail_20131101.DescribeTrails", "cloudtrail:DescribeTrails", f"trails in {REGION}"),
        ("CloudTrail_20131101.GetTrailStatus", "cloudtrail:GetTrailStatus", "status of trail main"),
        ("CloudTrail_20131101.GetEventSelectors", "cloudtrail:GetEventSelectors", "selectors of trail main"),
    ],
)
def test_what_may_not_be_read_is_told_and_the_rest_is_read(
    asked: str, permission: str, what: str, here: Scene, aws: Aws
) -> None:
    aws.refuse(asked, "UnauthorizedOperation" if permission.startswith("ec2") else "AccessDeniedException")
    posture = read()
    assert posture.unread == (f"{what}: access denied; it needs {permission}",)
    region = posture.region(REGION)
    unread: list[object] = [
        region.gates,
        region.services,
        region.machines,
        region.defaults,
        posture.profiles,
        posture.organization,
    ]
    unread += [posture.trails, *(known for one in posture.trails or () for known in (one.is_logging, one.basic))]
    assert unread.count(None) == 1


def test_what_is_not_known_is_not_taken_for_what_is_not_there(here: Scene, aws: Aws) -> None:
    aws.refuse("Action=DescribeInstances", "UnauthorizedOperation")
    assert read().region(REGION).machines is None
    assert read().region("ap-south-1").machines is None


def test_a_region_that_is_not_enabled_costs_that_region(here: Scene, aws: Aws) -> None:
    aws.refuse("Action=DescribeInstances", "AuthFailure", times=1)
    posture = read(ELSEWHERE, REGION)
    assert posture.region(ELSEWHERE).machines is None
    assert {one.id for one in posture.machines()} == {here.instance, here.sister}
    (told,) = posture.unread
    assert told == f"instances in {ELSEWHERE}: AWS does not accept the credentials (AuthFailure)"


def test_throttling_is_waited_out(here: Scene, aws: Aws) -> None:
    aws.refuse("CloudTrail_20131101.DescribeTrails", "ThrottlingException", "400 Bad Request", times=3)
    aws.refuse("Action=DescribeInstances", "RequestLimitExceeded", "503 Service Unavailable", times=3)
    assert read().unread == ()


def test_credentials_that_have_expired_read_nothing(here: Scene, aws: Aws) -> None:
    aws.refuse("Action=GetCallerIdentity", "ExpiredToken")
    with pytest.raises(SourceError, match="expired"):
        read()


def test_reading_changes_nothing(here: Scene) -> None:
    before = snapshot()
    read(REGION, ELSEWHERE)
    assert snapshot() == before


def test_the_permissions_are_those_of_the_calls_that_are_made(here: Scene, aws: Aws) -> None:
    read()
    called = {one.partition("=")[2] for one in aws.actions}
    called |= {one.rpartition(".")[2] for one in aws.asked if not one.startswith("POST ")}
    assert called == {one.partition(":")[2] for one in PERMISSIONS}
