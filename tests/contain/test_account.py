"""What is read of an account before anything is planned, and what of it may be kept from us."""

import json

import boto3
import pytest

from straykey.contain.account import Account, Endpoint, InlinePolicy, Tag
from straykey.contain.clients import ec2_pages, iam_pages
from straykey.contain.reading import read_account
from straykey.errors import ContainError, SourceError
from tests.aws import Aws
from tests.contain.applying import Time
from tests.contain.grounds import (
    ACCOUNT,
    IMAGE,
    OLD_BOUNDARY,
    READ,
    REGION,
    ROLE,
    SSM,
    TRUST,
    Scene,
    client,
    clients,
    snapshot,
)


def read(instance: str, role: str = ROLE, account: str = ACCOUNT) -> Account:
    return read_account(clients(), account, role, instance, REGION, Time().clock)


def minified(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))


def test_the_role_is_read_with_all_that_a_copy_needs(here: Scene) -> None:
    role = read(here.instance).role
    assert role is not None
    assert (role.name, role.path, role.description, role.max_session_seconds) == (
        ROLE,
        "/app/",
        "of the web servers",
        7200,
    )
    assert role.arn == f"arn:aws:iam::{ACCOUNT}:role/app/{ROLE}"
    assert role.id.startswith("AROA")
    assert (role.trust, role.inline) == (minified(TRUST), (InlinePolicy("read", minified(READ)),))
    assert (role.attached, role.boundary, role.tags) == ((SSM,), OLD_BOUNDARY, (Tag("team", "web"),))
    assert role.profiles == (here.profile,)


def test_the_instance_is_read_with_its_interfaces_and_what_is_undone_to(here: Scene) -> None:
    instance = read(here.instance).instance
    assert instance is not None
    assert (instance.id, instance.region, instance.state) == (here.instance, REGION, "running")
    assert (instance.vpc, instance.subnet, instance.profile) == (here.vpc, here.subnet, here.profile)
    assert instance.association.startswith("iip-assoc-")
    assert (instance.http_tokens, instance.http_endpoint, instance.hop_limit) == ("optional", "enabled", 2)
    assert {len(one.groups) for one in instance.interfaces} == {1, 2}
    assert tuple(one.id for one in instance.interfaces) == here.interfaces
    assert (instance.has_instance_store, instance.is_spot) == (False, False)


def test_what_is_around_it_is_read(here: Scene) -> None:
    made = client("ec2").create_vpc_endpoint(
        VpcId=here.vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[here.route_table]
    )["VpcEndpoint"]["VpcEndpointId"]
    account = read(here.instance)
    assert account.endpoints == (Endpoint(made, here.vpc, f"com.amazonaws.{REGION}.s3", "Gateway", "available"),)
    assert f"com.amazonaws.{REGION}.sqs" in account.services
    assert account.route_tables == (here.route_table,)


def test_other_instances_are_those_whose_profile_holds_the_role(here: Scene) -> None:
    assert read(here.instance).others == (here.sister,)


def test_of_the_other_instances_those_in_the_same_vpc_are_known(here: Scene) -> None:
    assert read(here.instance).neighbours == (here.sister,)
    ec2 = client("ec2")
    elsewhere = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=elsewhere, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    (made,) = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"]
    ec2.associate_iam_instance_profile(InstanceId=made["InstanceId"], IamInstanceProfile={"Arn": here.profile})
    account = read(here.instance)
    assert set(account.others) == {here.sister, made["InstanceId"]}
    assert account.neighbours == (here.sister,)


def instance_in(region: str, profile: str) -> str:
    ec2 = boto3.client("ec2", region_name=region)
    made = ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    identity = made["Instances"][0]["InstanceId"]
    ec2.associate_iam_instance_profile(InstanceId=identity, IamInstanceProfile={"Arn": profile})
    return str(identity)


def read_also_in(here: Scene, *regions: str) -> Account:
    return read_account(clients(), ACCOUNT, ROLE, here.instance, REGION, Time().clock, regions)


def test_other_instances_are_looked_for_in_other_regions_too_as_a_profile_is_of_none(here: Scene) -> None:
    far = instance_in("eu-west-1", here.profile)
    assert read(here.instance).others == (here.sister,)
    assert read_also_in(here, "eu-west-1").others == tuple(sorted((far, here.sister)))


def test_where_was_not_looked_is_told(here: Scene) -> None:
    told = f"instances of role {ROLE} outside us-east-1, eu-west-1: not looked for"
    assert read_also_in(here, "eu-west-1", REGION).unread == (told,)


def test_what_a_log_calls_a_region_is_asked_only_if_it_can_be_one(here: Scene, aws: Aws) -> None:
    read_also_in(here, "", "us-east-1.example.com", "\n")
    assert aws.actions.count("Action=DescribeIamInstanceProfileAssociations") == 2


