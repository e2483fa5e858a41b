"""Home is chosen on evidence: where the thief called first it is turned round, and honest changes are left alone."""

from typing import Any

import pytest

from straykey.core.finding import Finding, FindingType, Severity
from tests import ec2
from tests.ec2 import ENI
from tests.records import RawRecord, allocation_record, issuance_record, use_record
from tests.seen import findings_of, trusting, verdicts_of

HOME = "198.18.0.10"
HOME_V6 = "2001:db8:1000::10"
IN_AWS = "198.18.7.7"
IN_OTHER_REGION = "198.19.7.7"
OUTSIDE = "203.0.113.66"
OUTSIDE_V6 = "2001:db8:f000::66"
OFFICE = "192.0.2.10"
OWN = "111122223333"
THIEF = "999988887777"
VPCE = "vpce-0aaaabbbbccccdddd"
STRANGE_VPCE = "vpce-0eeeeffff00001111"
VICTIM = "i-0123456789abcdef0"


def name(number: int) -> str:
    return f"i-{number:017x}"


def call(address: str, clock: str, instance: str = VICTIM, **changes: Any) -> RawRecord:
    return use_record(instance=instance, address=address, time=f"2026-05-04T{clock}:00Z", **changes)


def day(address: str, hours: range = range(10, 18), instance: str = VICTIM, **changes: Any) -> list[RawRecord]:
    """A call every hour, at twenty past."""
    return [call(address, f"{hour:02d}:20", instance, **changes) for hour in hours]


def fleet(address: str, numbers: range, hours: range = range(10, 18)) -> list[RawRecord]:
    return [record for number in numbers for record in day(address, hours, name(number))]


def own(address: str, clock: str, **changes: Any) -> RawRecord:
    """A call through an endpoint of the session's own account."""
    return call(address, clock, endpoint=VPCE, endpoint_owner=OWN, **changes)


ISSUED = issuance_record()
FIRST = "10:05"


def thefts(*records: RawRecord) -> dict[str | None, Finding]:
    """Findings above information about the victim, by the address they call stray."""
    found = [one for one in findings_of(*records) if one.severity is not Severity.INFORMATIONAL]
    return {one.stray.address: one for one in found if one.session.instance_id == VICTIM}


def homes(*records: RawRecord) -> dict[str, str]:
    """The code of every home of the victim's."""
    return {address: one.code for address, one in verdicts_of(*records).items() if one.standing.value == "home"}


TURNED: dict[str, tuple[str, str, list[RawRecord]]] = {
    "outside AWS, home in it": (OUTSIDE, "own-region", [ISSUED, call(OUTSIDE, FIRST), *day(HOME)]),
    "outside AWS, home an endpoint": (
        OUTSIDE,
        "own-region",
        [ISSUED, call(OUTSIDE, FIRST), own("10.0.1.10", "10:20"), own("10.0.1.10", "11:20")],
    ),
    "in AWS, home granted before": (
        IN_AWS,
        "address-grant",
        [ec2.associate(address=HOME), call(IN_AWS, FIRST), *day(HOME)],
    ),
    "in AWS, home granted before by its allocation": (
        IN_AWS,
        "address-grant",
        [ec2.allocate(address=HOME), ec2.associate(interface=ENI), ec2.launch(), call(IN_AWS, FIRST), *day(HOME)],
    ),
    "in another region, home granted before": (
        IN_OTHER_REGION,
        "address-grant",
        [ec2.associate(address=HOME), call(IN_OTHER_REGION, FIRST), *day(HOME)],
    ),
    "in AWS, home of others": (
        IN_AWS,
        "shared-egress",
        [call(IN_AWS, FIRST), *day(HOME), *fleet(HOME, range(1, 3))],
    ),
    "outside AWS, home of others outside too": (
        OUTSIDE,
        "shared-egress",
        [call(OUTSIDE, FIRST), *day(OFFICE), *fleet(OFFICE, range(1, 3))],
    ),
    "in AWS, home of others outside": (
        IN_AWS,
        "shared-egress",
        [call(IN_AWS, FIRST), *day(OFFICE), *fleet(OFFICE, range(1, 3))],
    ),
    "outside AWS over IPv6": (OUTSIDE_V6, "own-region", [ISSUED, call(OUTSIDE_V6, FIRST), *day(HOME)]),
    "outside AWS, home over IPv6": (OUTSIDE, "own-region", [ISSUED, call(OUTSIDE, FIRST), *day(HOME_V6)]),
    "outside AWS over IPv6, home IPv6 too": (
        OUTSIDE_V6,
        "own-region",
        [ISSUED, call(OUTSIDE_V6, FIRST), *day(HOME_V6)],
    ),
    "through an endpoint of his own": (
        "172.31.0.9",
        "first-use",
        [call("172.31.0.9", FIRST, endpoint=STRANGE_VPCE, endpoint_owner=THIEF), *day(HOME)],
    ),
}


