"""What a pin denies, held against its specification in plain words; and what is denied of all a thief made."""

import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from straykey.contain.pattern import Said
from straykey.contain.plan import Option
from straykey.contain.policy import Answer, Gap, Request, judge_call, read_policy
from straykey.core.network import Lane, Network, network_of
from tests.contain.thefts import (
    ACCOUNT,
    ARN,
    ENDPOINT,
    INSTANCE,
    NAT,
    NAT_V6,
    OWN_IP,
    OWN_VPC,
    ROLE_ID,
    SISTER,
    THIEF,
    account,
    answers,
    as_role,
    caller,
    heirs,
    made,
    plan_of,
    theft,
)

# Pin.


def test_a_pin_lets_homes_of_every_kind_through_and_nothing_else() -> None:
    plan = plan_of(Option.PIN, theft(homes=(NAT, NAT_V6, ENDPOINT)))
    for home in (NAT, NAT_V6, ENDPOINT, network_of("s3.amazonaws.com")):
        assert answers(plan, home) is Answer.ALLOWED
    strange = ("203.0.113.66", "2001:db8:1000::11", "10.0.0.9")
    others = [
        network_of("10.0.0.5", "vpce-0bbbbbbbbbbbbbbb2", "444455556666"),
        network_of("10.0.0.9", ENDPOINT.endpoint, ACCOUNT),
    ]
    for stray in [*map(network_of, strange), *others]:
        assert answers(plan, stray) is Answer.DENIED


def test_a_pin_denies_a_call_that_names_no_network_unless_a_service_makes_it() -> None:
    plan = plan_of(Option.PIN)
    (deny,) = plan.denies
    for via, answer in (("false", Answer.DENIED), ("true", Answer.ALLOWED)):
        context: dict[str, Said] = {"ec2:SourceInstanceARN": ARN, "aws:ViaAWSService": via}
        assert judge_call(read_policy(deny.document), Request("s3:GetObject", (), context)).answer is answer


def test_a_pin_leaves_the_sisters_alone() -> None:
    plan = plan_of(Option.PIN)
    assert answers(plan, THIEF, **{"ec2:SourceInstanceARN": SISTER}) is Answer.ALLOWED


def test_where_the_keys_name_no_instance_the_session_is_known_by_its_name() -> None:
    pod = as_role(
        theft(), arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/web-role/shop", instance="", is_delivered_by_ec2=False
    )
    for stolen, user in (
        (as_role(pod, user_id=f"{ROLE_ID}:shop"), f"{ROLE_ID}:shop"),
        (as_role(pod, user_id=""), "AROAANYTHING000000000:shop"),
        (as_role(pod, user_id=f"{ROLE_ID}:else"), "AROAANYTHING000000000:shop"),
    ):
        plan = plan_of(Option.PIN, stolen)
        gone: dict[str, Said] = {"ec2:SourceInstanceARN": ()}
        assert answers(plan, THIEF, **gone, **{"aws:userid": user}) is Answer.DENIED
        assert answers(plan, NAT, **gone, **{"aws:userid": user}) is Answer.ALLOWED
        assert answers(plan, THIEF, **gone, **{"aws:userid": f"{ROLE_ID}:other"}) is Answer.ALLOWED


def test_a_key_the_thief_got_himself_under_the_instances_name_is_pinned_though_it_names_no_instance() -> None:
    stolen = theft()
    plan = plan_of(Option.PIN, replace(stolen, thief=replace(stolen.thief, is_delivered_by_ec2=False)))
    bare: dict[str, Said] = {"ec2:SourceInstanceARN": ()}
    assert answers(plan, THIEF, **bare) is Answer.DENIED
    assert answers(plan, NAT) is Answer.ALLOWED


def test_a_private_address_without_an_endpoint_may_use_any_but_the_thiefs() -> None:
    home = network_of("10.0.0.5")
    stray = network_of("10.0.0.5", "vpce-0bbbbbbbbbbbbbbb2", "444455556666")
    plan = plan_of(Option.PIN, theft(homes=(home,), strays=(stray,)))
    assert answers(plan, network_of("10.0.0.5", "vpce-0ccccccccccccccc3", ACCOUNT)) is Answer.ALLOWED
    assert answers(plan, stray) is Answer.DENIED
    assert answers(plan, network_of("10.0.0.6")) is Answer.DENIED
    assert answers(plan, NAT) is Answer.DENIED
    assert any("10.0.0.5" in limit for limit in plan.limits)


