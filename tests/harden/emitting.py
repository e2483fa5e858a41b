"""One small world to emit: two accounts, a theft, a VPC with an endpoint and in want of others, and keys of IMDSv1."""

from functools import cache

from straykey.core.judge import judge
from straykey.core.settings import Settings
from straykey.harden.imds import survey
from straykey.harden.imds_plan import Measure, plan
from straykey.harden.perimeter import Level
from straykey.harden.posture import Defaults, Organization, Posture, Region
from straykey.harden.report import Report, report_of
from tests.ec2 import I1, I2, create_endpoint, launch
from tests.records import RawRecord, use_record
from tests.seen import RANGES, ledger_of

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
ENDPOINT = "vpce-0aaaabbbbccccdddd"
NAT, THIEF = "198.18.0.10", "203.0.113.66"
BATCH_KEY = "ASIAEXAMPLEKEY000002"


def records(role: str = "web-role", account: str = ACCOUNT) -> list[RawRecord]:
    own = {"role": role, "account": account, "instance": I1}
    theirs = {"role": "batch.role", "account": OTHER, "instance": I2, "key": BATCH_KEY, "address": "198.18.0.20"}
    used = [
        ("sqs.amazonaws.com", "ReceiveMessage"),
        ("dynamodb.amazonaws.com", "GetItem"),
        ("ecr.amazonaws.com", "GetAuthorizationToken"),
        ("iam.amazonaws.com", "GetRole"),
    ]
    return [
        launch(account=account),
        launch(instance=I2, interface="eni-0a2", addresses=("10.1.1.10",), vpc="vpc-0d2", account=OTHER),
        create_endpoint(endpoint=ENDPOINT, account=account),
        use_record(**own, address="10.0.1.10", endpoint=ENDPOINT, endpoint_owner=account, event="GetObject"),
        *(use_record(**own, address=NAT, source=source, event=event) for source, event in used),
        use_record(**own, address=THIEF, time="2026-05-04T10:30:00Z"),
        use_record(**own, address=NAT, time="2026-05-04T10:40:00Z"),
        use_record(**theirs, delivery="1.0", agent="aws-sdk-go/1.23.0 (go1.12; linux; amd64)"),
    ]


def world(level: Level = Level.NETWORK, role: str = "web-role") -> tuple[Report, tuple[Measure, ...]]:
    """The report of that world and its measures; `role` is what the robbed role is called."""
    ledger = ledger_of(records(role))
    findings = judge(ledger, Settings(), RANGES)
    regions = (Region(REGION, defaults=Defaults(http_tokens="optional")),)
    posture = Posture(account=ACCOUNT, organization=Organization("o-exampleorg1"), regions=regions)
    report = report_of(ledger, findings, posture, level)
    return report, plan(survey(ledger, findings, [posture]), [posture])


WORLD = cache(world)