def test_a_region_that_cannot_be_read_is_told_and_the_rest_is_read(here: Scene) -> None:
    account = read_also_in(here, "xx-nowhere-1")
    assert account.others == (here.sister,)
    assert any("in xx-nowhere-1" in one for one in account.unread)


def test_reading_changes_nothing(here: Scene) -> None:
    before = snapshot()
    read(here.instance)
    assert snapshot() == before


def test_what_is_not_there_is_no_error_and_is_told(here: Scene) -> None:
    account = read("i-0123456789abcdef0", role="other")
    assert (account.role, account.instance, account.others) == (None, None, ())
    assert account.unread == ("role other: it is not there", "instance i-0123456789abcdef0: it is not there")


def test_of_what_runs_on_no_instance_the_role_is_read_alone(here: Scene) -> None:
    account = read("")
    assert account.role is not None
    assert (account.instance, account.others) == (None, tuple(sorted((here.instance, here.sister))))
    assert (account.endpoints, account.services, account.route_tables, account.neighbours) == ((), (), (), None)


def test_an_instance_without_a_profile_has_none(here: Scene) -> None:
    ec2 = client("ec2")
    for one in ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]:
        ec2.disassociate_iam_instance_profile(AssociationId=one["AssociationId"])
    instance = read(here.instance).instance
    assert instance is not None
    assert (instance.association, instance.profile) == ("", "")


@pytest.mark.parametrize(
    ("action", "permission"),
    [
        ("GetRole", "iam:GetRole"),
        ("GetRolePolicy", "iam:ListRolePolicies and iam:GetRolePolicy"),
        ("ListRolePolicies", "iam:ListRolePolicies and iam:GetRolePolicy"),
        ("ListAttachedRolePolicies", "iam:ListAttachedRolePolicies"),
        ("ListInstanceProfilesForRole", "iam:ListInstanceProfilesForRole"),
        ("DescribeInstances", "ec2:DescribeInstances"),
        ("DescribeIamInstanceProfileAssociations", "ec2:DescribeIamInstanceProfileAssociations"),
        ("DescribeInstanceTypes", "ec2:DescribeInstanceTypes"),
        ("DescribeVpcEndpoints", "ec2:DescribeVpcEndpoints"),
        ("DescribeVpcEndpointServices", "ec2:DescribeVpcEndpointServices"),
        ("DescribeRouteTables", "ec2:DescribeRouteTables"),
    ],
)
def test_what_may_not_be_read_is_told_and_the_rest_is_read(action: str, permission: str, here: Scene, aws: Aws) -> None:
    aws.refuse(f"Action={action}", "UnauthorizedOperation" if permission.startswith("ec2") else "AccessDenied")
    account = read(here.instance)
    denied = [one for one in account.unread if not one.endswith("not looked for")]
    assert denied
    assert all(one.endswith(f"access denied; it needs {permission}") for one in denied)
    assert (account.role is None) == (action == "GetRole")
    assert (account.instance is None) == (action == "DescribeInstances")


def test_what_is_listed_on_several_pages_is_read_whole() -> None:
    pages = {None: (["a", "b"], "x"), "x": ([], "y"), "y": (["c"], None)}

    def of_iam(Marker: str | None = None) -> dict[str, object]:  # noqa: N803 - IAM's
        names, more = pages[Marker]
        return {"Names": names, "IsTruncated": more is not None, **({"Marker": more} if more else {})}

    def of_ec2(NextToken: str | None = None) -> dict[str, object]:  # noqa: N803 - EC2's
        names, more = pages[NextToken]
        return {"Names": names, **({"NextToken": more} if more else {})}

    assert list(iam_pages(of_iam, "Names")) == list(ec2_pages(of_ec2, "Names")) == ["a", "b", "c"]


def test_credentials_of_another_account_read_nothing(here: Scene, aws: Aws) -> None:
    with pytest.raises(ContainError, match="of account 123456789012, and the keys were stolen in 444455556666"):
        read(here.instance, account="444455556666")
    assert aws.actions == ["Action=GetCallerIdentity"]


def test_credentials_that_have_expired_are_told(here: Scene, aws: Aws) -> None:
    aws.refuse("Action=GetCallerIdentity", "ExpiredToken")
    with pytest.raises(SourceError, match="expired"):
        read(here.instance)
    aws.relent()
    aws.refuse("Action=DescribeInstances", "RequestExpired", "400 Bad Request")
    with pytest.raises(SourceError, match="expired"):
        read(here.instance)


def test_throttling_is_waited_out(here: Scene, aws: Aws) -> None:
    aws.refuse("Action=DescribeInstances", "RequestLimitExceeded", "503 Service Unavailable", times=3)
    assert read(here.instance).instance is not None
