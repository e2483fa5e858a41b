"""What is not seen of an account, and the setting that mends it."""

import json

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from straykey.core.coverage import Covered, Kind, Seen
from straykey.harden.blindness import Blind, Gap, Sign
from straykey.harden.coverage import coverage_gaps
from straykey.harden.posture import BasicSelector, DataResource, Field, Organization, Posture, Selector
from straykey.harden.selector import Takes, takes
from straykey.harden.trail_gap import trail_gaps
from straykey.sim.scenario import simulate
from tests.aws import Aws
from tests.conftest import Golden
from tests.harden import scenes
from tests.harden.machines import machine
from tests.harden.machines import posture as with_machines
from tests.harden.trails import ACCOUNT, LEADER, REGION, posture, trail
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import ledger_of

EVERYTHING = tuple(
    DataResource(kind, (f"arn:aws:{name}",))
    for kind, name in (
        ("AWS::S3::Object", "s3"),
        ("AWS::Lambda::Function", "lambda"),
        ("AWS::DynamoDB::Table", "dynamodb"),
    )
)
ALL = BasicSelector(data=EVERYTHING)
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main"


def found(of: Posture, *acting: str) -> dict[Blind, Gap]:
    return {one.blind: one for one in trail_gaps(of, acting)}


def test_a_trail_that_records_everything_leaves_nothing_out() -> None:
    assert found(posture(trail("main", ALL))) == {}


def test_of_trails_that_were_not_read_nothing_is_said() -> None:
    assert found(Posture(ACCOUNT)) == {}
    unread = replace(trail("main"), basic=None, advanced=None, is_logging=None)
    assert found(posture(unread)) == {}


def test_an_account_without_a_trail_gets_one() -> None:
    (gap,) = found(posture()).values()
    assert (gap.blind, gap.command[:3]) == (Blind.NO_TRAIL, ("aws", "cloudtrail", "create-trail"))


def test_a_trail_that_does_not_log_is_started() -> None:
    gap = found(posture(trail("main", ALL, is_logging=False)))[Blind.NOT_LOGGING]
    assert gap.command == ("aws", "cloudtrail", "start-logging", "--region", REGION, "--name", ARN)
    assert (gap.trail, gap.owner, gap.covered_by) == ("main", ACCOUNT, ())


def test_a_trail_that_cannot_deliver_is_told_of_with_aws_words_made_harmless() -> None:
    gap = found(posture(trail("main", ALL, delivery_error="AccessDenied\x1b[2J")))[Blind.NOT_DELIVERING]
    assert "AccessDenied\\x1b[2J" in gap.unseen
    assert gap.command == ()


@pytest.mark.parametrize(
    ("basic", "blind"),
    [
        (BasicSelector("WriteOnly", data=EVERYTHING), Blind.READ),
        (BasicSelector("ReadOnly", data=EVERYTHING), Blind.WRITE),
        (BasicSelector(has_management=False, data=EVERYTHING), Blind.MANAGEMENT),
        (BasicSelector(data=EVERYTHING, excluded=("kms.amazonaws.com",)), Blind.EXCLUDED),
        (BasicSelector(data=EVERYTHING, excluded=("rdsdata.amazonaws.com",)), Blind.EXCLUDED),
    ],
)
def test_management_events_that_are_left_out_are_named(basic: BasicSelector, blind: Blind) -> None:
    gaps = found(posture(trail("main", basic)))
    assert blind in gaps
    assert gaps[blind].adds == ("All management events",)


