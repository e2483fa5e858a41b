"""Whose keys came by IMDSv1, what would fail without them, and in which order they go."""

import json
from collections import Counter
from collections.abc import Iterable

import pytest
from msgspec import to_builtins

from straykey.core.evidence import Bounds
from straykey.core.judge import judge
from straykey.core.ranges import parse_ranges
from straykey.core.session import parse_session
from straykey.core.settings import Settings
from straykey.harden.imds import Allows, Denial, Host, Survey, survey
from straykey.harden.imds_plan import Measure, Step, plan
from straykey.harden.posture import Defaults, Posture
from straykey.sim.scenario import simulate
from tests.conftest import Golden
from tests.harden.machines import ACCOUNT, IDLE, REGION, ROLE_ARN, WEB, machine, posture
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import findings_of, ledger_of

OLD, NEW = "ASIAEXAMPLEKEY000001", "ASIAEXAMPLEKEY000002"
LATER = "2026-05-04T11:00:00Z"
OTHER = "i-0123456789abcdef1"
ANCIENT = "aws-sdk-go/1.23.0 (go1.12; linux; amd64)"


def v1(**more: str) -> RawRecord:
    return use_record(**{"delivery": "1.0", "key": OLD, "agent": ANCIENT} | more)


def v2(**more: str) -> RawRecord:
    return use_record(**{"delivery": "2.0", "key": NEW} | more)


def surveyed(*records: RawRecord, postures: Iterable[Posture] = (), bounds: Bounds | None = None) -> Survey:
    return survey(ledger_of(records, bounds), findings_of(*records), postures)


def host(found: Survey, identity: str = WEB) -> Host:
    return next(one for role in found.roles for one in role.hosts if one.id == identity)


def measures(*records: RawRecord, postures: Iterable[Posture] = ()) -> dict[Step, Measure]:
    known = tuple(postures)
    return {one.step: one for one in plan(surveyed(*records, postures=known), known)}


def test_calls_of_both_versions_are_told_apart_with_who_made_them() -> None:
    found = host(survey(ledger_of([v1(), v1(time=LATER), v2(address="198.18.0.11")])))
    assert found.v1 is not None
    assert found.v2 is not None
    assert (found.v1.calls, found.v1.first, found.v1.last) == (2, "2026-05-04T10:00:00Z", LATER)
    assert [one.user_agent for one in found.v1.agents] == [ANCIENT]
    assert (found.v2.calls, [one.family for one in found.v2.agents]) == (1, ["aws-cli"])


def test_what_the_records_do_not_prove_is_counted_apart() -> None:
    found = host(surveyed(v1(), v2()))
    assert (found.unknown_calls, found.stray_v1_calls) == (2, 0)
    assert found.v1 is not None
    assert found.v1.is_estimate


def test_a_thiefs_use_of_a_v1_key_is_not_the_instances() -> None:
    records = [issuance_record(key=OLD), issuance_record(key=NEW)]
    records += [v2(time=f"2026-05-04T10:{minute}:00Z") for minute in range(10, 50, 5)]
    found = host(surveyed(*records, v1(address="203.0.113.66", agent="curl/8", time="2026-05-04T10:31:00Z")))
    assert (found.v1, found.stray_v1_calls) == (None, 1)


def test_two_keys_in_one_second_show_that_v1_was_allowed() -> None:
    twins = [issuance_record(key=OLD), issuance_record(key=NEW)]
    assert host(surveyed(*twins, v2())).allows_v1 is Allows.LIKELY
    assert host(surveyed(twins[1], v2())).allows_v1 is Allows.UNKNOWN


@pytest.mark.parametrize(
    ("tokens", "is_on", "allowed"),
    [("optional", True, Allows.YES), ("required", True, Allows.NO), ("optional", False, Allows.NO)],
)
def test_what_the_account_says_of_an_instance_counts(tokens: str, is_on: bool, allowed: Allows) -> None:
    set_up = posture(machine(tokens=tokens, is_on=is_on, hops=3))
    found = host(surveyed(v1(), postures=[set_up]))
    assert (found.allows_v1, found.hop_limit, found.is_metadata_on) == (allowed, 3, is_on)


def test_an_instance_that_used_nothing_is_told_with_its_role() -> None:
    (role,) = surveyed(v2(), postures=[posture(machine(), machine(IDLE))]).roles
    assert (role.role, role.role_arn, [one.id for one in role.hosts]) == ("web-role", ROLE_ARN, [WEB, IDLE])
    assert (role.hosts[1].v1, role.hosts[1].v2, role.hosts[1].allows_v1) == (None, None, Allows.YES)


