"""What a document would have done to recorded calls: how many, of whom, and what the answer hangs on."""

from straykey.contain.theft import Called
from straykey.core.network import network_of
from straykey.harden.packing import control_policies
from straykey.harden.perimeter import Artifact, Kind, Level, endpoint_policy, role_policy
from straykey.harden.rehearsal import Count, OfRole, Rehearsal, has_doorway
from straykey.harden.worker import Places, Worker, footprint_of
from tests.harden.workers import (
    ACCOUNT,
    BATCH,
    FOREIGN,
    GATE,
    HUB,
    INSIDE,
    OTHER,
    PUBLIC,
    THIEF,
    VPC,
    called,
    footprint,
    worker,
)

PLACES = Places(endpoints={GATE: VPC, FOREIGN: "vpc-0fffffffffffffff9"})


def of_role(artifact: Artifact, *workers: Worker, places: Places = PLACES) -> OfRole:
    (found,) = Rehearsal([artifact], places).of_role(list(workers))
    assert found is not None
    return found


def strict(*calls: Called, thiefs: tuple[Called, ...] = (), places: Places = PLACES) -> OfRole:
    """Put to the role policy that lets nothing through but its VPC."""
    return of_role(role_policy(footprint(), Level.INSTANCE), worker(*calls, thiefs=thiefs), places=places)


def control(kind: Kind) -> Artifact:
    return control_policies(kind, [footprint()], Level.INSTANCE, ()).artifacts[0]


def test_denied_calls_are_counted_apart_for_the_role_and_for_the_thief() -> None:
    found = strict(called(), called(network=INSIDE), thiefs=(called(network=THIEF),))
    assert (found.home.calls, found.home.denied, found.thief.calls, found.thief.denied) == (2, 1, 1, 1)
    assert (found.account, found.role) == (ACCOUNT, "web-role")


def test_equal_calls_are_told_once_with_how_many_they_are() -> None:
    many = [called(event_id=str(one), time=f"2026-05-04T10:00:{one:02}Z") for one in range(9)]
    found = strict(*many, called("sqs:SendMessage")).home
    assert (found.calls, found.denied) == (10, 10)
    assert [(one.call, one.count) for one in found.refused] == [("s3:GetObject", 9), ("sqs:SendMessage", 1)]


def test_calls_that_no_policy_denies_or_that_were_denied_when_made_are_not_put() -> None:
    never = called("sts:GetCallerIdentity")
    refused = [called(error=one) for one in ("AccessDenied", "Client.UnauthorizedOperation", "AccessDeniedException")]
    assert strict(never, *refused, thiefs=(never,)) == OfRole(ACCOUNT, "web-role", Count(), Count())


def test_calls_that_failed_for_another_reason_would_be_denied_as_well() -> None:
    assert strict(called(error="NoSuchKey")).home.denied == 1


def test_where_nobody_says_whose_an_endpoint_is_the_answer_is_unknown_and_hangs_on_its_vpc() -> None:
    found = strict(called(network=INSIDE), places=Places()).home
    assert (found.calls, found.denied, found.unknown) == (1, 0, 1)
    assert "aws:SourceVpc" in found.hangs_on
    assert [one.call for one in found.unsure] == ["s3:GetObject"]


def test_through_an_endpoint_of_another_vpc_a_key_is_worth_nothing() -> None:
    elsewhere = network_of("10.9.0.5", FOREIGN, OTHER)
    assert strict(thiefs=(called(network=elsewhere),)).thief.denied == 1


def test_what_a_service_does_on_behalf_is_not_denied() -> None:
    assert strict(called(network=network_of("athena.amazonaws.com"))).home.denied == 0


def test_a_document_about_others_says_nothing_of_a_role() -> None:
    rehearsal = Rehearsal([role_policy(footprint(), Level.NETWORK), control(Kind.SCP)], PLACES)
    assert [one is None for one in rehearsal.of_role([worker(called(), role="batch")])] == [True, False]
    assert [one is None for one in rehearsal.of_role([worker(called(), account=OTHER)])] == [True, True]


def test_an_rcp_is_put_to_calls_of_guarded_services_only_and_the_others_pass() -> None:
    found = of_role(control(Kind.RCP), worker(called(), called("sns:Publish"), called("ecr:BatchGetImage"))).home
    assert (found.calls, found.denied) == (3, 2)


def test_an_endpoints_policy_is_put_to_what_came_through_it_only() -> None:
    policy = endpoint_policy(VPC, [GATE], [], [ACCOUNT])
    home = worker(called(), called(network=INSIDE))
    assert of_role(policy, home).home.denied == 0
    assert of_role(policy, worker(called(), called(network=INSIDE), vpc=HUB)).home.denied == 1
    through_another = network_of("10.0.0.5", FOREIGN, "")
    assert of_role(policy, worker(called(network=through_another), vpc=HUB)).home.denied == 0


def test_a_denied_call_that_an_endpoint_would_save_is_told_as_such() -> None:
    found = strict(called(), called("iam:GetRole"), called(region="us-east-1")).home
    assert (found.denied, found.by_endpoint) == (3, 1)


def test_only_a_public_call_to_a_near_service_with_an_endpoint_has_a_doorway() -> None:
    caller = worker().home
    cases = [called(), called(region=""), called(network=INSIDE), called("iam:GetRole"), called("kafka2:Odd")]
    assert [has_doorway(caller, one) for one in cases] == [True, True, False, False, False]


def test_the_kinds_told_are_the_most_frequent_and_the_sums_are_of_all() -> None:
    kinds = [called(f"sqs:Call{one}", event_id=str(n)) for one in range(30) for n in range(one + 1)]
    found = strict(*kinds).home
    assert found.denied == sum(range(31))
    assert [one.count for one in found.refused] == list(range(30, 10, -1))


def test_calls_of_an_exempted_tag_are_not_rehearsed_as_unknown() -> None:
    found = of_role(control(Kind.SCP), worker(called(network=PUBLIC))).home
    assert (found.denied, found.unknown) == (1, 0)


def test_workers_of_one_role_are_added_up() -> None:
    found = of_role(role_policy(footprint(), Level.INSTANCE), worker(called()), worker(called(), instance=BATCH))
    assert found.home.denied == 2


def test_a_policy_made_of_what_was_recorded_breaks_none_of_it() -> None:
    some = [worker(called(), called(network=INSIDE)), worker(called(), instance=BATCH)]
    found = of_role(role_policy(footprint_of(some), Level.NETWORK), *some)
    assert (found.home.denied, found.home.unknown) == (0, 0)
