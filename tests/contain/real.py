"""A theft in the account on moto, and the plans that are made of it: what a person would apply."""

from collections.abc import Callable

from straykey.contain.options import plans_of
from straykey.contain.plan import Option, Plan
from straykey.contain.reading import read_account
from straykey.contain.recorded import theft_of
from straykey.contain.theft import Theft
from tests.contain.grounds import ACCOUNT, REGION, ROLE, Scene, clients
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import findings_of, ledger_of

AT = "2026-05-04T12:00:00Z"
_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/app/{ROLE}"


def stolen_from(scene: Scene) -> Theft:
    """From home by a public address and through an endpoint; from away, where a role was assumed."""
    records = list(_records(scene.instance))
    (finding,) = (one for one in findings_of(*records) if "CredentialExfiltration" in one.type)
    return theft_of(finding, ledger_of(records))


def _records(instance: str) -> list[RawRecord]:
    here = {"instance": instance, "role": ROLE, "account": ACCOUNT, "awsRegion": REGION}
    stolen = {**here, "address": "203.0.113.66", "key": "ASIAEXAMPLEKEY000002", "agent": "curl/8.1"}
    behind = {**here, "address": "10.0.1.10", "endpoint": "vpce-0aaaabbbbccccdddd", "endpoint_owner": ACCOUNT}
    issued = {"instance": instance, "account": ACCOUNT, "role": ROLE, "awsRegion": REGION}
    return [
        issuance_record(**issued),
        issuance_record(**issued, key="ASIAEXAMPLEKEY000002"),
        *(use_record(**here, time=f"2026-05-04T10:{minute:02}:00Z") for minute in range(0, 50, 5)),
        *(
            use_record(
                **behind, time=f"2026-05-04T10:{minute:02}:30Z", event="GetItem", source="dynamodb.amazonaws.com"
            )
            for minute in range(0, 50, 5)
        ),
        *(use_record(**stolen, time=f"2026-05-04T10:2{minute}:00Z") for minute in range(3)),
    ]


def planned(option: Option) -> Callable[[Scene], Plan]:
    def plan(scene: Scene) -> Plan:
        theft = stolen_from(scene)
        account = read_account(clients(), ACCOUNT, ROLE, scene.instance, REGION)
        return next(one for one in plans_of(theft, account, AT) if one.option is option)

    return plan


REAL = {f"real {option.value}": planned(option) for option in Option}