def test_an_instance_that_the_account_no_longer_has_is_gone() -> None:
    issued = issuance_record(key=NEW)
    assert host(surveyed(issued, v2(), postures=[posture()])).is_gone
    unread = Posture(ACCOUNT, unread=("instances in eu-west-1: access denied",))
    assert not host(surveyed(issued, v2(), postures=[unread])).is_gone


def test_what_a_deny_would_break_is_counted_by_call_and_role() -> None:
    (role,) = surveyed(
        *(v1(time=f"2026-05-04T10:00:{second}Z") for second in range(10, 13)),
        v1(event="GetItem", source="dynamodb.amazonaws.com", error="AccessDenied"),
        v1(event="GetCallerIdentity", source="sts.amazonaws.com"),
        v1(instance=OTHER, time=LATER),
    ).roles
    assert role.denials == (
        Denial("s3:ListBuckets", 4, 0, "2026-05-04T10:00:10Z"),
        Denial("dynamodb:GetItem", 1, 1, "2026-05-04T10:00:00Z"),
    )
    assert (role.denied_calls, role.is_estimate, role.unknown_calls) == (5, False, 0)


def test_beyond_the_sample_calls_are_estimated_and_said_to_be() -> None:
    records = [v1(time=f"2026-05-04T10:{minute:02}:{second:02}Z") for minute in range(10) for second in range(60)]
    (role,) = surveyed(*records).roles
    assert role.is_estimate
    assert 300 < role.denied_calls < 1200


def test_of_ec2s_own_identity_role_nothing_can_be_denied() -> None:
    (role,) = surveyed(v1(role="aws:ec2-instance")).roles
    assert (role.is_deniable, role.denials) == (False, ())
    assert role.hosts[0].v1 is not None


def test_containers_show_by_what_nodes_do_and_by_user_agents() -> None:
    node = v2(event="RegisterContainerInstance", source="ecs.amazonaws.com", agent="boto3/1.34 exec-env/AWS_ECS_EC2")
    assert host(surveyed(node)).container_signs == ("AWS_ECS_EC2", "ecs:RegisterContainerInstance")
    assert host(surveyed(v2())).container_signs == ()


def test_tokens_are_required_where_no_v1_key_was_used_and_nowhere_else() -> None:
    found = measures(v1(), v2(instance=OTHER), postures=[posture(machine(), machine(OTHER), machine(IDLE))])
    commands = found[Step.REQUIRE].commands
    assert [command[command.index("--instance-id") + 1] for command in commands] == [OTHER, IDLE]
    assert commands[0] == (
        *("aws", "ec2", "modify-instance-metadata-options", "--region", REGION, "--instance-id", OTHER),
        *("--http-tokens", "required", "--http-endpoint", "enabled"),
    )
    assert [command[-3] for command in found[Step.REQUIRE].undo] == ["optional", "optional"]
    assert ANCIENT in found[Step.UPDATE].notes[0]
    assert "too old to ask for a token" in found[Step.UPDATE].notes[0]


def test_a_metadata_service_that_is_off_is_not_turned_on() -> None:
    assert Step.REQUIRE not in measures(v2(), postures=[posture(machine(is_on=False))])
    issued = issuance_record(instance=IDLE, key=NEW)
    assert Step.REQUIRE not in measures(issued)  # nobody knows whether it is on


def test_instances_whose_calls_are_not_told_apart_are_left_alone() -> None:
    assert Step.REQUIRE not in measures(v1(), v2(), postures=[posture(machine())])
    silent = use_record(delivery=None, key="ASIAEXAMPLEKEY000003", address="ec2.amazonaws.com")
    assert Step.REQUIRE not in measures(v2(), silent, postures=[posture(machine())])
    assert Step.REQUIRE in measures(v2(), postures=[posture(machine())])


def test_containers_behind_one_hop_get_another_before_tokens_are_required() -> None:
    node = v2(event="SubmitTaskStateChange", source="ecs.amazonaws.com")
    found = measures(node, postures=[posture(machine(hops=1))])
    assert Step.REQUIRE not in found
    assert found[Step.HOPS].commands[0][-4:] == ("--http-put-response-hop-limit", "2", "--http-endpoint", "enabled")
    assert Step.REQUIRE in measures(node, postures=[posture(machine(hops=2))])