def test_a_trail_that_records_writes_only_does_not_tell_which_keys_ec2_issued() -> None:
    gap = found(posture(trail("main", BasicSelector("WriteOnly"))))[Blind.READ]
    assert "AssumeRole" in gap.unseen
    assert gap.command[:7] == ("aws", "cloudtrail", "put-event-selectors", "--region", REGION, "--trail-name", ARN)
    said = json.loads(gap.command[-1])
    assert said == [
        {"Name": "All management events", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
    ]


def test_an_advanced_selector_that_drops_a_source_is_found() -> None:
    fields = (Field("eventCategory", ("Management",)), Field("eventSource", not_equals=("kms.amazonaws.com",)))
    assert Blind.EXCLUDED in found(posture(trail(advanced=(Selector("but kms", fields),))))


def test_what_another_trail_records_is_a_gap_only_for_who_reads_this_one() -> None:
    half = BasicSelector("WriteOnly"), BasicSelector(has_management=False, data=EVERYTHING)
    gaps = found(posture(trail("half", *half), trail("whole", ALL)))
    assert set(gaps) == {Blind.READ}
    assert gaps[Blind.READ].covered_by == ("whole",)
    assert "every copy" in gaps[Blind.READ].cost


def test_what_no_trail_records_is_mended_in_the_best_of_them_alone() -> None:
    data = BasicSelector(has_management=False, data=EVERYTHING[:1])
    gaps = trail_gaps(posture(trail("data", data), trail("main", BasicSelector("WriteOnly"))))
    assert [one.covered_by for one in gaps if "S3" in one.unseen] == [("data",)]
    assert {(one.trail, one.also) for one in gaps if one.blind in (Blind.READ, Blind.MANAGEMENT)} == {
        ("main", ("data",))
    }
    assert [one.trail for one in gaps if one.blind is Blind.DATA] == ["main", "main", "main"]


def test_a_trail_of_one_region_does_not_stand_in_for_one_of_all() -> None:
    near = trail("near", ALL, is_multi_region=False)
    gaps = found(posture(trail("half", BasicSelector("WriteOnly", data=EVERYTHING)), near))
    assert gaps[Blind.READ].covered_by == ()


def test_data_events_come_with_a_warning_of_what_they_cost() -> None:
    gaps = trail_gaps(posture(trail("main", BasicSelector(data=EVERYTHING[:1]))))
    assert [one.blind for one in gaps] == [Blind.DATA, Blind.DATA]
    assert all("charges for each" in one.cost for one in gaps)
    assert "Lambda" in gaps[0].unseen
    assert "DynamoDB" in gaps[1].unseen


def test_data_events_of_some_buckets_are_told_from_none() -> None:
    some = DataResource("AWS::S3::Object", ("arn:aws:s3:::one/",))
    gaps = trail_gaps(posture(trail("main", BasicSelector(data=(some, *EVERYTHING[1:])))))
    assert ["selects some of it" in one.unseen for one in gaps] == [True]


def test_gaps_read_like_this(golden: Golden) -> None:
    blind = trail("main", BasicSelector("WriteOnly", excluded=("kms.amazonaws.com",)), is_multi_region=False)
    data = trail("data", BasicSelector(has_management=False, data=EVERYTHING[:1]), is_logging=False)
    of = posture(blind, data, organization=Organization("o-exampleorg1", "444455556666"), services=("s3",))
    gaps = coverage_gaps(ledger_of([use_record(awsRegion="ap-south-1")]), postures=[of])
    golden("tests/golden/harden/coverage.json", json.dumps(to_builtins(gaps), indent=1) + "\n")


def test_run_in_order_no_command_takes_back_another() -> None:
    begun = trail("main", BasicSelector("WriteOnly", data=(DataResource("AWS::S3::Object", ("arn:aws:s3:::one/",)),)))
    now = posture(begun, services=("s3", "sqs"))
    gaps = trail_gaps(now)
    assert [one.blind for one in gaps] == [Blind.READ, Blind.DATA, Blind.DATA, Blind.DATA, Blind.NETWORK]
    left = len(gaps)
    for gap in gaps:
        selectors = tuple(
            Selector(one.get("Name", ""), tuple(Field(f["Field"], tuple(f["Equals"])) for f in one["FieldSelectors"]))
            for one in json.loads(gap.command[-1])
            if all("Equals" in field for field in one["FieldSelectors"])
        )
        after = trail_gaps(replace(now, trails=(replace(begun, basic=(), advanced=selectors),)))
        assert len(after) < left
        left = len(after)
    assert left == 0


def test_a_command_keeps_what_the_trail_records_already() -> None:
    some = DataResource("AWS::S3::Object", ("arn:aws:s3:::one/",))
    gap = found(posture(trail("main", BasicSelector("WriteOnly", data=(some,)))))[Blind.READ]
    assert "arn:aws:s3:::one/" in gap.command[-1]


def test_aws_takes_the_commands_selectors(aws: Aws) -> None:
    scenes.trail("main", IsMultiRegionTrail=True)
    scenes.select("main", EventSelectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}])
    gaps = trail_gaps(scenes.read())
    scenes.select("main", AdvancedEventSelectors=json.loads(gaps[-1].command[-1]))
    (mended,) = scenes.read().trails or ()
    assert takes(mended, {"eventCategory": "Management", "readOnly": "true"}) is Takes.ALL
    assert not [one for one in trail_gaps(scenes.read()) if one.blind in (Blind.READ, Blind.DATA)]


@pytest.mark.parametrize(
    ("home", "is_multi_region", "has_global_events", "is_blind"),
    [
        (REGION, True, True, False),
        (REGION, True, False, True),
        (REGION, False, True, True),
        (LEADER, False, True, False),
    ],
)
def test_global_services_are_seen_by_trails_of_all_regions_or_of_the_first(
    home: str, is_multi_region: bool, has_global_events: bool, is_blind: bool
) -> None:
    made = trail("main", ALL, home=home, is_multi_region=is_multi_region, has_global_events=has_global_events)
    assert (Blind.GLOBAL in found(posture(made))) is is_blind


def test_regions_without_a_trail_are_named_where_somebody_acts() -> None:
    gap = found(posture(trail("main", ALL, home=LEADER, is_multi_region=False)), "ap-south-1")[Blind.REGION]
    assert gap.regions == ("ap-south-1", REGION)
    assert "--is-multi-region-trail" in gap.command
    assert Blind.REGION not in found(posture(trail("main", ALL)), "ap-south-1")


