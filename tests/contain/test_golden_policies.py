"""The policies as they are sent, for reviewers; each passes parliament and fits IAM's limits."""

import json
import warnings

import pytest

from straykey.contain.options import plans_of
from straykey.contain.plan import Deny, Option
from straykey.contain.policy import read_policy
from straykey.contain.theft import Theft
from straykey.contain.wording import INLINE_ROOM, length_of
from straykey.core.network import network_of
from tests.conftest import Golden
from tests.contain.thefts import ACCOUNT, AT, ENDPOINT, NAT, NAT_V6, THIEF, account, as_role, heirs, theft

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it finds its data with pkg_resources
    import parliament

BARE = network_of("10.0.0.5")
STRANGE = network_of("10.0.0.5", "vpce-0bbbbbbbbbbbbbbb2", "444455556666")
POD = {
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/web-role/shop",
    "instance": "",
    "is_delivered_by_ec2": False,
    "user_id": "",
}
THEFTS: dict[str, Theft] = {
    "instance": theft(**heirs()),
    "public-home": theft(homes=(NAT,)),
    "both-stacks": theft(homes=(NAT, NAT_V6)),
    "endpoint-home": theft(homes=(ENDPOINT,), strays=(THIEF, STRANGE)),
    "private-home": theft(homes=(NAT, BARE), strays=(THIEF, STRANGE)),
    "no-home": theft(homes=()),
    "pod": as_role(theft(), **POD),
    "china": as_role(
        theft(partition="aws-cn", role_arn=f"arn:aws-cn:iam::{ACCOUNT}:role/web-role"), region="cn-north-1"
    ),
}
POLICIES = [
    (name, deny, option)
    for name, stolen in THEFTS.items()
    for option, denies in ((plan.option, plan.denies) for plan in plans_of(stolen, account(), AT))
    for deny in denies
]


@pytest.mark.parametrize("name", THEFTS)
def test_policies_are_these(name: str, golden: Golden) -> None:
    said = [
        {"option": option.value, "role": deny.role, "name": deny.name, "policy": json.loads(deny.document)}
        for of, deny, option in POLICIES
        if of == name
    ]
    golden(f"tests/contain/golden/policies.{name}.json", json.dumps(said, indent=1) + "\n")


def is_for_v6(finding: parliament.finding.Finding) -> bool:
    """Its pattern of an address knows IPv4 only; IAM's takes both.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    return (
        finding.issue == "MISMATCHED_TYPE"
        and "requires a value of type Ip" in finding.detail
        and "/128'" in finding.detail
    )


@pytest.mark.parametrize(("name", "deny", "option"), POLICIES)
def test_parliament_finds_nothing_wrong(name: str, deny: Deny, option: Option) -> None:
    findings = parliament.analyze_policy_string(deny.document).findings
    assert [finding for finding in findings if not is_for_v6(finding)] == []


def test_parliament_would_find_what_is_wrong() -> None:
    wrong = POLICIES[0][1].document.replace("NotIpAddress", "NotIpAdress")
    assert parliament.analyze_policy_string(wrong).findings


@pytest.mark.parametrize(("name", "deny", "option"), POLICIES)
def test_a_policy_fits_and_is_plain(name: str, deny: Deny, option: Option) -> None:
    assert length_of(deny.document) <= INLINE_ROOM
    assert deny.document.isascii()
    assert deny.document == json.dumps(json.loads(deny.document), separators=(",", ":"))
    assert read_policy(deny.document).statements
    sids = [one["Sid"] for one in json.loads(deny.document)["Statement"]]
    assert len(set(sids)) == len(sids)
    assert deny.name == f"straykey-{option.value}-8f0dba57c309"
