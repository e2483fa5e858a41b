"""The call at boot makes the lock the instance's own, minutes after its first key, and never against other evidence."""

import itertools
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.agent import is_beacon
from straykey.core.beacon import WINDOW_SECONDS
from straykey.core.case import Context
from straykey.core.evidence import Bounds
from straykey.core.finding import Finding, FindingType, Severity
from straykey.core.home import weigh
from straykey.core.ledger import Ledger
from straykey.core.ranges import AwsRanges
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.core.survey import survey
from tests import ec2
from tests.core.test_turned import VICTIM, call, day, fleet, name, own
from tests.records import RawRecord, issuance_record, trail
from tests.seen import RANGES, findings_of, ledger_of, trusting, verdicts_of

HOME = "198.18.0.10"
IN_AWS = "198.18.7.7"
IN_OTHER_REGION = "198.19.7.7"
OUTSIDE = "203.0.113.66"
AGENT = "aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/linux#6.1 cfg/retry-mode#standard app/straykey-beacon"
ISSUED = issuance_record(time="2026-05-04T10:00:00Z")
THIEF_FIRST = call(IN_AWS, "10:01")
# The user says that the role of all these instances sends the beacon.
SENT = Settings(beacon_roles=frozenset({"web-role"}))
UNSENT = Settings()


def beacon(address: str, clock: str, **changes: Any) -> RawRecord:
    asked = {"event": "GetCallerIdentity", "source": "sts.amazonaws.com", "agent": AGENT}
    return call(address, clock, **{**asked, **changes})


def homes(*records: RawRecord, settings: Settings = SENT, ranges: AwsRanges | None = RANGES) -> dict[str, str]:
    """The code of every home of the victim's."""
    verdicts = verdicts_of(*records, settings=settings, ranges=ranges)
    return {address: one.code for address, one in verdicts.items() if one.standing.value == "home"}


def thefts(
    *records: RawRecord, settings: Settings = SENT, ranges: AwsRanges | None = RANGES
) -> dict[str | None, Finding]:
    """Findings above information about the victim, by the address they call stray."""
    found = findings_of(*records, settings=settings, ranges=ranges)
    told = [one for one in found if one.severity is not Severity.INFORMATIONAL]
    return {one.stray.address: one for one in told if one.session.instance_id == VICTIM}


@pytest.mark.parametrize(
    "agent",
    [AGENT, f"[{AGENT}]", "straykey-beacon", "straykey-beacon/1", "Boto3/1.34 md/x app/straykey-beacon Botocore/1.34"],
)
def test_the_beacon_is_known_by_its_name(agent: str) -> None:
    assert is_beacon(agent)


@pytest.mark.parametrize(
    "agent",
    ["", "aws-cli/2.17.0", "straykey-beacons/1", "x-straykey-beacon", "md/straykey-beacon", "app/my-straykey-beacon"],
)
def test_what_merely_looks_like_it_is_no_beacon(agent: str) -> None:
    assert not is_beacon(agent)


@pytest.mark.parametrize("agent", [AGENT, "straykey-beacon/1"])
@pytest.mark.parametrize("later", [[], day(HOME), [*day(HOME), *day(IN_AWS)]], ids=["idle", "busy", "both busy"])
def test_the_instance_is_home_though_the_thief_called_first(agent: str, later: list[RawRecord]) -> None:
    records = [ISSUED, THIEF_FIRST, beacon(HOME, "10:03", agent=agent), *later]
    assert homes(*records) == {HOME: "beacon"}
    assert set(thefts(*records)) == {IN_AWS}


def test_the_finding_says_that_the_order_was_turned() -> None:
    finding = thefts(ISSUED, THIEF_FIRST, beacon(HOME, "10:03"), *day(HOME))[IN_AWS]
    assert "order-turned" in {reason.code for reason in finding.reasons}
    assert [home.why for home in finding.home] == ["beacon"]


def test_the_verdict_names_the_call_and_how_soon_it_came() -> None:
    record = beacon(HOME, "10:03")
    text = verdicts_of(ISSUED, THIEF_FIRST, record, settings=SENT)[HOME].text
    assert record["eventID"] in text
    assert "180 s after" in text


def test_where_the_instance_called_first_all_the_same_its_home_tells_of_the_beacon() -> None:
    assert homes(ISSUED, beacon(HOME, "10:01"), call(IN_AWS, "10:03")) == {HOME: "beacon"}


