"""What selectors take: basic ones as AWS's pages say, advanced ones field by field."""

import pytest

from straykey.harden.posture import BasicSelector, DataResource, Field, Selector, Trail
from straykey.harden.selector import Takes, all_data, all_management, as_said, selectors_of, takes, with_all
from tests.harden.trails import trail

READ = {"eventCategory": "Management", "readOnly": "true", "eventSource": "sts.amazonaws.com"}
WRITE = {"eventCategory": "Management", "readOnly": "false", "eventSource": "ec2.amazonaws.com"}
KMS = {"eventCategory": "Management", "readOnly": "true", "eventSource": "kms.amazonaws.com"}
GET = {"eventCategory": "Data", "resources.type": "AWS::S3::Object", "readOnly": "true"}
PUT = GET | {"readOnly": "false"}
NONE, SOME, ALL = Takes.NONE, Takes.SOME, Takes.ALL


def of(*values: str, kind: str = "AWS::S3::Object") -> tuple[DataResource, ...]:
    return (DataResource(kind, values),)


@pytest.mark.parametrize(
    ("basic", "taken"),
    [
        ((), [ALL, ALL, ALL, NONE, NONE]),
        ((BasicSelector(),), [ALL, ALL, ALL, NONE, NONE]),
        ((BasicSelector("WriteOnly"),), [NONE, ALL, NONE, NONE, NONE]),
        ((BasicSelector("ReadOnly"),), [ALL, NONE, ALL, NONE, NONE]),
        ((BasicSelector(excluded=("kms.amazonaws.com",)),), [ALL, ALL, NONE, NONE, NONE]),
        ((BasicSelector(has_management=False),), [NONE] * 5),
        ((BasicSelector("WriteOnly", data=of("arn:aws:s3")),), [NONE, ALL, NONE, NONE, ALL]),
        ((BasicSelector(data=of("arn:aws:s3:::")),), [ALL] * 5),
        ((BasicSelector(data=of("arn:aws:s3:::one/")),), [ALL, ALL, ALL, SOME, SOME]),
        ((BasicSelector(data=of()),), [ALL, ALL, ALL, NONE, NONE]),
        ((BasicSelector("WriteOnly"), BasicSelector("ReadOnly")), [ALL, ALL, ALL, NONE, NONE]),
    ],
)
def test_basic_selectors_take(basic: tuple[BasicSelector, ...], taken: list[Takes]) -> None:
    assert [takes(trail("main", *basic), one) for one in (READ, WRITE, KMS, GET, PUT)] == taken


def advanced(*fields: Field) -> Trail:
    return trail(advanced=(Selector("", fields),))


@pytest.mark.parametrize(
    ("field", "taken"),
    [
        (Field("eventSource", ("sts.amazonaws.com",)), [ALL, NONE]),
        (Field("eventSource", starts=("ec2.", "sts.")), [ALL, ALL]),
        (Field("eventSource", ends=("c2.amazonaws.com",)), [NONE, ALL]),
        (Field("eventSource", not_equals=("sts.amazonaws.com",)), [NONE, ALL]),
        (Field("eventSource", not_starts=("kms.",), not_ends=(".cn",)), [ALL, ALL]),
        (Field("eventSource", starts=("s",), not_ends=("amazonaws.com",)), [NONE, NONE]),
        (Field("eventName", ("AssumeRole",)), [SOME, SOME]),
        (Field("readOnly", ("true",)), [ALL, NONE]),
    ],
)
def test_an_advanced_selector_takes_what_all_of_its_fields_hold_of(field: Field, taken: list[Takes]) -> None:
    made = advanced(Field("eventCategory", ("Management",)), field)
    assert [takes(made, one) for one in (READ, WRITE)] == taken


def test_of_selectors_that_were_not_read_nothing_is_said() -> None:
    unread = Trail("main", "arn", "eu-west-1", True, True, False)
    assert takes(unread, READ) is None


def test_what_takes_the_whole_replaces_what_takes_a_part_and_leaves_the_rest() -> None:
    before = selectors_of(trail("main", BasicSelector("WriteOnly", data=of("arn:aws:s3:::one/")))) or ()
    after = with_all(before, [all_management()])
    assert after == (before[1], all_management())
    assert with_all(after, [all_data("AWS::S3::Object")]) == (all_management(), all_data("AWS::S3::Object"))


def test_selectors_are_said_as_aws_reads_them() -> None:
    made = Selector("some", (Field("eventCategory", ("Data",)), Field("resources.ARN", starts=("a",), not_ends=("b",))))
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.ARN", "StartsWith": ["a"], "NotEndsWith": ["b"]},
    ]
    assert as_said([made]) == [{"Name": "some", "FieldSelectors": fields}]
