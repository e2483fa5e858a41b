"""Documents for many accounts: few, none too long, and nobody lost without a word."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.harden.packing import Packed, control_policies
from straykey.harden.perimeter import ROOM, Artifact, Kind, Level
from straykey.harden.worker import Footprint
from tests.harden.workers import ACCOUNT, GATE, OTHER, account, footprint, scattered

CONTROLS = (Kind.SCP, Kind.RCP)


def packed(*footprints: Footprint, kind: Kind = Kind.SCP, level: Level = Level.NETWORK) -> Packed:
    return control_policies(kind, footprints, level, ())


def statements(*artifacts: Artifact) -> list[dict[str, Any]]:
    return [one for artifact in artifacts for one in json.loads(artifact.document)["Statement"]]


def listed(said: str | Sequence[str]) -> list[str]:
    return [said] if isinstance(said, str) else list(said)


def accounts_in(found: Packed) -> list[str]:
    equal = [one["Condition"].get("StringEquals", {}) for one in statements(*found.artifacts)]
    return [account for one in equal for account in listed(one.get("aws:PrincipalAccount", []))]


def roles_in(found: Packed) -> set[str]:
    like = [one["Condition"].get("ArnLike", {}) for one in statements(*found.artifacts)]
    return {arn for one in like for arn in listed(one.get("aws:PrincipalArn", []))}


def fits(found: Packed) -> bool:
    return all(len(one.document) <= ROOM[one.kind] and not one.is_too_long for one in found.artifacts)


@pytest.mark.parametrize("kind", CONTROLS)
def test_accounts_with_the_same_ways_home_share_a_statement_and_others_have_their_own(kind: Kind) -> None:
    found = packed(footprint(), footprint(OTHER), footprint(account(1), addresses=("192.0.2.1",)), kind=kind)
    (document,) = found.artifacts
    said = [one["Condition"]["StringEquals"]["aws:PrincipalAccount"] for one in statements(document)]
    assert sorted(said, key=len) == [[ACCOUNT, OTHER], account(1)]
    assert (document.name, document.accounts) == ("straykey-perimeter", tuple(sorted((ACCOUNT, OTHER, account(1)))))


def test_roles_of_an_account_are_let_home_all_ways_of_any() -> None:
    found = packed(footprint(), footprint(role="batch", addresses=("192.0.2.1",)))
    (one,) = statements(*found.artifacts)
    assert one["Condition"]["NotIpAddressIfExists"] == {"aws:SourceIp": ["192.0.2.1", "198.18.0.10"]}


@pytest.mark.parametrize("kind", CONTROLS)
def test_many_accounts_are_split_over_documents_that_are_numbered_and_fit(kind: Kind) -> None:
    some = [footprint(account(one), addresses=scattered(20, f"198.{one}")) for one in range(60)]
    found = packed(*some, kind=kind)
    assert fits(found)
    assert found.left_out == ()
    assert [one.name for one in found.artifacts] == [f"straykey-perimeter-{one + 1}" for one in range(len(some))][
        : len(found.artifacts)
    ]
    assert sorted(accounts_in(found)) == sorted(one.account for one in some)
    assert {one for each in found.artifacts for one in each.accounts} == set(accounts_in(found))


@pytest.mark.parametrize("kind", CONTROLS)
@pytest.mark.parametrize("level", Level)
def test_more_accounts_alike_than_one_statement_holds_share_few_and_not_one_for_each_role(
    kind: Kind, level: Level
) -> None:
    """In a large organization with one way out, or with endpoints only, all accounts are alike."""
    some = [footprint(account(one), role) for one in range(1_000) for role in ("web", "batch")]
    found = packed(*some, kind=kind, level=level)
    assert fits(found)
    assert roles_in(found) == set()
    assert sorted(accounts_in(found)) == sorted({one.account for one in some})
    least = 1_000 * len('"111100000000",') / ROOM[kind]
    assert len(found.artifacts) <= least + 2


def test_an_account_whose_addresses_fit_into_no_document_is_split_by_role() -> None:
    addresses = scattered(900)
    halves = [footprint(role="web", addresses=addresses[:450]), footprint(role="batch", addresses=addresses[450:])]
    found = packed(*halves)
    assert fits(found)
    assert found.left_out == ()
    assert accounts_in(found) == []
    assert roles_in(found) == {f"arn:aws:iam::{ACCOUNT}:role/app/{role}" for role in ("web", "batch")}
    assert len(found.artifacts) == 2
    assert {one.accounts for one in found.artifacts} == {(ACCOUNT,)}


def test_a_role_with_too_many_addresses_is_left_out_and_told_and_the_others_stay() -> None:
    found = packed(footprint(role="web"), footprint(role="crawler", addresses=scattered(2_000)))
    assert found.left_out == ((ACCOUNT, "crawler"),)
    assert roles_in(found) == {f"arn:aws:iam::{ACCOUNT}:role/app/web"}
    assert fits(found)


def test_of_level_instance_no_number_of_addresses_is_too_long() -> None:
    found = packed(footprint(addresses=scattered(2_000)), level=Level.INSTANCE)
    assert (found.left_out, accounts_in(found)) == ((), [ACCOUNT])


def test_a_role_whose_path_nobody_knows_is_named_at_the_root_and_anywhere_else() -> None:
    far = footprint(role="crawler", addresses=scattered(2_000))
    begin = f"arn:aws:iam::{ACCOUNT}:role/"
    assert roles_in(packed(footprint(role_arns=()), far)) == {f"{begin}web-role", f"{begin}*/web-role"}


def test_each_partition_has_documents_of_its_own() -> None:
    china = footprint(OTHER, partition="aws-cn")
    found = packed(footprint(), china)
    assert [(one.name, one.accounts) for one in found.artifacts] == [
        ("straykey-perimeter", (ACCOUNT,)),
        ("straykey-perimeter-aws-cn", (OTHER,)),
    ]
    assert "arn:aws:" not in found.artifacts[1].document
    assert "arn:aws-cn:" not in found.artifacts[0].document


def test_the_order_of_roles_makes_no_difference() -> None:
    some = [footprint(account(one), role, scattered(200 + one % 3)) for one in range(9) for role in ("web", "batch")]
    assert packed(*some) == packed(*reversed(some))


numbers = st.integers(0, 5)
sizes = st.sampled_from([0, 1, 40, 300, 450, 2_000])


@st.composite
def footprints(draw: st.DrawFn) -> list[Footprint]:
    wheres = draw(st.sets(st.tuples(numbers, st.sampled_from(["web", "batch", "crawler"])), min_size=1, max_size=8))
    found = []
    for number, role in sorted(wheres):
        addresses = scattered(draw(sizes), f"198.{draw(st.sampled_from([18, 19]))}")
        endpoints = draw(st.sampled_from([(), (GATE,)]))
        partition = "aws-cn" if number > 3 else "aws"
        found.append(footprint(account(number), role, addresses, endpoints=endpoints, partition=partition))
    return found


@given(footprints(), st.sampled_from(CONTROLS), st.sampled_from(Level))
@settings(max_examples=40)
def test_whatever_the_footprints_documents_fit_and_every_role_is_in_one_or_left_out(
    some: list[Footprint], kind: Kind, level: Level
) -> None:
    found = packed(*some, kind=kind, level=level)
    assert fits(found)
    whole, roles = set(accounts_in(found)), roles_in(found)
    for one in some:
        told = [one.account in whole, bool(roles & set(one.role_arns)), (one.account, one.role) in found.left_out]
        assert sum(told) == 1, one
    assert len({one.name for one in found.artifacts}) == len(found.artifacts)
