"""Session ARNs of every partition, and what is none."""

import pytest

from straykey.core.session import is_instance_id, parse_instance_arn, parse_session, session_of_role


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc"])
def test_a_session_of_any_partition_is_read(partition: str) -> None:
    session = parse_session(f"arn:{partition}:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0")
    assert session is not None
    assert (session.partition, session.account, session.role, session.name) == (
        partition, "111122223333", "web-role", "i-0123456789abcdef0")  # fmt: skip


def test_a_role_name_may_hold_a_colon() -> None:
    session = parse_session("arn:aws:sts::111122223333:assumed-role/aws:ec2-instance/i-0123456789abcdef0")
    assert session is not None
    assert session.role == "aws:ec2-instance"


@pytest.mark.parametrize(
    "arn", ["", "arn", "arn:aws:iam::111122223333:user/x", "arn:aws:sts::1:assumed-role/only-role"]
)
def test_what_is_no_session_is_none(arn: str) -> None:
    assert parse_session(arn) is None


def test_the_path_of_a_role_is_not_in_its_sessions() -> None:
    session = session_of_role("arn:aws:iam::111122223333:role/app/inner/web-role", "i-01234567")
    assert session is not None
    assert session.arn == "arn:aws:sts::111122223333:assumed-role/web-role/i-01234567"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("i-01234567", True),
        ("i-0123456789abcdef0", True),
        ("i-0123456789abcdef", False),
        ("i-0123456g", False),
        ("x", False),
    ],
)
def test_instance_ids_have_8_or_17_hex_digits(text: str, is_one: bool) -> None:
    assert is_instance_id(text) is is_one


def test_an_instances_arn_tells_its_region() -> None:
    arn = "arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0"
    assert parse_instance_arn(arn) == ("eu-west-1", "i-0123456789abcdef0")
    assert parse_instance_arn("arn:aws:lambda:eu-west-1:111122223333:function:f") is None
