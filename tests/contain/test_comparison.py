"""All options side by side, as a terminal and as a program shows them."""

import json

import msgspec

from straykey.contain import comparison_json, comparison_table
from straykey.contain.comparison import Comparison, compared
from straykey.contain.plan import Option
from straykey.contain.theft import Created
from tests.conftest import ROOT, Golden
from tests.contain.thefts import ACCOUNT, AT, THIEF, account, called, heirs, theft
from tests.formats.test_finding import HOSTILE, on_terminal

PAGE = (ROOT / "docs/contain.md").read_text()


def comparison() -> Comparison:
    return compared(theft(), None, AT)


def test_what_breaks_nothing_and_stops_all_comes_first_and_companions_last() -> None:
    options = [one.plan.option for one in comparison().options]
    assert options[0] is Option.PIN
    assert [one.is_companion for one in options] == sorted(one.is_companion for one in options)
    assert set(options) == set(Option)


def test_the_table(golden: Golden) -> None:
    golden("tests/golden/contain.txt", on_terminal(comparison_table.render(comparison()), width=140))


def test_an_option_without_a_policy_is_not_rehearsed_and_comes_after_those_that_are() -> None:
    found = comparison()
    (ours,) = (one for one in found.options if one.plan.option is Option.VPC_ENDPOINT)
    assert ours.rehearsal is None
    later = [one.plan.option for one in found.options][found.options.index(ours) + 1 :]
    assert all(option.is_companion for option in later)
    assert "not rehearsed" in on_terminal(comparison_table.glance(found), width=140)
    (told,) = (one for one in json.loads(comparison_json.to_document(found))["options"] if not one["rehearsal"])
    assert (told["option"], told["rehearsal"]) == ("vpc-endpoint", None)


def test_where_the_thief_made_things_what_deals_with_them_comes_first_and_the_head_names_them() -> None:
    user = Created("2026-05-04T10:05:00Z", "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/b", "", ACCOUNT, "", "e")
    found = compared(theft(created=(user,)), None, AT)
    assert [one.plan.option for one in found.options[:2]] == [Option.PIN_EVERYWHERE, Option.PIN]
    shown = " ".join(on_terminal(comparison_table.render(found), width=140).split())
    assert f"the thief made one thing with these keys: iam:CreateUser arn:aws:iam::{ACCOUNT}:user/b" in shown
    many = on_terminal(comparison_table.render(compared(theft(created=(user,) * 6), None, AT)), width=500)
    assert "made 6 things" in many
    assert "and 2 more\n" in many


def test_a_long_policy_stands_once_and_alone_each_option_has_its_own_whole() -> None:
    found = compared(theft(created=heirs()["created"]), None, AT)
    shown = on_terminal(comparison_table.render(found), width=200)
    assert shown.count('"Sid": "OtherAddress"') == 1
    assert "As in straykey-pin-everywhere-8f0dba57c309, letter by letter: OtherAddress, OtherEndpoint" in shown
    for one in found.options:
        alone = on_terminal(comparison_table.in_full(one), width=200)
        for deny in one.plan.denies:
            assert all(f'"Sid": "{said["Sid"]}"' in alone for said in json.loads(deny.document)["Statement"])


def test_what_is_not_put_to_the_options_is_said() -> None:
    robbed = theft(sisters_left_out=12)
    asks = called("sts:GetCallerIdentity", THIEF)
    thief = msgspec.structs.replace(robbed.thief, calls=(*robbed.thief.calls, asks))
    found = compared(msgspec.structs.replace(robbed, thief=thief), None, AT)
    shown = on_terminal(comparison_table.render(found), width=140)
    assert "sts:GetCallerIdentity, which no policy denies (1 of the thief's). 12 more sessions of the role." in shown
    document = json.loads(comparison_json.to_document(found))
    assert document["sisters_left_out"] == 12
    assert document["options"][0]["rehearsal"]["thief"]["never_denied"] == 1
    assert "not put" not in on_terminal(comparison_table.render(comparison()), width=140)


def test_calls_that_the_new_endpoints_take_are_not_broken() -> None:
    (ours,) = (one for one in compared(theft(), account(), AT).options if one.plan.option is Option.VPC_ENDPOINT)
    assert ours.rehearsal is not None
    # s3 from the NAT gateway gets an endpoint, sqs has one; iam is global and has none.
    assert [one.call for one in ours.rehearsal.workload.denied_calls] == ["iam:GetRole"]
    assert ours.rehearsal.workload.passed == 3


def test_what_the_thief_wrote_acts_on_no_terminal_and_in_no_program() -> None:
    robbed = theft()
    calls = tuple(msgspec.structs.replace(one, call=f"s3:{HOSTILE}") for one in robbed.thief.calls)
    odd = msgspec.structs.replace(robbed, title=HOSTILE, thief=msgspec.structs.replace(robbed.thief, calls=calls))
    found = compared(odd, None, AT)
    shown = on_terminal(comparison_table.render(found))
    assert "curl" in shown
    assert shown.replace("\n", "").isprintable()
    assert comparison_json.to_document(found).replace("\n", "").isprintable()


def test_every_field_of_the_json_is_documented() -> None:
    document = json.loads(comparison_json.to_document(comparison()))
    for name in (*document, *document["options"][0]):
        assert f"`{name}`" in PAGE, name