def test_endpoints_of_the_home_vpc_may_be_used_that_never_were() -> None:
    read = account()
    more = tuple(replace(one, id="vpce-0ddddddddddddddd4") for one in read.endpoints)
    elsewhere = tuple(replace(one, id="vpce-0eeeeeeeeeeeeeee5", vpc="vpc-0fffffffffffffff6") for one in read.endpoints)
    plan = plan_of(Option.PIN, theft(), replace(read, endpoints=(*read.endpoints, *more, *elsewhere)))
    assert answers(plan, network_of("10.0.0.5", "vpce-0ddddddddddddddd4", ACCOUNT)) is Answer.ALLOWED
    assert answers(plan, network_of("10.0.0.9", "vpce-0ddddddddddddddd4", ACCOUNT)) is Answer.DENIED
    assert answers(plan, network_of("10.0.0.5", "vpce-0eeeeeeeeeeeeeee5", ACCOUNT)) is Answer.DENIED


UNSEEN = network_of(OWN_IP, "vpce-0ccccccccccccccc3", ACCOUNT)
AT_HOME: dict[str, Said] = {"aws:SourceVpc": OWN_VPC}


def test_the_instances_own_address_in_its_own_vpc_is_home_though_no_log_shows_it() -> None:
    """Objects of S3 behind a gateway endpoint are in no log where data events are off."""
    plan = plan_of(Option.PIN, theft(homes=(NAT,)))
    assert answers(plan, UNSEEN, **AT_HOME) is Answer.ALLOWED
    assert answers(plan, UNSEEN) is Answer.DENIED  # the same address in another VPC
    assert answers(plan, network_of("10.0.200.2", UNSEEN.endpoint, ACCOUNT), **AT_HOME) is Answer.DENIED


def test_where_the_thief_used_an_endpoint_only_those_that_logs_show_are_home_and_that_is_told() -> None:
    stray = network_of("10.9.0.5", "vpce-0bbbbbbbbbbbbbbb2", "444455556666")
    plan = plan_of(Option.PIN, theft(homes=(NAT,), strays=(stray,)))
    assert answers(plan, UNSEEN, **AT_HOME) is Answer.DENIED
    assert any("endpoints that no log shows are denied" in note for note in plan.notes)
    assert not any("endpoints that no log shows" in note for note in plan_of(Option.PIN, theft(homes=(NAT,))).notes)


def test_where_no_home_is_known_a_pin_denies_all_and_says_so() -> None:
    plan = plan_of(Option.PIN, theft(homes=()))
    for network in (NAT, NAT_V6, ENDPOINT, THIEF, network_of("10.0.0.5")):
        assert answers(plan, network) is Answer.DENIED
    assert any("No home" in note for note in plan.notes)


def test_neighbouring_addresses_are_told_as_one_range_that_holds_no_other() -> None:
    homes = tuple(network_of(f"198.18.0.{last}") for last in (4, 5, 6, 7, 9))
    (deny,) = plan_of(Option.PIN, theft(homes=homes)).denies
    first = json.loads(deny.document)["Statement"][0]
    assert first["Condition"]["NotIpAddress"] == {"aws:SourceIp": ["198.18.0.4/30", "198.18.0.9/32"]}


def test_a_home_whose_endpoint_has_no_proper_name_stands_in_the_way() -> None:
    plan = plan_of(Option.PIN, theft(homes=(NAT, network_of("10.0.0.5", 'vpce-"*', ACCOUNT))))
    assert plan.troubles
    assert '"*' not in plan.denies[0].document.replace('"*"', "")


ADDRESSES = st.integers(0, 3)
PUBLIC = ADDRESSES.map(lambda n: network_of(f"198.18.0.{n}"))
V6 = ADDRESSES.map(lambda n: network_of(f"2001:db8:1000::{n}"))
AT_ENDPOINT = st.builds(lambda n, e: network_of(f"10.0.0.{n}", f"vpce-0000000{e}", ACCOUNT), ADDRESSES, ADDRESSES)
BARE = ADDRESSES.map(lambda n: network_of(f"10.0.0.{n}"))
NETWORKS = st.one_of(PUBLIC, V6, AT_ENDPOINT, BARE)


def is_let_through(homes: set[Network], strays: set[Network], call: Network) -> bool | None:
    """Whether a pin must let the call through, in plain words of its specification; None where nobody can tell.

    An endpoint home may use any home endpoint, a home of which no log names the endpoint any that is not the thief's.
    """
    if call in homes:
        return True
    if call in strays and call.lane is not Lane.PRIVATE:
        return False
    if call.lane in (Lane.PUBLIC, Lane.PUBLIC_V6):
        return False
    unnamed = {home.address for home in homes if home.lane is Lane.PRIVATE}
    within = unnamed | {home.address for home in homes if home.lane is Lane.ENDPOINT}
    if call.address not in within:
        return False
    if call.lane is Lane.PRIVATE:
        return None  # its endpoint is not named
    return call.address in unnamed or call.endpoint in {home.endpoint for home in homes}