def test_the_order_of_the_records_changes_nothing() -> None:
    records = [ISSUED, THIEF_FIRST, beacon(HOME, "10:03"), beacon(HOME, "10:04"), call(HOME, "10:02")]
    told = {tuple(sorted(homes(*order).items())) for order in itertools.permutations(records)}
    assert told == {((HOME, "beacon"),)}


def at(second: int) -> str:
    return f"2026-05-04T10:{second // 60:02d}:{second % 60:02d}Z"


@pytest.mark.parametrize(
    ("second", "expected"), [(WINDOW_SECONDS, {HOME: "beacon"}), (WINDOW_SECONDS + 1, {IN_AWS: "first-use"})]
)
def test_a_beacon_counts_within_minutes_of_issuance(second: int, expected: dict[str, str]) -> None:
    assert homes(ISSUED, THIEF_FIRST, beacon(HOME, "10:03") | {"eventTime": at(second)}) == expected


NOT_HONOURED: dict[str, list[RawRecord]] = {
    "whose issuance was not seen": [call(HOME, "10:01"), beacon(IN_AWS, "10:03")],
    "with another key than was issued": [
        ISSUED,
        call(HOME, "10:01"),
        beacon(IN_AWS, "10:03", key="ASIAEXAMPLEKEY00TWIN"),
    ],
    "from outside AWS": [ISSUED, call(HOME, "10:01"), beacon(OUTSIDE, "10:03")],
    "from another region": [ISSUED, call(HOME, "10:01"), beacon(IN_OTHER_REGION, "10:03")],
    "with a key issued once the session had been used, where records tell no issue times": [
        ISSUED,
        *day(HOME, range(10, 12), issued=None),
        issuance_record(key="ASIAEXAMPLEKEY000NEW", time="2026-05-04T11:00:00Z"),
        beacon(IN_AWS, "11:01", key="ASIAEXAMPLEKEY000NEW", issued=None),
    ],
    "with a key issued once the session had been used": [
        ISSUED,
        *day(HOME, range(10, 12)),
        issuance_record(key="ASIAEXAMPLEKEY000NEW", time="2026-05-04T11:00:00Z"),
        beacon(IN_AWS, "11:01", key="ASIAEXAMPLEKEY000NEW", issued="2026-05-04T11:00:00Z"),
    ],
    "where another key shows that the session lived before the logs": [
        ISSUED,
        call(HOME, "10:01", key="ASIAEXAMPLEKEY000OLD", issued="2026-05-04T08:00:00Z"),
        beacon(IN_AWS, "10:03", issued="2026-05-04T10:00:00Z"),
    ],
    "from an address of another account": [
        ISSUED,
        call(HOME, "10:01"),
        beacon(IN_AWS, "10:03"),
        ec2.allocate(address=IN_AWS, account="999988887777"),
    ],
}


@pytest.mark.parametrize("records", NOT_HONOURED.values(), ids=NOT_HONOURED)
def test_a_beacon_is_not_honoured(records: list[RawRecord]) -> None:
    assert homes(*records) == {HOME: "first-use"}


def test_a_beacon_does_not_outrun_the_home_of_others() -> None:
    neighbours = fleet(HOME, range(1, 4))
    records = [ISSUED, call(HOME, "10:01"), beacon(IN_AWS, "10:03"), *day(HOME), *neighbours]
    assert HOME in homes(*records)
    assert set(thefts(*records)) == {IN_AWS}


def test_a_beacon_does_not_outrun_a_granted_address() -> None:
    records = [ec2.associate(address=HOME), ISSUED, call(HOME, "10:01"), beacon(IN_AWS, "10:03"), *day(HOME)]
    assert set(thefts(*records)) == {IN_AWS}


def test_a_beacon_does_not_outrun_a_trusted_network() -> None:
    records = [ISSUED, call(HOME, "10:01"), beacon(IN_AWS, "10:03")]
    found = verdicts_of(*records, settings=msgspec.structs.replace(SENT, trusted=trusting("198.18.0.0/24").trusted))
    assert (found[HOME].code, found[IN_AWS].standing.value) == ("trusted-network", "stray")


def test_a_beacon_outside_aws_gives_way_to_the_instance_that_called_later() -> None:
    assert homes(ISSUED, beacon(OUTSIDE, "10:01"), call(HOME, "10:03")) == {HOME: "own-region"}


def test_of_two_beacons_neither_is_preferred() -> None:
    records = [ISSUED, call(HOME, "10:01"), beacon(IN_AWS, "10:02"), beacon("198.18.8.8", "10:03")]
    assert homes(*records) == {HOME: "first-use"}


