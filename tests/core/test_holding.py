"""Who held which address when: grants joined in any order, ended by what ends them, silent about what came later."""

from itertools import permutations

import pytest

from straykey.core.holding import Holdings
from tests import ec2
from tests.ec2 import ENI, I1, I2, NAT, OTHER_EIP, OTHER_ENI, OTHER_VPC, VPC
from tests.records import RawRecord
from tests.seen import ledger_of

GIVEN = "198.18.0.50"
OWN = "111122223333"
OTHER_ACCOUNT = "444455556666"


def at(clock: str) -> str:
    return f"2026-05-04T{clock}:00Z"


def held(*records: RawRecord) -> Holdings:
    return Holdings(ledger_of(records).grants)


def named(*records: RawRecord, address: str = GIVEN, instance: str = I1, clock: str = "10:00") -> str:
    """The API by which the instance holds the address at that time; empty if it does not."""
    grant = held(*records).named(instance, address, at(clock))
    return grant.api if grant else ""


BY_ADDRESS = (ec2.associate(address=GIVEN, time=at("09:00")),)
BY_ALLOCATION = (ec2.allocate(time=at("08:00")), ec2.associate(time=at("09:00")))
TO_ATTACHED = (ec2.attach(time=at("08:30")), ec2.associate(address=GIVEN, interface=ENI, time=at("09:00")))
THEN_ATTACHED = (ec2.associate(address=GIVEN, interface=ENI, time=at("08:30")), ec2.attach(time=at("09:00")))
TO_LAUNCHED = (ec2.launch(), ec2.associate(address=GIVEN, interface=ENI, time=at("09:00")))
THROUGHOUT = (ec2.allocate(time=at("08:00")), ec2.associate(interface=ENI, time=at("08:30")), ec2.attach())

WAYS = {
    "by its address": BY_ADDRESS,
    "by its allocation": BY_ALLOCATION,
    "to an interface attached before": TO_ATTACHED,
    "to an interface attached after": THEN_ATTACHED,
    "to the interface it was launched with": TO_LAUNCHED,
    "by its allocation, to an interface": THROUGHOUT,
}


@pytest.mark.parametrize("records", WAYS.values(), ids=WAYS)
def test_an_elastic_address_is_named_for_the_instance_that_got_it(records: tuple[RawRecord, ...]) -> None:
    assert named(*records) == "AssociateAddress"


@pytest.mark.parametrize("records", WAYS.values(), ids=WAYS)
def test_it_is_named_for_no_other_instance(records: tuple[RawRecord, ...]) -> None:
    assert named(*records, instance=I2) == ""


@pytest.mark.parametrize("records", WAYS.values(), ids=WAYS)
def test_what_came_later_answers_nothing(records: tuple[RawRecord, ...]) -> None:
    assert named(*records, clock="08:59") == ""


@pytest.mark.parametrize("records", WAYS.values(), ids=WAYS)
def test_a_grant_holds_from_its_very_second(records: tuple[RawRecord, ...]) -> None:
    assert named(*records, clock="09:00") == "AssociateAddress"


@pytest.mark.parametrize("records", WAYS.values(), ids=WAYS)
def test_the_order_of_reading_does_not_matter(records: tuple[RawRecord, ...]) -> None:
    assert {named(*order) for order in permutations(records)} == {"AssociateAddress"}


def test_an_allocation_may_be_read_from_a_record_of_the_same_second() -> None:
    assert named(ec2.allocate(event_id="b"), ec2.associate(event_id="a")) == "AssociateAddress"


def test_a_wrapped_call_says_the_same_as_a_flat_one() -> None:
    assert named(ec2.allocate(is_wrapped=True), ec2.associate(is_wrapped=True)) == "AssociateAddress"