@given(st.sets(NETWORKS, max_size=5), st.sets(NETWORKS, max_size=5), NETWORKS)
def test_a_pin_denies_exactly_what_is_not_from_home(homes: set[Network], strays: set[Network], call: Network) -> None:
    strays -= homes
    plan = plan_of(Option.PIN, theft(homes=tuple(sorted(homes)), strays=tuple(sorted(strays))))
    assert not plan.troubles
    expected = is_let_through(homes, strays, call)
    answer = answers(plan, call)
    if expected is True and call.lane is Lane.PRIVATE:
        assert answer is not Answer.DENIED  # at a thief's endpoint it would be
    elif expected is not None:
        assert answer is (Answer.ALLOWED if expected else Answer.DENIED)
    assert answers(plan, call, **{"aws:ViaAWSService": "true"}) is Answer.ALLOWED
    assert answers(plan, call, **{"ec2:SourceInstanceARN": SISTER}) is Answer.ALLOWED


# Everywhere.


def test_sessions_the_thief_made_are_denied_as_far_as_they_were_issued_before() -> None:
    plan = plan_of(Option.PIN_EVERYWHERE, theft(**heirs()), account())
    (deny,) = (one for one in plan.denies if one.role == "admin")
    policy = read_policy(deny.document)
    for user, issued, answer in (
        ("AROAEXAMPLEROLEID0002:loot", "2026-05-04T10:41:00Z", Answer.DENIED),
        ("AROAEXAMPLEROLEID0002:loot", "2026-05-04T10:41:01Z", Answer.ALLOWED),
        ("AROAEXAMPLEROLEID0002:deploy", "2026-05-04T10:00:00Z", Answer.ALLOWED),
    ):
        context: dict[str, Said] = {"aws:userid": user, "aws:TokenIssueTime": issued}
        assert judge_call(policy, Request("s3:GetObject", (), context)).answer is answer
    assert [step.call.parameters["RoleName"] for step in plan.steps] == ["web-role", "admin"]


def test_a_console_session_of_the_stolen_one_is_pinned_though_it_names_no_instance() -> None:
    for known in (f"{ROLE_ID}:{INSTANCE}", ""):
        plan = plan_of(Option.PIN_EVERYWHERE, as_role(theft(**heirs()), user_id=known), account())
        console: dict[str, Said] = {"ec2:SourceInstanceARN": ()}
        assert answers(plan, THIEF, **console) is Answer.DENIED
        assert answers(plan, THIEF) is Answer.DENIED
        assert answers(plan, NAT, **console) is Answer.ALLOWED
    unknown: dict[str, Said] = {"aws:userid": Gap.PRESENT}
    assert answers(plan, THIEF, **unknown) is Answer.DENIED
    assert answers(plan, NAT, **unknown) is Answer.ALLOWED


def test_another_session_of_the_same_role_is_denied_in_the_same_policy() -> None:
    plan = plan_of(Option.PIN_EVERYWHERE, theft(heirs=(caller("web-role", "loot"),)), account())
    (deny,) = plan.denies
    context: dict[str, Said] = {"aws:userid": f"{ROLE_ID}:loot", "aws:TokenIssueTime": "2026-05-04T10:00:00Z"}
    assert judge_call(read_policy(deny.document), Request("s3:GetObject", (), context)).answer is Answer.DENIED
    assert len(plan.steps) == 1


def test_what_credentials_of_this_account_cannot_mend_is_listed_for_a_person() -> None:
    plan = plan_of(Option.PIN_EVERYWHERE, theft(**heirs()), account())
    assert not any(one.account == "444455556666" for one in plan.denies)
    told = "\n".join(plan.manual)
    assert "In account 444455556666" in told
    assert "aws iam update-access-key --user-name backup --access-key-id AKIAEXAMPLEKEY000001 --status Inactive" in told
    assert "aws iam delete-user --user-name backup" in told


def test_a_hostile_name_in_a_manual_step_is_one_word_of_the_shell_and_shows_no_control_character() -> None:
    name = f"arn:aws:iam::{ACCOUNT}:user/x; rm -rf $HOME\x1b[2J"
    (told,) = plan_of(Option.PIN_EVERYWHERE, theft(created=(made("iam:CreateUser", name),))).manual
    assert "--user-name 'x; rm -rf $HOME\\x1b[2J'" in told
    assert "\x1b" not in told


def test_heirs_that_no_policy_can_name_are_in_none() -> None:
    odd = caller("admin", "loot", arn=f'arn:aws:sts::{ACCOUNT}:assumed-role/admin/*"')
    plan = plan_of(Option.PIN_EVERYWHERE, theft(heirs=(odd,)), account())
    assert [one.role for one in plan.denies] == ["web-role"]