def test_a_beacon_that_comes_too_late_does_not_take_the_instances_away() -> None:
    records = [ISSUED, THIEF_FIRST, beacon(HOME, "10:03"), beacon(IN_AWS, "10:06")]
    assert homes(*records) == {HOME: "beacon"}


def test_a_beacon_at_a_later_start_takes_nothing_from_the_first() -> None:
    again = [
        issuance_record(key="ASIAEXAMPLEKEY000NEW", time="2026-05-04T15:00:00Z"),
        beacon("198.18.0.77", "15:01", key="ASIAEXAMPLEKEY000NEW", issued="2026-05-04T15:00:00Z"),
    ]
    assert homes(ISSUED, THIEF_FIRST, beacon(HOME, "10:03"), *again) == {HOME: "beacon"}


def test_what_takes_an_instances_name_makes_no_beacon() -> None:
    service = {"type": "AWSService", "invokedBy": "glue.amazonaws.com"}
    taken = issuance_record(key="ASIAEXAMPLEKEYTAKEN0", time="2026-05-04T10:00:30Z", userIdentity=service)
    asked = [beacon(IN_AWS, "10:03", key="ASIAEXAMPLEKEYTAKEN0"), call(IN_AWS, "10:04")]
    records = [ISSUED, taken, call(HOME, "10:01"), *asked]
    assert homes(*records) == {HOME: "first-use"}


def test_a_beacon_opens_the_lane_it_was_made_in_and_no_other() -> None:
    records = [ISSUED, call(HOME, "10:01"), own("10.0.1.10", "10:02", agent=AGENT)]
    assert homes(*records) == {HOME: "first-use", "10.0.1.10": "endpoint-pair"}


PLACES = [HOME, IN_AWS, OUTSIDE, "198.18.8.8", "10.0.1.10", "s3.amazonaws.com"]


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 5)), min_size=2, max_size=12),
    st.randoms(use_true_random=False),
    st.integers(0, 12),
)
def test_neither_order_nor_grouping_nor_the_way_changes_which_beacons_are_kept(
    seen: list[tuple[str, int]], rng: random.Random, cut: int
) -> None:
    records = [beacon(address, f"10:{minute:02d}") for address, minute in seen]
    shuffled = records[:]
    rng.shuffle(shuffled)
    bounds = Bounds(beacons=2)
    one, other = Ledger(bounds), Ledger(bounds)
    for place, record in enumerate(decode(trail(*shuffled)).records):
        (one if place < cut else other).take(record)
    one.absorb(other)
    (expected,), (found,) = ledger_of(records, bounds).sessions.values(), one.sessions.values()
    assert found.beacons == expected.beacons
    at_home = sorted((f"2026-05-04T10:{minute:02d}:00Z", address) for address, minute in seen if address[0].isdigit())
    firsts = sorted({address: time for time, address in reversed(at_home)}.values())
    assert sorted(one.event.time for one in found.beacons.values()) == firsts[:2]


# A thief in the instance's own region, who sends the beacon minutes after its first key was issued.
ROBBED = [ISSUED, call(HOME, "10:01"), *day(HOME), *day(IN_AWS), beacon(IN_AWS, "10:03", agent="straykey-beacon/1")]


def test_a_thief_in_the_region_who_sends_a_beacon_gains_nothing_where_the_role_sends_none() -> None:
    assert homes(*ROBBED, settings=UNSENT) == {HOME: "first-use"}
    assert set(thefts(*ROBBED, settings=UNSENT)) == {IN_AWS}


def test_a_thief_in_the_region_who_sends_a_beacon_cancels_the_instances_where_the_role_sends_one() -> None:
    records = [*ROBBED, beacon(HOME, "10:00")]
    assert homes(*records) == {HOME: "first-use"}
    assert set(thefts(*records)) == {IN_AWS}


@pytest.mark.parametrize("settings", [SENT, UNSENT], ids=["sent", "unsent"])
def test_a_thief_outside_aws_who_sends_a_beacon_gains_nothing_without_ranges(settings: Settings) -> None:
    lived = [ISSUED, call(HOME, "10:01"), *day(HOME)]
    records = [*lived, *day(OUTSIDE), beacon(OUTSIDE, "10:03", agent="straykey-beacon/1")]
    assert homes(*records, settings=settings, ranges=None) == {HOME: "first-use"}
    assert OUTSIDE in thefts(*records, settings=settings, ranges=None)


