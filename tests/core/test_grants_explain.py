"""Networks that EC2's own records explain, and the nearest theft for which such a record is no excuse.

The instance is at home at `HOME` from ten o'clock on; what is asked about is an address it uses at half past ten.
"""

from typing import Any

import pytest

from straykey.core.home import Verdict
from tests import ec2
from tests.ec2 import ENI, I2, OTHER_EIP, OTHER_VPC
from tests.records import RawRecord, allocation_record, issuance_record, use_record
from tests.seen import verdicts_of

HOME = "198.18.0.10"
NEW = "198.18.0.50"
OWN = "111122223333"
OTHER_ACCOUNT = "444455556666"
THIEF = "999988887777"
VPCE = "vpce-0aaaabbbbccccdddd"
STRANGE_VPCE = "vpce-0eeeeffff00001111"

STRAY = ("stray", "")


def at(clock: str) -> str:
    return f"2026-05-04T{clock}:00Z"


def use(address: str, clock: str = "10:30", **changes: Any) -> RawRecord:
    return use_record(address=address, time=at(clock), **changes)


def through(address: str, endpoint: str, owner: str | None, clock: str = "10:30") -> RawRecord:
    return use(address, clock, endpoint=endpoint, endpoint_owner=owner)


def verdicts(*records: RawRecord) -> dict[str, tuple[str, str]]:
    """Standing and code of each address, for an instance at home at `HOME`."""
    home = [issuance_record(), use(HOME, "10:00"), use(HOME, "10:10")]
    found: dict[str, Verdict] = verdicts_of(*home, *records)
    return {address: (one.standing.value, one.code) for address, one in found.items()}


def verdict_on_new(*grants: RawRecord, address: str = NEW) -> tuple[str, str]:
    return verdicts(*grants, use(address))[address]


BY_ALLOCATION = (ec2.allocate(time=at("09:00")), ec2.associate(time=at("10:20")))
GRANTS = {
    "by its address": (ec2.associate(address=NEW, time=at("10:20")),),
    "by its allocation": BY_ALLOCATION,
    "to its interface": (ec2.launch(), ec2.associate(address=NEW, interface=ENI, time=at("10:20"))),
    "by its allocation, to its interface": (
        ec2.allocate(),
        ec2.attach(time=at("09:30")),
        ec2.associate(interface=ENI, time=at("10:20")),
    ),
    "with the interface that has it": (
        ec2.associate(address=NEW, interface=ENI, time=at("09:30")),
        ec2.attach(time=at("10:20")),
    ),
}


@pytest.mark.parametrize("grants", GRANTS.values(), ids=GRANTS)
def test_an_address_that_a_record_gives_the_instance_is_home(grants: tuple[RawRecord, ...]) -> None:
    assert verdict_on_new(*grants) == ("home", "address-grant")


def test_an_address_brought_along_from_outside_aws_is_home_once_it_is_given() -> None:
    brought = "203.0.113.50"
    assert verdict_on_new(ec2.associate(address=brought, time=at("10:20")), address=brought)[1] == "address-grant"


@pytest.mark.parametrize("address", ["2001:db8:1000::60", "2001:db8:2000::60"], ids=["own region", "other region"])
def test_a_second_ipv6_address_is_home_once_it_is_assigned(address: str) -> None:
    grants = (ec2.launch(), ec2.assign_ipv6(address=address, time=at("10:20")))
    seen = verdicts(*grants, use("2001:db8:1000::10", "10:15"), use(address))
    assert seen[address] == ("home", "address-grant")


NO_GRANTS = {
    "failed": (ec2.associate(address=NEW, time=at("10:20"), error="Client.InvalidAddress.NotFound"),),
    "came later": (ec2.associate(address=NEW, time=at("10:31")),),
    "names another instance": (ec2.associate(address=NEW, instance=I2, time=at("10:20")),),
    "names another instance's interface": (
        ec2.launch(instance=I2),
        ec2.associate(address=NEW, interface=ENI, time=at("10:20")),
    ),
    "names another address": (ec2.associate(address="198.18.0.51", time=at("10:20")),),
    "was ended": (*BY_ALLOCATION, ec2.disassociate(time=at("10:25"))),
    "was ended by its address": (*BY_ALLOCATION, ec2.disassociate(address=NEW, time=at("10:25"))),
    "was released": (*BY_ALLOCATION, ec2.release(time=at("10:25"))),
    "was passed on to another instance": (
        *BY_ALLOCATION,
        ec2.associate(instance=I2, association="eipassoc-0e2", time=at("10:25")),
    ),
    "left with its interface": (
        ec2.attach(time=at("09:30")),
        ec2.associate(address=NEW, interface=ENI, time=at("09:40")),
        ec2.detach(time=at("09:50")),
    ),
}


@pytest.mark.parametrize("grants", NO_GRANTS.values(), ids=NO_GRANTS)
def test_an_address_stays_stray_where_the_grant(grants: tuple[RawRecord, ...]) -> None:
    assert verdict_on_new(*grants) == STRAY


def test_an_allocation_alone_gives_no_instance_its_address() -> None:
    assert verdict_on_new(ec2.allocate()) == STRAY


