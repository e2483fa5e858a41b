"""How a key came: what the records prove of it, and what they do not."""

import json
from itertools import permutations

import pytest

from straykey.core.evidence import Evidence
from straykey.harden.delivery import Deliveries, delivery_of
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import ledger_of
from tests.sim.trials import SEEDS, world

ARN = "arn:aws:sts::111122223333:assumed-role/web-role/i-0123456789abcdef0"
OLD, NEW, THIRD = "ASIAEXAMPLEKEY000001", "ASIAEXAMPLEKEY000002", "ASIAEXAMPLEKEY000003"
HOME, AWAY = "198.18.0.10", "203.0.113.66"
AT_HOME, AT_AWAY = f"public  {HOME}", f"public  {AWAY}"


def evidence_of(*records: RawRecord) -> Evidence:
    return ledger_of(records).sessions[ARN]


def told(*records: RawRecord, strange: tuple[str, ...] = ()) -> Deliveries:
    return delivery_of(evidence_of(*records), strange)


def v1(key: str = OLD, address: str = HOME, **more: str) -> RawRecord:
    return use_record(key=key, address=address, delivery="1.0", **more)


def v2(key: str = NEW, address: str = HOME, **more: str) -> RawRecord:
    return use_record(key=key, address=address, delivery="2.0", **more)


def test_where_all_keys_came_one_way_each_came_that_way() -> None:
    found = told(v1(OLD), v1(THIRD))
    assert (found.of(OLD, AT_HOME), found.of(THIRD, AT_HOME)) == ("1.0", "1.0")


def test_a_call_whose_key_is_not_told_came_as_all_of_its_network_did() -> None:
    assert told(v1()).of("", AT_HOME) == "1.0"
    assert told(v1(), v2()).of("", AT_HOME) == ""


def test_where_keys_came_both_ways_nobody_knows_which() -> None:
    found = told(v1(OLD), v2(NEW))
    assert (found.of(OLD, AT_HOME), found.of(NEW, AT_HOME)) == ("", "")


def test_a_key_that_is_known_elsewhere_is_known_here_and_so_is_the_other() -> None:
    found = told(v1(OLD), v2(NEW), v1(OLD, AWAY))
    assert (found.of(OLD, AT_HOME), found.of(NEW, AT_HOME)) == ("1.0", "2.0")


def test_of_three_keys_one_known_leaves_two_unknown() -> None:
    found = told(v1(OLD), v2(NEW), v2(THIRD), v1(OLD, AWAY))
    assert (found.of(OLD, AT_HOME), found.of(NEW, AT_HOME), found.of(THIRD, AT_HOME)) == ("1.0", "", "")


def test_a_key_that_came_both_ways_is_none_of_ours_and_unknown() -> None:
    found = told(v1(OLD), v2(OLD, AWAY))
    assert (found.of(OLD, AT_HOME), found.of(OLD, AT_AWAY)) == ("", "")


def test_of_records_that_name_no_delivery_nothing_is_known() -> None:
    found = told(use_record(delivery=None))
    assert (found.keys, found.networks, found.of(OLD, AT_HOME)) == ({}, {}, "")


def test_a_key_that_somebody_else_was_given_for_the_name_came_no_way_at_all() -> None:
    someone = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    strange = issuance_record(key=THIRD, userIdentity=someone)
    found = told(strange, v1(OLD), use_record(key=THIRD, delivery=None))
    assert (found.of(OLD, AT_HOME), found.of(THIRD, AT_HOME), found.of("", AT_HOME)) == ("1.0", "", "")


def test_keys_that_are_named_as_strange_are_left_out() -> None:
    records = v1(OLD), use_record(key=THIRD, delivery=None)
    assert told(*records).of(THIRD, AT_HOME) == "1.0"
    assert told(*records, strange=(THIRD,)).of(THIRD, AT_HOME) == ""


@pytest.mark.parametrize("hostile", ["", "2.0; rm", "\x1b[2J", "²"])
def test_what_is_no_version_is_never_said(hostile: str) -> None:
    found = told(use_record(delivery=hostile))
    assert (found.of(OLD, AT_HOME), found.networks) == ("", {})


def test_the_order_of_records_does_not_matter() -> None:
    records = [v1(OLD), v2(NEW), v1(OLD, AWAY), v2(THIRD, AWAY)]
    assert len({repr(told(*order)) for order in permutations(records)}) == 1


@pytest.mark.parametrize("seed", list(SEEDS)[:3])
def test_in_a_simulated_world_no_call_is_told_to_have_come_otherwise_than_it_did(seed: int) -> None:
    records = [json.loads(json.dumps(one)) for one in world(seed).records]
    ledger = ledger_of(records)
    known: dict[str, Deliveries] = {}
    proven = unproven = 0
    for record in records:
        identity = record["userIdentity"]
        evidence = ledger.sessions.get(identity.get("arn", ""))
        truth = identity.get("sessionContext", {}).get("ec2RoleDelivery")
        if evidence is None or truth is None:
            continue
        found = known.setdefault(identity["arn"], delivery_of(evidence))
        said = found.keys.get(identity["accessKeyId"], "")
        assert said in ("", truth)
        proven += bool(said)
        unproven += not said
    assert proven > 20 * unproven
