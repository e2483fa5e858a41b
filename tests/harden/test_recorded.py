"""Whose calls are put to a perimeter: an instance's own, a thief's apart from them, and nobody's."""

from typing import Any

import pytest

from straykey.core.finding import Finding
from straykey.core.judge import judge
from straykey.core.settings import Settings
from straykey.harden.perimeter import Level
from straykey.harden.posture import Posture, Region
from straykey.harden.recorded import places_of, roles_of
from straykey.harden.report import report_of
from straykey.harden.worker import Worker
from tests.ec2 import create_endpoint, create_interface, launch
from tests.harden.machines import machine
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import RANGES, ledger_of

HOME, STRAY = "198.18.0.10", "203.0.113.66"
WEB, BATCH = "i-0123456789abcdef0", "i-0fedcba9876543210"
MADE = "ASIAEXAMPLEMADE00001"


def use(address: str, *clocks: str, **changes: Any) -> list[RawRecord]:
    return [use_record(address=address, time=f"2026-05-04T{clock}:00Z", **changes) for clock in clocks]


ROBBERY = [issuance_record(), *use(HOME, "10:00", "10:30", "11:00"), *use(STRAY, "10:20", "10:40")]


def findings(records: list[RawRecord]) -> list[Finding]:
    return judge(ledger_of(records), Settings(), RANGES)


def roles(*records: RawRecord) -> list[list[Worker]]:
    ledger, found = ledger_of(records), findings(list(records))
    return list(roles_of(ledger, found, places_of(ledger, None)))


def only(*records: RawRecord) -> Worker:
    ((one,),) = roles(*records)
    return one


def times(worker: Worker) -> tuple[list[str], list[str]]:
    home, thief = ([called.time[11:16] for called in who.calls] for who in (worker.home, worker.thief))
    return home, thief


def test_a_session_of_which_a_theft_was_found_is_split_as_the_finding_says() -> None:
    assert times(only(*ROBBERY)) == (["10:00", "10:30", "11:00"], ["10:20", "10:40"])


def test_a_session_without_a_finding_made_all_its_calls_itself() -> None:
    ledger = ledger_of(ROBBERY)
    ((one,),) = roles_of(ledger, [], places_of(ledger, None))
    assert times(one) == (["10:00", "10:20", "10:30", "10:40", "11:00"], [])


def test_a_finding_of_another_kind_splits_nothing() -> None:
    records = [*use(HOME, "10:00", delivery="1.0"), *use(HOME, "10:30", delivery="2.0")]
    assert findings(records)
    assert times(only(*records)) == (["10:00", "10:30"], [])


def test_calls_with_a_key_that_was_made_for_the_sessions_name_are_nobodys() -> None:
    answer = {
        "credentials": {"accessKeyId": MADE, "expiration": "May 4, 2026, 11:30:00 AM"},
        "assumedRoleUser": {"arn": f"arn:aws:sts::111122223333:assumed-role/web-role/{WEB}"},
    }
    request = {"roleArn": "arn:aws:iam::111122223333:role/app/web-role", "roleSessionName": WEB}
    sts = {"source": "sts.amazonaws.com", "requestParameters": request, "responseElements": answer}
    made = use(HOME, "10:10", event="AssumeRole", **sts)
    found = only(*ROBBERY, *made, *use(HOME, "10:15", key=MADE, delivery=None))
    keys = {called.access_key for who in (found.home, found.thief) for called in who.calls}
    assert keys == {"ASIAEXAMPLEKEY000001"}


def test_sessions_that_no_instance_got_from_ec2_are_no_workers() -> None:
    assert roles(*use(HOME, "10:00", instance="deploy-7", delivery=None)) == []


def test_a_version_of_delivery_is_known_of_each_call_that_proves_it() -> None:
    records = [*use(HOME, "10:00", delivery="1.0"), *use("198.18.0.11", "10:05", delivery="2.0", key=MADE)]
    ledger = ledger_of(records)
    ((found,),) = roles_of(ledger, [], places_of(ledger, None))
    assert [called.delivery for called in found.home.calls] == ["1.0", "2.0"]


def test_roles_come_one_after_the_other_each_with_all_its_sessions() -> None:
    others = use(HOME, "10:00", instance=BATCH, key="ASIAEXAMPLEKEY000002")
    far = use(HOME, "10:00", role="batch", instance="i-0aaaaaaaaaaaaaaaa", key="ASIAEXAMPLEKEY000003")
    found = roles(*use(HOME, "10:00"), *others, *far)
    assert [[worker.home.instance for worker in some] for some in found] == [["i-0aaaaaaaaaaaaaaaa"], [WEB, BATCH]]
    assert len({workers[0].whose for workers in found}) == len(found)


def test_launches_tell_the_vpc_and_the_one_private_address() -> None:
    places = places_of(ledger_of([launch(instance=WEB), create_endpoint()]), None)
    (vpc,) = set(places.vpcs.values())
    assert (places.private_ips, places.endpoints) == ({WEB: "10.0.1.10"}, {"vpce-0aaaabbbbccccdddd": vpc})


def test_of_several_private_addresses_none_is_said_to_be_the_primary_one() -> None:
    assert places_of(ledger_of([launch(instance=WEB, addresses=("10.0.1.10", "10.0.1.11"))]), None).private_ips == {}


def test_an_interface_that_is_only_made_tells_nothing_of_an_instance() -> None:
    assert places_of(ledger_of([create_interface()]), None).private_ips == {}


def test_the_account_knows_better_than_the_records() -> None:
    read = Posture("111122223333", regions=(Region("eu-west-1", machines=(machine(WEB),)),))
    places = places_of(ledger_of([launch(instance=WEB, addresses=("10.0.9.9",))]), read)
    assert (places.private_ips[WEB], places.vpcs[WEB]) == ("10.0.1.10", "vpc-0ddd")


# Names that AWS never gave: in a policy they would mean more than themselves.


@pytest.mark.parametrize("role", ["*", "a*b", "${aws:username}", "\x1b[31mweb"])
def test_a_role_of_a_name_that_is_none_is_no_worker(role: str) -> None:
    assert roles(*use(HOME, "10:00", role=role)) == []


@pytest.mark.parametrize("path", ["*", "${aws:username}/web-role", "app/other", "a?/web-role"])
def test_an_arn_that_the_role_cannot_have_is_not_known(path: str) -> None:
    (record,) = use(HOME, "10:00")
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] = f"arn:aws:iam::111122223333:role/{path}"
    assert only(record).home.role_arn == ""


def test_a_vpc_of_a_name_that_is_none_is_not_known_and_ends_no_report() -> None:
    endpoint = "vpce-0aaaabbbbccccdddd"
    inside = use("10.0.1.10", "10:10", endpoint=endpoint, endpoint_owner="111122223333")
    ledger = ledger_of([*ROBBERY, launch(instance=WEB, vpc="vpc-${x}"), create_endpoint(vpc="vpc-*"), *inside])
    places = places_of(ledger, None)
    assert (places.vpcs, places.endpoints) == ({}, {})
    documents = [one.artifact.document for one in report_of(ledger, [], None, Level.NETWORK).rehearsed]
    assert documents
    assert not any("vpc-" in document for document in documents)