@pytest.mark.parametrize(("stray", "code", "records"), TURNED.values(), ids=TURNED)
def test_a_thief_who_came_first_is_found(stray: str, code: str, records: list[RawRecord]) -> None:
    assert set(thefts(*records)) == {stray}


@pytest.mark.parametrize(("stray", "code", "records"), TURNED.values(), ids=TURNED)
def test_the_true_address_is_home_though_the_thief_came_first(stray: str, code: str, records: list[RawRecord]) -> None:
    assert list(homes(*records).values()) == [code]


@pytest.mark.parametrize(("stray", "code", "records"), TURNED.values(), ids=TURNED)
def test_a_finding_says_that_the_order_was_turned(stray: str, code: str, records: list[RawRecord]) -> None:
    assert "order-turned" in {reason.code for reason in thefts(*records)[stray].reasons}


def test_a_thief_who_came_later_turns_nothing() -> None:
    finding = thefts(ISSUED, *day(HOME), call(OUTSIDE, "12:30"))[OUTSIDE]
    assert "order-turned" not in {reason.code for reason in finding.reasons}


def test_a_thief_who_came_first_over_ipv6_and_over_ipv4_is_found_twice() -> None:
    records = [ISSUED, call(OUTSIDE_V6, "10:04"), call(OUTSIDE, FIRST), *day(HOME), *day(HOME_V6)]
    assert set(thefts(*records)) == {OUTSIDE, OUTSIDE_V6}


def test_a_thief_who_came_first_is_found_where_home_is_trusted() -> None:
    records = [call(OUTSIDE, FIRST), *day(OFFICE)]
    found = findings_of(*records, settings=trusting("192.0.2.0/24"))
    assert [one.stray.address for one in found] == [OUTSIDE]


@pytest.mark.parametrize("address", [IN_AWS, IN_OTHER_REGION, OUTSIDE], ids=["own region", "other region", "outside"])
def test_a_burst_on_several_instances_makes_no_shared_home(address: str) -> None:
    numbers = range(1, 6)
    burst = [call(address, f"10:0{number}", name(number)) for number in numbers]
    records = [*burst, call(address, FIRST), *day(HOME), *fleet(HOME, numbers), *fleet(HOME, range(7, 9))]
    found = {(one.session.instance_id, one.stray.address) for one in findings_of(*records)}
    assert found == {(name(number), address) for number in numbers} | {(VICTIM, address)}


def test_a_burst_on_several_instances_excuses_no_later_use_either() -> None:
    burst = [call(IN_AWS, f"10:0{number}", name(number)) for number in range(1, 6)]
    records = [*burst, *fleet(HOME, range(1, 6)), *day("198.18.0.99"), call(IN_AWS, "12:30")]
    assert set(thefts(*records)) == {IN_AWS}


@pytest.mark.parametrize("hours", [range(10, 18), range(10, 14)], ids=["all day", "half a day"])
def test_a_talkative_thief_who_came_first_outside_aws_makes_no_home(hours: range) -> None:
    instances = [VICTIM, *map(name, range(1, 6))]
    records = []
    for instance in instances:
        records += [call(OUTSIDE, f"{hour:02d}:05", instance) for hour in hours]
        records += day(HOME, instance=instance)
    found = {(one.session.instance_id, one.stray.address) for one in findings_of(*records)}
    assert found == {(instance, OUTSIDE) for instance in instances}


def test_a_talkative_thief_with_many_keys_makes_no_home_for_one_more_stolen_key() -> None:
    records = [ISSUED, *day(HOME), call(OUTSIDE, "12:30")]
    for number in range(1, 6):
        records += [call(OUTSIDE, f"{hour:02d}:05", name(number)) for hour in range(10, 18)]
        records += day(f"198.18.1.{number}", instance=name(number))
    assert set(thefts(*records)) == {OUTSIDE}