def test_the_metric_is_looked_at_before_anything_is_switched() -> None:
    steps = list(measures(v1(), v2(instance=OTHER), postures=[posture(machine(), machine(OTHER))]))
    assert steps[:2] == [Step.LOOK, Step.REQUIRE]
    assert steps == sorted(steps, key=list(Step).index)


@pytest.mark.parametrize(
    ("defaults", "undone"),
    [
        (Defaults(), ["no-preference"]),
        (Defaults(http_tokens="optional"), ["optional"]),
        (Defaults(http_tokens="required"), []),
        (Defaults(http_tokens="optional", managed_by="declarative-policy"), []),
    ],
)
def test_the_default_is_changed_where_the_account_may_and_taken_back_to_what_it_was(
    defaults: Defaults, undone: list[str]
) -> None:
    found = measures(v2(), postures=[posture(machine(), defaults=defaults)]).get(Step.DEFAULT)
    assert [command[-1] for command in found.undo] == undone if found else not undone


def test_an_account_of_no_organization_has_nothing_to_declare() -> None:
    assert Step.DECLARE in measures(v2(), postures=[posture(machine())])
    assert Step.DECLARE not in measures(v2(), postures=[posture(machine(), organization="")])


def test_the_deny_comes_last_and_says_whom_it_would_have_hit() -> None:
    found = measures(*(v1(time=f"2026-05-04T10:00:{second}Z") for second in range(10, 22)))
    assert list(found)[-1] is Step.DENY
    assert "would have denied 12 calls of 1 role" in found[Step.DENY].text
    assert f"web-role in {ACCOUNT}: s3:ListBuckets 12" in found[Step.DENY].notes
    assert "would have denied no call" in measures(v2())[Step.DENY].text


def test_what_comes_from_logs_gets_into_no_command_and_acts_on_no_terminal() -> None:
    evil = "i-0123456789abcdef0 --profile x; \x1b[2J"
    found = measures(v1(agent="\x1b]0;x\x07 evil"), v1(instance=evil), v2(instance=evil, awsRegion="eu; reboot"))
    said = repr([(one.text, one.notes) for one in found.values()])
    assert "\\x1b" in said
    assert all(char.isprintable() for one in found.values() for text in (one.text, *one.notes) for char in text)
    assert not [part for one in found.values() for command in one.commands for part in command if "profile x" in part]


def test_a_plan_reads_like_this(golden: Golden) -> None:
    ancient = [v1(time=f"2026-05-04T10:00:{second}Z") for second in range(10, 22)]
    node = v2(instance="i-0123456789abcdef2", event="RegisterContainerInstance", source="ecs.amazonaws.com")
    set_up = posture(
        machine(), machine(OTHER), machine("i-0123456789abcdef2", hops=1), machine(IDLE), defaults=Defaults()
    )
    records = [*ancient, v2(instance=OTHER), node]
    measures = plan(surveyed(*records, postures=[set_up]), [set_up])
    golden("tests/golden/harden/imds.plan.json", json.dumps(to_builtins(measures), indent=1) + "\n")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_a_simulated_world_the_calls_foretold_are_those_that_carry_v1(seed: int) -> None:
    scenario = simulate(seed=seed, hours=2, instances=40, thefts=6)
    records = [json.loads(json.dumps(one)) for one in scenario.records]
    many = Bounds(events=100_000)
    ledger = ledger_of(records, many)
    findings = judge(ledger, Settings(), parse_ranges(json.dumps(scenario.ip_ranges).encode()))
    stray = {(one.session.arn, one.stray.address) for one in findings if "CredentialExfiltration" in one.type.value}
    truth: Counter[tuple[str, str]] = Counter()
    for record in {one["eventID"]: one for one in records}.values():
        identity = record["userIdentity"]
        session = parse_session(identity.get("arn", ""))
        if session is None or identity.get("sessionContext", {}).get("ec2RoleDelivery") != "1.0":
            continue
        if (session.arn, record["sourceIPAddress"]) not in stray and record["eventName"] != "GetCallerIdentity":
            truth[session.account, session.role] += session.role != "aws:ec2-instance"
    foretold = {(role.account, role.role): role for role in survey(ledger, findings).roles}
    assert sum(truth.values()) > 0
    for who, role in foretold.items():
        assert role.denied_calls <= truth[who] <= role.denied_calls + role.unknown_calls
        assert not role.is_estimate
