"""Where a role is at home: its public addresses with who uses them, its endpoints, and whether it is bound to them."""

from straykey.core.network import network_of
from straykey.harden.worker import footprint_of
from tests.harden.workers import BARE, BATCH, GATE, INSIDE, PUBLIC, PUBLIC_V6, THIEF, WEB, called, worker


def test_public_addresses_are_told_each_with_the_instances_that_use_it() -> None:
    web, batch = worker(called(), called(network=PUBLIC_V6)), worker(called(), instance=BATCH)
    found = footprint_of([web, batch])
    assert dict(found.addresses) == {"198.18.0.10": (WEB, BATCH), "2001:db8:1000::10": (WEB,)}
    assert list(found.addresses) == sorted(found.addresses)
    assert found.instances == (WEB, BATCH)


def test_what_a_thief_did_makes_no_home() -> None:
    found = footprint_of([worker(called(), thiefs=[called(network=THIEF)])])
    assert set(found.addresses) == {PUBLIC.address}


def test_services_that_act_and_addresses_that_are_none_make_no_home() -> None:
    calls = [called(network=network_of(one)) for one in ("s3.amazonaws.com", "AWS Internal", "053.1.1.1")]
    found = footprint_of([worker(*calls)])
    assert (found.addresses, found.endpoints, found.alone) == ({}, (), False)


def test_a_role_is_alone_with_its_address_only_if_every_inside_call_is_from_it() -> None:
    assert footprint_of([worker(called(network=INSIDE), called(network=BARE))]).alone
    other = network_of("10.0.0.6", GATE, "")
    assert not footprint_of([worker(called(network=INSIDE), called(network=other))]).alone
    assert not footprint_of([worker(called(network=INSIDE)), worker(called(network=INSIDE), private_ip="")]).alone


def test_a_role_that_was_never_seen_inside_is_bound_to_no_address() -> None:
    assert not footprint_of([worker(called())]).alone


def test_endpoints_are_named_and_a_private_address_without_one_is_not() -> None:
    assert footprint_of([worker(called(network=INSIDE), called(network=BARE))]).endpoints == (GATE,)


def test_an_arn_that_no_record_has_is_not_made_up() -> None:
    assert footprint_of([worker(called(), role_arn="")]).role_arns == ()