def test_a_grant_for_the_instance_does_not_excuse_the_thief_who_calls_after_it_from_elsewhere() -> None:
    assert verdicts(*BY_ALLOCATION, use(NEW), use("198.18.0.66", "10:31"))["198.18.0.66"] == STRAY


SECOND_PRIVATE = (ec2.create_interface(), ec2.attach(), ec2.launch(interface="eni-0a2"))


@pytest.mark.parametrize("owner", [OWN, OTHER_ACCOUNT], ids=["its own account's", "another of our accounts'"])
def test_a_second_private_address_is_home_once_it_is_given_through_an_endpoint_of(owner: str) -> None:
    ours = allocation_record(account=OTHER_ACCOUNT)  # a record of that account's own
    seen = verdicts(ours, *SECOND_PRIVATE, through("10.0.1.10", VPCE, OWN, "10:05"), through("10.0.1.50", VPCE, owner))
    assert seen["10.0.1.50"] == ("home", "address-grant")


def test_a_second_private_address_assigned_to_its_interface_is_home_through_our_endpoint() -> None:
    grants = (ec2.launch(), ec2.assign_private(time=at("10:20")))
    seen = verdicts(*grants, through("10.0.1.10", VPCE, OWN, "10:05"), through("10.0.1.60", VPCE, OWN))
    assert seen["10.0.1.60"] == ("home", "address-grant")


@pytest.mark.parametrize("owner", [THIEF, None], ids=["named", "not named"])
def test_a_thief_who_picks_the_victims_private_address_is_stray_through_his_own_endpoint(owner: str | None) -> None:
    seen = verdicts(ec2.launch(), through("10.0.1.10", STRANGE_VPCE, owner))
    assert seen["10.0.1.10"] == STRAY


def test_a_second_private_address_is_stray_through_a_strangers_endpoint_though_it_was_given() -> None:
    seen = verdicts(
        *SECOND_PRIVATE, through("10.0.1.10", VPCE, OWN, "10:05"), through("10.0.1.50", STRANGE_VPCE, THIEF)
    )
    assert seen["10.0.1.50"] == STRAY