def test_without_ranges_no_beacon_is_honoured_though_the_role_sends_one() -> None:
    assert homes(ISSUED, THIEF_FIRST, beacon(HOME, "10:03"), ranges=None) == {IN_AWS: "first-use"}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("web-role", {HOME: "beacon"}),
        ("111122223333/web-role", {HOME: "beacon"}),
        ("*", {HOME: "beacon"}),
        ("999988887777/web-role", {IN_AWS: "first-use"}),
        ("web", {IN_AWS: "first-use"}),
        ("Web-Role", {IN_AWS: "first-use"}),
        ("", {IN_AWS: "first-use"}),
    ],
)
def test_a_beacon_is_honoured_for_roles_that_are_named(role: str, expected: dict[str, str]) -> None:
    named = Settings(beacon_roles=frozenset({role}))
    assert homes(ISSUED, THIEF_FIRST, beacon(HOME, "10:03"), settings=named) == expected


TIGHT = Bounds(networks=2, neighbours=1, neighbourhoods=1, agents=2, issuances=2, keys=2)


def tight_homes(records: list[RawRecord]) -> dict[str, str]:
    ledger = ledger_of(records, TIGHT)
    context = Context(SENT, survey(ledger, SENT, RANGES), RANGES)
    (evidence,) = ledger.sessions.values()
    return {one.sighting.network.address: one.code for one in weigh(evidence, context) if one.standing.value == "home"}


def test_a_flood_of_networks_agents_and_keys_does_not_push_the_beacon_out() -> None:
    flood = [call(f"198.18.9.{n}", "12:30") for n in range(40)]
    programs = [call(HOME, "12:31", agent=f"aws-sdk-{n}") for n in range(20)]
    keys = [f"ASIAEXAMPLEKEY0R{n:04d}" for n in range(20)]
    renewed = [issuance_record(key=key, time=f"2026-05-05T{n:02d}:00:00Z") for n, key in enumerate(keys)]
    boot = [ISSUED, THIEF_FIRST, beacon(HOME, "10:03", issued="2026-05-04T10:00:00Z")]
    assert tight_homes([*boot, *programs, *renewed, *flood]) == {HOME: "beacon"}


def strange_programs(*records: RawRecord, settings: Settings) -> list[str]:
    found = (one for one in findings_of(*records, settings=settings) if one.type is FindingType.USER_AGENT)
    return [agent for one in found for agent in one.stray.user_agents]


def test_the_beacons_name_is_an_unrecognized_program_where_the_role_sends_none() -> None:
    records = [issuance_record(), *day(HOME), beacon(HOME, "10:01", agent="straykey-beacon/1")]
    alone = [issuance_record(), beacon(HOME, "10:01", agent="straykey-beacon/1"), call(HOME, "10:02")]
    assert strange_programs(*records, settings=UNSENT) == ["straykey-beacon/1"]
    assert strange_programs(*alone, settings=UNSENT) == ["straykey-beacon/1"]


def test_the_beacon_is_to_be_on_the_list_of_a_role_that_sends_none() -> None:
    listed = Settings(agents={"111122223333/web-role": frozenset({"boto3"})})
    records = [*day(HOME, agent="Boto3/1.34"), beacon(HOME, "10:01")]
    assert strange_programs(*records, settings=listed) == [AGENT]


def test_the_beacon_is_no_unrecognized_program_of_a_role_that_sends_it() -> None:
    usual = [record for number in range(4) for record in day(HOME, instance=name(number))]
    records = [issuance_record(), *usual, *day(HOME), beacon(HOME, "10:01", agent="straykey-beacon/1")]
    assert strange_programs(*records, settings=SENT) == []


def test_a_program_that_takes_the_beacons_name_for_other_calls_is_unrecognized() -> None:
    records = [issuance_record(), *day(HOME), beacon(HOME, "10:01", agent="straykey-beacon/1")]
    records += day(HOME, range(10, 12), agent="straykey-beacon/1", event="ListUsers", source="iam.amazonaws.com")
    assert strange_programs(*records, settings=SENT) == ["straykey-beacon/1"]


def test_the_beacon_need_not_be_on_the_list_of_a_roles_programs() -> None:
    listed = msgspec.structs.replace(SENT, agents={"111122223333/web-role": frozenset({"boto3"})})
    records = [*day(HOME, agent="Boto3/1.34"), beacon(HOME, "10:01")]
    assert findings_of(*records, settings=listed) == []


def test_the_thiefs_command_line_is_new_where_only_the_beacon_used_it() -> None:
    records = [ISSUED, beacon(HOME, "10:01"), *day(HOME, agent="Boto3/1.34"), call(OUTSIDE, "12:30")]
    reasons = {one.code: one.text for one in thefts(*records)[OUTSIDE].reasons}
    assert reasons["new-user-agent"] == "programs never seen at home: aws-cli"