@pytest.mark.parametrize(
    ("services", "named"), [(("s3", "sqs"), ["s3"]), (("sqs",), []), (("kms", "ec2"), ["ec2", "kms"])]
)
def test_network_activity_is_asked_for_where_there_are_endpoints(services: tuple[str, ...], named: list[str]) -> None:
    gap = found(posture(trail("main", ALL), services=services)).get(Blind.NETWORK)
    assert [one for one in ("ec2", "kms", "s3", "sqs") if gap and f"{one}.amazonaws.com" in gap.unseen] == named


def test_an_organization_wants_a_trail_of_its_own_made_by_its_manager() -> None:
    member = posture(trail("main", ALL), organization=Organization("o-exampleorg1", "444455556666"))
    gap = found(member)[Blind.ORGANIZATION]
    assert (gap.command, gap.owner) == ((), "444455556666")
    manager = replace(member, organization=Organization("o-exampleorg1", ACCOUNT))
    assert "--is-organization-trail" in found(manager)[Blind.ORGANIZATION].command
    assert found(replace(member, trails=(trail("main", ALL, is_organization=True),))) == {}
    assert found(replace(member, organization=Organization())) == {}


def shown(*records: RawRecord, seen: dict[Covered, Seen] | None = None) -> dict[Blind, Gap]:
    return {one.blind: one for one in coverage_gaps(ledger_of(records), seen)}


OBJECT = {"event": "GetObject", "source": "s3.amazonaws.com"}
BEFORE = use_record(
    instance="i-0123456789abcdef1", time="2026-05-04T09:00:00Z", issued=None, key="ASIAEXAMPLEKEY000009", **OBJECT
)


def test_a_key_that_came_while_records_were_read_shows_that_its_issuance_is_not_recorded() -> None:
    gap = shown(BEFORE, use_record())[Blind.ISSUANCE]
    assert gap.sign is Sign.RECORDS
    assert gap.unseen.startswith("1 key of instances came while records were read")
    assert Blind.ISSUANCE not in shown(BEFORE, issuance_record(), use_record())


def test_a_key_used_longer_after_the_first_record_than_any_key_lives_came_in_between() -> None:
    late, soon = (use_record(time=f"2026-05-04T{time}Z", issued=None) for time in ("21:00:01", "20:59:59"))
    assert Blind.ISSUANCE in shown(BEFORE, late)
    assert Blind.ISSUANCE not in shown(BEFORE, soon)


def test_a_key_from_before_the_records_proves_nothing() -> None:
    assert Blind.ISSUANCE not in shown(use_record(**OBJECT))


def test_a_key_that_no_metadata_service_handed_out_proves_nothing() -> None:
    assert Blind.ISSUANCE not in shown(BEFORE, use_record(delivery=None, address="203.0.113.66"))


def test_data_events_that_nobody_made_are_told_as_not_seen_and_no_more() -> None:
    gap = shown(use_record())[Blind.DATA]
    assert (gap.sign, gap.command) == (Sign.RECORDS, ())
    assert Blind.DATA not in shown(use_record(**OBJECT))


def test_writing_calls_alone_hint_at_a_trail_of_writes() -> None:
    write = use_record(event="CreateTags", source="ec2.amazonaws.com", issued=None)
    assert Blind.READ in shown(write)
    assert Blind.READ not in shown(write, use_record())
    assert Blind.READ not in shown(write, issuance_record())


def test_what_kinds_of_records_were_read_counts_more_than_calls() -> None:
    seen = {Covered(ACCOUNT, REGION, kind): Seen("2026-05-04T09:00:00Z", "2026-05-04T10:00:00Z") for kind in Kind}
    records = issuance_record(), use_record()
    assert shown(*records, seen=seen) == {}
    del seen[Covered(ACCOUNT, REGION, Kind.DATA)]
    assert set(shown(*records, seen=seen)) == {Blind.DATA}


def test_an_account_whose_own_records_were_not_read_is_named() -> None:
    foreign = use_record(recipientAccountId="444455556666", **OBJECT)
    assert shown(foreign)[Blind.ACCOUNT].account == ACCOUNT
    assert Blind.ACCOUNT not in shown(use_record(**OBJECT))


def test_a_region_where_instances_run_and_nothing_was_read_is_named() -> None:
    running = with_machines(machine(region="ap-south-1"), machine("i-0123456789abcdef1"))
    (gap,) = coverage_gaps(ledger_of([use_record(**OBJECT)]), postures=[running])
    assert (gap.blind, gap.regions) == (Blind.REGION, ("ap-south-1",))


def test_a_simulated_company_whose_trail_records_all_shows_no_missing_issuance() -> None:
    records = [json.loads(json.dumps(one)) for one in simulate(seed=4, hours=2, instances=20, thefts=2).records]
    assert Blind.ISSUANCE not in {one.blind for one in coverage_gaps(ledger_of(records))}
    without = [one for one in records if one["eventName"] != "AssumeRole"]
    assert Blind.ISSUANCE in {one.blind for one in coverage_gaps(ledger_of(without))}