CHANGES = {
    "an interface was attached": (ec2.attach(time=at("10:20")),),
    "it was started after a stop": (ec2.stop(time=at("10:15")), ec2.start(before="pending", time=at("10:20"))),
    "it was started, and the record says from what": (ec2.start(time=at("10:20")),),
    "an address was associated that nobody can resolve": (ec2.associate(time=at("10:20")),),
    "such an address was associated with its interface": (
        ec2.launch(),
        ec2.associate(interface=ENI, time=at("10:20")),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_first_new_address_is_home_after(change: tuple[RawRecord, ...]) -> None:
    assert verdict_on_new(*change) == ("home", "network-change")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_second_new_address_is_stray_after(change: tuple[RawRecord, ...]) -> None:
    seen = verdicts(*change, use(NEW), use("198.18.0.66", "10:31"))
    assert (seen[NEW], seen["198.18.0.66"]) == (("home", "network-change"), STRAY)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("address", ["203.0.113.66", "198.19.7.7"], ids=["outside AWS", "in another region"])
def test_a_change_explains_no_address(address: str, change: tuple[RawRecord, ...]) -> None:
    assert verdict_on_new(*change, address=address) == STRAY


@pytest.mark.parametrize("address", ["203.0.113.66", "198.19.7.7"], ids=["outside AWS", "in another region"])
def test_a_thief_elsewhere_does_not_use_a_change_up(address: str) -> None:
    seen = verdicts(ec2.start(time=at("10:20")), use(address, "10:25"), use(NEW))
    assert (seen[address], seen[NEW]) == (STRAY, ("home", "network-change"))


def test_two_changes_explain_two_addresses() -> None:
    again = ec2.start(time=at("11:20"), event_id="again")
    seen = verdicts(ec2.start(time=at("10:20")), again, use(NEW), use("198.18.0.51", "11:30"))
    assert {seen[NEW], seen["198.18.0.51"]} == {("home", "network-change")}


def test_an_address_seen_before_the_change_is_stray_afterwards_too() -> None:
    seen = verdicts(use(NEW, "10:15"), ec2.start(time=at("10:20")), use(NEW))
    assert seen[NEW] == STRAY


def test_an_address_that_a_grant_names_does_not_use_a_change_up() -> None:
    change = (ec2.attach(time=at("10:20")), ec2.associate(address="198.18.0.51", time=at("10:21")))
    seen = verdicts(*change, use("198.18.0.51", "10:25"), use(NEW))
    assert (seen["198.18.0.51"], seen[NEW]) == (("home", "address-grant"), ("home", "network-change"))


def test_a_first_ipv6_address_does_not_use_up_the_restart_that_changed_the_ipv4_address() -> None:
    seen = verdicts(ec2.start(time=at("10:20")), use("2001:db8:1000::5", "10:25"), use(NEW))
    assert seen["2001:db8:1000::5"] == ("home", "dual-stack")
    assert seen[NEW] == ("home", "network-change")


NO_CHANGES = {
    "failed": (ec2.start(time=at("10:20"), error="Client.IncorrectInstanceState"),),
    "came later": (ec2.start(time=at("10:31")),),
    "started what already ran": (ec2.start(before="running", time=at("10:20")),),
    "started another instance": (ec2.start(instance=I2, time=at("10:20")),),
    "attached an interface to another instance": (ec2.attach(instance=I2, time=at("10:20")),),
    "associated an unknown address with another instance": (ec2.associate(instance=I2, time=at("10:20")),),
    "attached an interface that was detached again": (
        ec2.attach(time=at("10:20")),
        ec2.detach(time=at("10:25")),
    ),
    "associated an unknown address that was taken again": (
        ec2.associate(time=at("10:20")),
        ec2.disassociate(time=at("10:25")),
    ),
    "only stopped it": (ec2.stop(time=at("10:20")),),
    "attached an interface whose address is known": (
        ec2.associate(address="198.18.0.51", interface=ENI, time=at("10:19")),
        ec2.attach(time=at("10:20")),
    ),
    "restarted an instance with an elastic address": (
        ec2.associate(address=HOME, time=at("09:00")),
        ec2.start(time=at("10:20")),
    ),
    "restarted an instance with an elastic address on its interface": (
        ec2.launch(),
        ec2.associate(address=HOME, interface=ENI, time=at("09:00")),
        ec2.start(time=at("10:20")),
    ),
}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
def test_a_new_address_stays_stray_where_the_call(change: tuple[RawRecord, ...]) -> None:
    assert verdict_on_new(*change) == STRAY


def test_an_interface_that_was_this_instances_once_explains_nothing_when_another_gets_it() -> None:
    before = (ec2.attach(time=at("08:00")), ec2.detach(time=at("08:30")))
    moved = ec2.attach(instance=I2, attachment="eni-attach-0c2", time=at("10:20"))
    assert verdict_on_new(*before, moved) == STRAY


def test_a_new_address_is_stray_while_the_old_home_goes_on_after_the_restart() -> None:
    """A restart takes the old address away: where it stays, the restart gave no other, and somebody else calls."""
    seen = verdicts(ec2.start(time=at("10:20")), use(NEW), use(HOME, "10:40"))
    assert (seen[HOME], seen[NEW]) == (("home", "first-use"), STRAY)


def test_a_change_explains_no_address_that_another_account_was_given() -> None:
    given = allocation_record(account=OTHER_ACCOUNT, address=NEW)
    assert verdict_on_new(given, ec2.start(time=at("10:20"))) == STRAY


GATEWAY = (ec2.allocate(time=at("08:00")), ec2.create_nat(time=at("10:20")))


def test_the_address_of_a_gateway_in_the_instances_vpc_is_home() -> None:
    assert verdict_on_new(ec2.launch(), *GATEWAY) == ("home", "nat-address")


def test_the_address_of_a_gateway_in_another_vpc_is_stray() -> None:
    assert verdict_on_new(ec2.launch(vpc=OTHER_VPC), *GATEWAY) == STRAY


def test_where_the_vpc_is_unknown_the_address_of_a_gateway_of_the_account_is_home() -> None:
    assert verdict_on_new(*GATEWAY) == ("home", "nat-address")


def test_where_the_vpc_is_unknown_the_address_of_another_accounts_gateway_is_stray() -> None:
    theirs = (ec2.allocate(account=OTHER_ACCOUNT), ec2.create_nat(account=OTHER_ACCOUNT, time=at("10:20")))
    assert verdict_on_new(*theirs) == STRAY


def test_a_further_address_of_a_gateway_in_the_instances_vpc_is_home() -> None:
    gateway = (ec2.allocate(address="198.18.0.51", allocation=OTHER_EIP), ec2.create_nat(allocation=OTHER_EIP))
    more = (ec2.allocate(), ec2.associate_nat_address(time=at("10:20")))
    assert verdict_on_new(ec2.launch(), *gateway, *more) == ("home", "nat-address")


NO_GATEWAYS = {
    "was released": (*GATEWAY, ec2.release(time=at("10:25"))),
    "went to an instance": (*GATEWAY, ec2.associate(instance=I2, time=at("10:25"))),
    "came to it later": (ec2.allocate(), ec2.create_nat(time=at("10:31"))),
    "never came to it": (ec2.allocate(), ec2.create_nat(time=at("10:20"), error="Client.NatGatewayLimitExceeded")),
}


@pytest.mark.parametrize("records", NO_GATEWAYS.values(), ids=NO_GATEWAYS)
def test_a_gateways_address_is_stray_where_it(records: tuple[RawRecord, ...]) -> None:
    assert verdict_on_new(ec2.launch(), *records) == STRAY


def test_the_text_of_a_verdict_names_the_record_it_rests_on() -> None:
    grant = ec2.associate(address=NEW, time=at("10:20"), event_id="grant-1")
    text = verdicts_of(use(HOME, "10:00"), grant, use(NEW))[NEW].text
    assert "AssociateAddress at 2026-05-04T10:20:00Z (event grant-1)" in text