HONEST: dict[str, tuple[dict[str, str], list[RawRecord]]] = {
    "an elastic address that comes later": (
        {HOME: "first-use", "198.18.0.50": "address-grant"},
        [
            *day(HOME, range(10, 12)),
            ec2.associate(address="198.18.0.50", time="2026-05-04T12:00:00Z"),
            *day("198.18.0.50", range(12, 18)),
        ],
    ),
    "an elastic address minutes after launch": (
        {HOME: "first-use", "198.18.0.50": "address-grant"},
        [
            call(HOME, "10:01"),
            ec2.associate(address="198.18.0.50", time="2026-05-04T10:02:00Z"),
            *day("198.18.0.50"),
        ],
    ),
    "a move after hours behind the NAT of others": (
        {HOME: "first-use", "198.18.0.50": "shared-egress"},
        [*day(HOME, range(10, 13)), *day("198.18.0.50", range(13, 18)), *fleet("198.18.0.50", range(1, 3))],
    ),
    "a move from outside AWS after hours behind the NAT of others": (
        {OFFICE: "first-use", HOME: "shared-egress"},
        [
            *day(OFFICE, range(10, 13)),
            *day(HOME, range(13, 18)),
            *fleet(HOME, range(1, 3)),
            *fleet(OFFICE, range(3, 5)),
        ],
    ),
    "a pool of others, both of which it uses": (
        {HOME: "first-use", "198.18.0.50": "shared-egress"},
        [call(HOME, FIRST), *day("198.18.0.50"), *fleet("198.18.0.50", range(1, 3)), *fleet(HOME, range(3, 5))],
    ),
    "both IP versions, the older first": (
        {HOME: "first-use", HOME_V6: "dual-stack"},
        [ISSUED, call(HOME, FIRST), *day(HOME_V6)],
    ),
    "both IP versions, the newer first": (
        {HOME_V6: "first-use", HOME: "first-use"},
        [ISSUED, call(HOME_V6, FIRST), *day(HOME)],
    ),
    "an endpoint after a public address": (
        {HOME: "first-use", "10.0.1.10": "endpoint-pair"},
        [ISSUED, call(HOME, FIRST), *(own("10.0.1.10", f"{hour}:20") for hour in range(10, 18))],
    ),
    "an office of a whole fleet": ({OFFICE: "first-use"}, [*day(OFFICE), *fleet(OFFICE, range(1, 4))]),
    "an office of a whole fleet beside endpoints": (
        {OFFICE: "first-use", "10.0.1.10": "endpoint-pair"},
        [
            *day(OFFICE),
            *fleet(OFFICE, range(1, 4)),
            *(own("10.0.1.10", f"{hour}:25") for hour in range(10, 18)),
        ],
    ),
    "an office alone": ({OFFICE: "first-use"}, day(OFFICE)),
    "an address of its own that an account brought to AWS": (
        {OFFICE: "first-use", HOME: "address-grant"},
        [
            allocation_record(address=OFFICE),
            *day(OFFICE, range(10, 12)),
            ec2.associate(address=HOME, time="2026-05-04T12:00:00Z"),
            *day(HOME, range(12, 18)),
        ],
    ),
}


@pytest.mark.parametrize(("expected", "records"), HONEST.values(), ids=HONEST)
def test_an_honest_change_is_no_theft(expected: dict[str, str], records: list[RawRecord]) -> None:
    assert thefts(*records) == {}


@pytest.mark.parametrize(("expected", "records"), HONEST.values(), ids=HONEST)
def test_an_honest_change_is_explained_and_not_turned(expected: dict[str, str], records: list[RawRecord]) -> None:
    assert homes(*records) == expected


def test_a_thief_in_aws_is_found_beside_the_office_of_a_fleet() -> None:
    records = [*day(OFFICE), *fleet(OFFICE, range(1, 4)), call(IN_AWS, "12:30")]
    finding = thefts(*records)[IN_AWS]
    assert finding.type is FindingType.INSIDE_AWS
    assert "order-turned" not in {reason.code for reason in finding.reasons}


def test_a_grant_that_came_after_the_first_use_turns_nothing() -> None:
    late = ec2.associate(address="198.18.0.50", time="2026-05-04T10:10:00Z")
    assert homes(call(HOME, FIRST), late, *day("198.18.0.50")) == {HOME: "first-use", "198.18.0.50": "address-grant"}


@pytest.mark.parametrize(
    "end",
    [
        ec2.disassociate(address="198.18.0.50", time="2026-05-04T09:30:00Z"),
        ec2.release(address="198.18.0.50", time="2026-05-04T09:30:00Z"),
    ],
    ids=["disassociated", "released"],
)
def test_a_grant_that_was_ended_before_the_first_use_turns_nothing(end: RawRecord) -> None:
    records = [ec2.associate(address="198.18.0.50"), end, *day(HOME), call("198.18.0.50", "12:30")]
    assert (set(homes(*records)), set(thefts(*records))) == ({HOME}, {"198.18.0.50"})


def test_an_address_of_others_that_the_session_merely_touches_does_not_turn_its_home() -> None:
    records = [*day(HOME), call(IN_AWS, "12:30"), *fleet(IN_AWS, range(1, 4))]
    assert homes(*records)[HOME] == "first-use"


def test_in_aws_nothing_turns_the_first_use_for_one_instance_alone() -> None:
    records = [ISSUED, call(IN_AWS, FIRST), *day(HOME)]
    assert (set(homes(*records)), set(thefts(*records))) == ({IN_AWS}, {HOME})
