"""What a finding tells is told in AWS's terms, and nothing is made up."""

import pytest
from msgspec.structs import replace

from straykey.core.finding import FindingType
from straykey.formats import known
from straykey.formats.known import Kind, Resource
from tests.formats import variants


def test_an_instance_is_named_by_the_finding_about_it() -> None:
    assert known.instance_of(variants.stolen()) == "i-0123456789abcdef0"


def test_whose_name_was_taken_is_not_named_as_the_culprit() -> None:
    taken = variants.full(FindingType.SPOOFED_NAME)
    assert known.instance_of(taken) is None
    assert Kind.INSTANCE not in {one.kind for one in known.resources_of(taken)}


@pytest.mark.parametrize("kind", [FindingType.V1_DELIVERY, FindingType.EGRESS_MOVED])
def test_a_finding_about_a_role_or_a_fleet_names_no_instance(kind: FindingType) -> None:
    one = variants.delivered()
    several = replace(one, type=kind, sessions=[one.session.arn, one.session.arn.replace("def0", "def1")])
    for about in (replace(one, type=kind), several):
        assert known.instance_of(about) is None
        assert known.session_name_of(about) is None
        expected = [Kind.ROLE, *(Kind.SESSION for _ in about.sessions)]
        assert [resource.kind for resource in known.resources_of(about)] == expected


def test_sessions_of_several_roles_name_no_role() -> None:
    one = variants.delivered()
    several = replace(one, sessions=[one.session.arn, one.session.arn.replace("web-role", "batch-role")])
    assert {one.kind for one in known.resources_of(several)} == {Kind.SESSION}


def test_the_resources_of_a_theft_are_the_instance_its_role_and_the_key() -> None:
    assert known.resources_of(variants.stolen()) == [
        Resource(Kind.INSTANCE, "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0"),
        Resource(Kind.ROLE, "arn:aws:iam::111122223333:role/app/web-role"),
        Resource(Kind.KEY, "ASIAEXAMPLEKEY000002"),
    ]


def test_an_instance_of_no_known_region_is_named_by_its_id() -> None:
    one = variants.stolen()
    lost = replace(one, session=replace(one.session, region=None))
    assert known.resources_of(lost)[0] == Resource(Kind.INSTANCE, "i-0123456789abcdef0")


def test_there_is_always_a_resource() -> None:
    assert known.resources_of(variants.bare())
    assert known.resources_of(replace(variants.bare(), sessions=[]))


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        ("arn:aws:sts::111122223333:assumed-role/web-role/x", "us-east-1"),
        ("arn:aws-cn:sts::111122223333:assumed-role/web-role/x", "cn-north-1"),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/web-role/x", "us-gov-west-1"),
        ("arn:other:sts::111122223333:assumed-role/web-role/x", "us-east-1"),
        ("", "us-east-1"),
    ],
)
def test_without_any_region_the_first_of_the_partition_stands(arn: str, region: str) -> None:
    one = variants.bare()
    assert known.region_of(replace(one, session=replace(one.session, arn=arn))) == region


def test_without_the_sessions_region_that_of_its_first_call_stands() -> None:
    one = variants.stolen()
    lost = replace(one, session=replace(one.session, region=None))
    assert known.region_of(lost) == "eu-west-1"
    assert known.stated_region_of(lost) is None


@pytest.mark.parametrize("account", ["", "123", "11112222333x"])
def test_an_account_that_is_none_is_written_as_zeros(account: str) -> None:
    one = variants.stolen()
    assert known.account_of(replace(one, session=replace(one.session, account=account))) == known.NO_ACCOUNT


def test_a_finding_changes_with_its_last_record_or_later() -> None:
    one = variants.stolen()
    assert known.updated(one, None) == one.stray.last_seen
    assert known.updated(one, "2026-05-04T09:00:00Z") == one.stray.last_seen
    assert known.updated(one, "2026-05-05T09:00:00Z") == "2026-05-05T09:00:00Z"


def test_zero_and_false_are_known() -> None:
    assert known.only({"a": 0, "b": False, "c": None, "d": " ", "e": [], "f": {}}) == {"a": 0, "b": False}
