"""docs/harden.md says what the code does."""

import json

from straykey.contain.needs import permissions_of
from straykey.harden.change import tokens, v2_keys
from straykey.harden.host_filter import LAYER_7, NOT_COVERED
from straykey.harden.imds_plan import Step
from straykey.harden.perimeter import ATTACHED, DATA_PLANES, EXEMPT_TAG, ROOM, Kind, Level, role_policy
from straykey.harden.posture import Machine
from straykey.harden.reading import PERMISSIONS
from straykey.harden.worker import Footprint
from tests.conftest import ROOT, Golden

PAGE = ROOT / "docs/harden.md"
ABOUT = {
    Kind.ROLE: ("one role", "the role's own sessions only; the canary"),
    Kind.SCP: ("accounts, units, the root", "all roles of the accounts it names"),
    Kind.RCP: (
        "accounts, units, the root",
        "calls to your resources of some services, by your instances' keys from anywhere",
    ),
    Kind.ENDPOINT: (
        "each endpoint of a VPC",
        "your instances' keys that come through it from other VPCs",
    ),
}


def between(page: str, mark: str, content: str) -> str:
    begin = f"<!-- {mark} -->\n"
    assert page.count(begin) == 1
    before, _, rest = page.partition(begin)
    return f"{before}{begin}{content}<!-- end -->{rest.partition('<!-- end -->')[2]}"


def kinds() -> str:
    head = "| document | attached to | about | characters | most in one place |\n|---|---|---|---|---|\n"
    rows = (
        f"| `{kind.value}` | {ABOUT[kind][0]} | {ABOUT[kind][1]} | {ROOM[kind]:,} | {ATTACHED.get(kind, '-')} |\n"
        for kind in Kind
    )
    return head + "".join(rows)


def test_the_page_is_made_from_the_code(golden: Golden) -> None:
    page = PAGE.read_text()
    page = between(page, "kinds", kinds())
    page = between(page, "steps", "".join(f"{number}. `{step.value}`\n" for number, step in enumerate(Step, start=1)))
    page = between(page, "not-covered", "".join(f"* {one}\n" for one in NOT_COVERED))
    page = between(page, "layer-7", "".join(f"* {one}\n" for one in LAYER_7))
    page = between(page, "permissions", "".join(f"* `{one}`\n" for one in PERMISSIONS))
    golden("docs/harden.md", page)


def test_the_page_names_what_the_policies_exempt_and_ask_for() -> None:
    page = PAGE.read_text()
    assert EXEMPT_TAG in page
    services = {one.partition(":")[0] for one in DATA_PLANES}
    assert services == {
        "dax",
        "elasticfilesystem",
        "es",
        "kafka-cluster",
        "neptune-db",
        "rds-db",
    }  # by name on the page
    footprint = Footprint("111122223333", "web", "aws", (), (), {}, (), alone=True)
    document = json.loads(role_policy(footprint, Level.INSTANCE).document)
    asked = {key for one in document["Statement"] for keys in one["Condition"].values() for key in keys}
    for key in asked - {"aws:SourceVpc", "aws:VpcSourceIp"}:
        assert key in page, key


def test_the_page_names_what_applying_needs() -> None:
    machine = Machine("i-0123456789abcdef0", "eu-west-1", "running", "", "", (), (), "", "optional", "enabled", 1)
    page = PAGE.read_text()
    for change in (v2_keys("111122223333", "web"), tokens("111122223333", machine)):
        for step in change.steps:
            assert {one for one in permissions_of(step.call) if one != "ec2:DescribeInstances"} <= set(page.split("`"))