ENDS = {
    "its association was ended": (ec2.disassociate(time=at("09:30")),),
    "it was taken by its address": (ec2.disassociate(address=GIVEN, time=at("09:30")),),
    "it was released": (ec2.release(time=at("09:30")),),
    "it was released by its address": (ec2.release(address=GIVEN, time=at("09:30")),),
    "another instance got it": (ec2.associate(instance=I2, association="eipassoc-0e2", time=at("09:30")),),
    "another interface got it": (ec2.associate(interface=OTHER_ENI, association="eipassoc-0e2", time=at("09:30")),),
    "a NAT gateway got it": (ec2.create_nat(time=at("09:30")),),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_address_is_no_longer_held_after(end: tuple[RawRecord, ...]) -> None:
    assert named(*BY_ALLOCATION, *end) == ""


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_it_was_held_until_then(end: tuple[RawRecord, ...]) -> None:
    assert named(*BY_ALLOCATION, *end, clock="09:29") == "AssociateAddress"


def test_the_end_of_an_older_association_does_not_end_the_one_of_another_address() -> None:
    other = ec2.associate(address="198.18.0.51", association="eipassoc-0e2")
    ended = ec2.disassociate(association="eipassoc-0e2", time=at("09:30"))
    assert named(*BY_ALLOCATION, other, ended) == "AssociateAddress"


def test_the_end_of_an_association_nobody_recorded_ends_nothing() -> None:
    assert named(*BY_ALLOCATION, ec2.disassociate(association="eipassoc-0e9", time=at("09:30"))) == "AssociateAddress"


def test_an_address_that_was_taken_and_given_again_is_held_again() -> None:
    again = ec2.associate(association="eipassoc-0e2", time=at("09:45"))
    assert named(*BY_ALLOCATION, ec2.disassociate(time=at("09:30")), again) == "AssociateAddress"


def test_an_interface_that_was_detached_takes_its_address_along() -> None:
    assert named(*TO_ATTACHED, ec2.detach(time=at("09:30"))) == ""


def test_an_interface_that_moved_on_takes_its_address_along() -> None:
    moved = ec2.attach(instance=I2, attachment="eni-attach-0c2", time=at("09:30"))
    holdings = held(*TO_ATTACHED, moved)
    assert holdings.named(I1, GIVEN, at("10:00")) is None
    assert holdings.named(I2, GIVEN, at("10:00")) is not None


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")], ids=["in one order of ids", "in the other"])
def test_an_address_that_goes_on_within_one_second_is_the_new_holders(ids: tuple[str, str]) -> None:
    ended = ec2.disassociate(time=at("09:30"), event_id=ids[0])
    moved = ec2.associate(instance=I2, association="eipassoc-0e2", time=at("09:30"), event_id=ids[1])
    for order in permutations((*BY_ALLOCATION, ended, moved)):
        assert named(*order, instance=I2) == "AssociateAddress"
        assert named(*order, instance=I1) == ""


def test_an_association_that_was_ended_in_its_own_second_holds_nothing() -> None:
    assert named(*BY_ALLOCATION, ec2.disassociate(time=at("09:00"))) == ""


def test_of_two_instances_that_got_one_address_in_one_second_one_holds_it_in_any_order() -> None:
    both = (ec2.associate(address=GIVEN), ec2.associate(address=GIVEN, instance=I2, association="eipassoc-0e2"))
    holders = {tuple(bool(named(*order, instance=one)) for one in (I1, I2)) for order in permutations(both)}
    assert len(holders) == 1
    assert sum(holders.pop()) == 1


def test_a_grant_that_failed_names_nothing() -> None:
    assert named(ec2.allocate(), ec2.associate(error="Client.InvalidAddress.NotFound", time=at("09:30"))) == ""


def test_an_end_that_failed_ends_nothing() -> None:
    failed = ec2.disassociate(time=at("09:30"), error="Client.UnauthorizedOperation")
    assert named(*BY_ALLOCATION, failed) == "AssociateAddress"


PLAIN_WAYS = {
    "launched with it": ("10.0.1.10", (ec2.launch(),)),
    "launched with an IPv6 address": ("2001:db8:1000::10", (ec2.launch(addresses=("10.0.1.10", "2001:db8:1000::10")),)),
    "its interface was made with it": ("10.0.1.50", (ec2.create_interface(), ec2.attach())),
    "its interface was made after a read of the attachment": ("10.0.1.50", (ec2.attach(), ec2.create_interface())),
    "assigned to its interface": ("10.0.1.60", (ec2.launch(), ec2.assign_private())),
    "an IPv6 address assigned to its interface": ("2001:db8:1000::60", (ec2.launch(), ec2.assign_ipv6())),
}


@pytest.mark.parametrize(("address", "records"), PLAIN_WAYS.values(), ids=PLAIN_WAYS)
def test_an_address_of_its_interface_is_named_for_an_instance(address: str, records: tuple[RawRecord, ...]) -> None:
    assert named(*records, address=address) != ""
    assert named(*records, address=address, instance=I2) == ""
    assert named(*records, address=address, clock="07:59") == ""


def test_one_ipv6_address_is_named_however_it_is_spelled() -> None:
    assigned = ec2.assign_ipv6(address="2001:0DB8:1000:0::60")
    assert named(ec2.launch(), assigned, address="2001:db8:1000::60") == "AssignIpv6Addresses"


def test_a_private_address_of_a_detached_interface_is_nobodys() -> None:
    records = (ec2.create_interface(), ec2.attach(), ec2.detach(time=at("09:30")))
    assert named(*records, address="10.0.1.50") == ""


def test_one_private_address_in_two_vpcs_is_named_for_both_instances() -> None:
    twin = ec2.launch(instance=I2, interface=OTHER_ENI, vpc=OTHER_VPC)
    holdings = held(ec2.launch(), twin)
    assert all(holdings.named(one, "10.0.1.10", at("10:00")) for one in (I1, I2))


def unnamed(*records: RawRecord, instance: str = I1, clock: str = "10:00") -> list[str]:
    return [grant.api for grant in held(*records).unnamed(instance, at(clock))]


UNNAMED = {
    "an interface attached": (ec2.attach(),),
    "a start that tells it was stopped": (ec2.start(),),
    "a start while it was stopping": (ec2.start(before="stopping"),),
    "a start after a stop": (ec2.stop(time=at("08:30")), ec2.start(before="pending")),
    "an association nobody can resolve": (ec2.associate(),),
    "an association of its interface nobody can resolve": (ec2.launch(), ec2.associate(interface=ENI)),
}


@pytest.mark.parametrize("records", UNNAMED.values(), ids=UNNAMED)
def test_an_address_is_given_without_a_name_by(records: tuple[RawRecord, ...]) -> None:
    assert len(unnamed(*records)) == 1
    assert unnamed(*records, instance=I2) == []
    assert unnamed(*records, clock="08:59") == []


NOT_UNNAMED = {
    "a start of what ran": (ec2.start(before="running"),),
    "a stop": (ec2.stop(),),
    "an end": (ec2.terminate(),),
    "a launch": (ec2.launch(),),
    "an association by its address": BY_ADDRESS,
    "an association by an allocation that was read": BY_ALLOCATION,
    "an interface that holds an address by name": (ec2.associate(address=GIVEN, interface=ENI), ec2.attach()),
    "a start with an elastic address": (*BY_ALLOCATION, ec2.start(time=at("09:30"))),
    "a start with an elastic address on its interface": (*TO_LAUNCHED, ec2.start(time=at("09:30"))),
    "a start that failed": (ec2.stop(time=at("08:30")), ec2.start(error="Client.IncorrectInstanceState")),
}


@pytest.mark.parametrize("records", NOT_UNNAMED.values(), ids=NOT_UNNAMED)
def test_no_address_is_given_without_a_name_by(records: tuple[RawRecord, ...]) -> None:
    assert unnamed(*records) == []


def test_a_start_after_its_elastic_address_was_taken_gives_a_new_one() -> None:
    records = (*BY_ALLOCATION, ec2.disassociate(time=at("09:30")), ec2.start(time=at("09:45")))
    assert unnamed(*records) == ["StartInstances"]


MOVED_ON = (
    ec2.attach(time=at("08:00")),
    ec2.detach(time=at("08:30")),
    ec2.attach(instance=I2, attachment="eni-attach-0c2", time=at("09:30")),
)


def test_an_interface_that_moved_on_gives_its_former_instance_nothing() -> None:
    assert unnamed(*MOVED_ON) == []


def test_an_interface_that_moved_on_gives_its_new_instance_one_address() -> None:
    assert [one.time for one in held(*MOVED_ON).unnamed(I2, at("10:00"))] == [at("09:30")]


UNNAMED_ENDS = {
    "an interface attached and detached": (ec2.attach(), ec2.detach(time=at("09:30"))),
    "an association that was ended": (ec2.associate(), ec2.disassociate(time=at("09:30"))),
    "an association whose address was released": (ec2.associate(), ec2.release(time=at("09:30"))),
}


@pytest.mark.parametrize("records", UNNAMED_ENDS.values(), ids=UNNAMED_ENDS)
def test_an_address_given_without_a_name_is_taken_again_with(records: tuple[RawRecord, ...]) -> None:
    assert len(unnamed(*records, clock="09:29")) == 1
    assert unnamed(*records) == []


def nat(*records: RawRecord, vpc: str = VPC, account: str = OWN, clock: str = "10:00") -> str:
    grant = held(*records).nat(GIVEN, vpc, account, at(clock))
    return grant.nat if grant else ""


GATEWAY = (ec2.allocate(time=at("08:00")), ec2.create_nat(time=at("09:00")))


def test_a_gateways_address_is_its_vpcs() -> None:
    assert nat(*GATEWAY) == NAT


def test_a_gateways_address_is_not_another_vpcs() -> None:
    assert nat(*GATEWAY, vpc=OTHER_VPC) == ""


def test_where_the_vpc_is_unknown_a_gateways_address_is_its_accounts() -> None:
    assert nat(*GATEWAY, vpc="") == NAT
    assert nat(*GATEWAY, vpc="", account=OTHER_ACCOUNT) == ""


def test_a_gateways_further_address_is_its_vpcs_too() -> None:
    more = (ec2.allocate(allocation=OTHER_EIP), ec2.associate_nat_address(allocation=OTHER_EIP))
    gateway = (ec2.allocate(address="198.18.0.51", time=at("08:00")), ec2.create_nat(time=at("08:30")))
    assert nat(*gateway, *more) == NAT
    assert nat(*gateway, *more, vpc=OTHER_VPC) == ""


def test_where_a_gateways_vpc_is_unknown_its_address_is_its_accounts() -> None:
    records = (ec2.allocate(), ec2.associate_nat_address())
    assert nat(*records) == NAT
    assert nat(*records, account=OTHER_ACCOUNT) == ""


def test_the_order_of_reading_does_not_matter_for_gateways() -> None:
    records = (*GATEWAY, ec2.associate_nat_address(time=at("09:30")))
    assert {nat(*order) for order in permutations(records)} == {NAT}


def test_a_gateway_that_got_its_address_later_answers_nothing() -> None:
    assert nat(*GATEWAY, clock="08:59") == ""


@pytest.mark.parametrize(
    "end", [ec2.release(time=at("09:30")), ec2.associate(time=at("09:30"))], ids=["released", "given to an instance"]
)
def test_a_gateways_address_is_no_longer_its_own_once(end: RawRecord) -> None:
    assert nat(*GATEWAY, end) == ""
    assert nat(*GATEWAY, end, clock="09:29") == NAT


def test_an_address_of_an_instance_is_no_gateways() -> None:
    assert nat(*BY_ALLOCATION) == ""


def test_a_gateway_whose_making_failed_has_no_address() -> None:
    assert nat(ec2.allocate(), ec2.create_nat(error="Client.NatGatewayLimitExceeded")) == ""


def test_an_instances_vpc_is_where_it_was_launched() -> None:
    assert held(ec2.launch()).vpc_of(I1) == VPC


def test_an_instances_vpc_is_that_of_its_interface_where_no_launch_was_read() -> None:
    assert held(ec2.create_interface(), ec2.attach()).vpc_of(I1) == VPC


def test_an_instance_nobody_recorded_has_no_vpc() -> None:
    assert held(ec2.launch(instance=I2)).vpc_of(I1) == ""


def owner(*records: RawRecord, clock: str = "10:00") -> str:
    return held(*records).owner_of(GIVEN, at(clock))


def test_an_address_belongs_to_the_account_it_was_allocated_to() -> None:
    assert owner(ec2.allocate()) == OWN


def test_an_address_belonged_to_nobody_before() -> None:
    assert owner(ec2.allocate(), clock="08:59") == ""


@pytest.mark.parametrize("end", [ec2.release(time=at("09:30")), ec2.release(address=GIVEN, time=at("09:30"))])
def test_a_released_address_belongs_to_nobody(end: RawRecord) -> None:
    assert owner(ec2.allocate(), end) == ""
    assert owner(ec2.allocate(), end, clock="09:29") == OWN


def test_an_address_released_by_one_account_belongs_to_the_next_it_was_allocated_to() -> None:
    theirs = ec2.allocate(account=OTHER_ACCOUNT, allocation=OTHER_EIP, time=at("09:30"))
    assert owner(ec2.allocate(), ec2.release(time=at("09:30")), theirs) == OTHER_ACCOUNT


def test_an_address_that_is_only_associated_has_no_known_owner() -> None:
    assert owner(*BY_ADDRESS) == ""


def test_the_first_record_of_an_instances_end_counts() -> None:
    first, second = ec2.terminate(time=at("09:30")), ec2.terminate(time=at("09:40"))
    grant = held(second, first).terminated(I1)
    assert grant is not None
    assert grant.time == at("09:30")


@pytest.mark.parametrize(
    "record",
    [ec2.stop(), ec2.terminate(instance=I2), ec2.terminate(error="Client.OperationNotPermitted")],
    ids=["a stop", "another's end", "an end that failed"],
)
def test_an_instance_is_not_ended_by(record: RawRecord) -> None:
    assert held(record).terminated(I1) is None


def test_an_endpoint_belongs_to_the_account_that_made_it() -> None:
    made = ec2.create_endpoint(account=OTHER_ACCOUNT)
    assert held(made).endpoint_owners == {"vpce-0aaaabbbbccccdddd": OTHER_ACCOUNT}


def test_an_endpoint_whose_making_failed_belongs_to_nobody() -> None:
    assert held(ec2.create_endpoint(error="Client.VpcEndpointLimitExceeded")).endpoint_owners == {}
