"""The programs a role's instances use are listed, and never a thief's."""

from itertools import permutations
from typing import Any

import pytest

from straykey.core.case import Context
from straykey.core.evidence import Bounds
from straykey.core.home import weigh
from straykey.core.inventory import Inventory, LeftOut, Program, inventory_of
from straykey.core.settings import Settings
from straykey.core.survey import survey
from tests import ec2
from tests.records import RawRecord, issuance_record, use_record
from tests.seen import RANGES, ledger_of

ROLE = "111122223333/web-role"
OTHER_INSTANCE = "i-0fedcba9876543210"
THIEF = "203.0.113.66"


def at(minute: int, **changes: Any) -> RawRecord:
    return use_record(**{"time": f"2026-05-04T10:{minute:02}:00Z", **changes})


def other(minute: int, **changes: Any) -> RawRecord:
    return at(
        minute, **{"instance": OTHER_INSTANCE, "address": "198.18.0.11", "key": "ASIAEXAMPLEKEY000009", **changes}
    )


def inventory(*records: RawRecord, bounds: Bounds | None = None) -> Inventory:
    ledger = ledger_of(records, bounds)
    context = Context(Settings(), survey(ledger, Settings(), RANGES), RANGES)
    sessions = [(one, weigh(one, context)) for one in ledger.sessions.values()]
    return inventory_of(sessions, context, ledger.bounds)


def programs(*records: RawRecord) -> dict[str, Program]:
    return {one.program: one for one in inventory(*records).programs}


def test_a_program_is_listed_with_its_use_by_the_whole_role() -> None:
    listed = inventory(at(1), at(0), other(3), other(4, agent="Boto3/1.34.84 md/Botocore#1.34.84"))
    assert listed.programs == (
        Program(ROLE, "aws-cli", True, 2, 2, "2026-05-04T10:00:00Z", 3, False, "aws-cli/2.17.0"),
        Program(ROLE, "boto3", True, 1, 2, "2026-05-04T10:04:00Z", 1, False, "Boto3/1.34.84 md/Botocore#1.34.84"),
    )


def test_versions_and_brackets_make_no_other_program() -> None:
    (only,) = inventory(at(0), at(1, agent="[aws-cli/2.18.1]"), at(2, agent="AWS-CLI/1.0")).programs
    assert (only.program, only.count) == ("aws-cli", 3)


def test_roles_and_accounts_are_listed_apart() -> None:
    listed = inventory(at(0), other(0, role="other-role"), other(0, account="444455556666"))
    assert [one.role for one in listed.programs] == ["111122223333/other-role", ROLE, "444455556666/web-role"]


@pytest.mark.parametrize(("calls", "is_estimate"), [(64, False), (65, True)])
def test_counts_are_exact_while_the_sample_is_whole(calls: int, is_estimate: bool) -> None:
    used = [at(0, event=f"Get{n}") for n in range(calls)]
    assert [one.count_is_estimate for one in inventory(*used).programs] == [is_estimate]
    assert inventory(*used).programs[0].count == pytest.approx(calls, rel=0.35)


def test_an_estimate_is_shared_out_by_the_sample() -> None:
    used = [at(0, event=f"Get{n}", agent="aws-cli/2.17.0" if n % 4 else "Boto3/1.34.84") for n in range(4_000)]
    counts = {name: one.count for name, one in programs(*used).items()}
    assert counts["aws-cli"] / sum(counts.values()) == pytest.approx(0.75, abs=0.15)


def test_a_program_that_fell_out_of_the_sample_counts_as_used_once() -> None:
    used = [at(0, event=f"Get{n}") for n in range(4_000)]
    assert programs(*used, at(1, agent="curl/8.5.0"))["curl"].count in range(1, 200)


@pytest.mark.parametrize("agent", ["ourtool/1.0 Boto3/1.34.84", "curl/8.5.0 (ec2-user)"])
def test_a_program_does_not_become_awss_by_what_stands_behind_its_name(agent: str) -> None:
    """Else anything could be written behind it to get a name allowed."""
    assert [one.is_aws for one in inventory(at(0, agent=agent)).programs] == [False]


def test_the_user_agent_shown_is_the_first() -> None:
    (only,) = inventory(at(1, agent="aws-cli/2.18.0"), at(0, agent="aws-cli/2.19.0")).programs
    assert (only.user_agent, only.first_seen) == ("aws-cli/2.19.0", "2026-05-04T10:00:00Z")


def test_a_program_seen_only_from_a_stray_network_is_left_out() -> None:
    listed = inventory(at(0), at(9), at(5, address=THIEF, agent="curl/8.5.0"))
    assert [one.program for one in listed.programs] == ["aws-cli"]
    assert listed.left_out == (LeftOut(ROLE, "curl"),)


def test_use_from_a_stray_network_is_not_counted_for_a_program_of_home() -> None:
    listed = inventory(at(4), at(9), at(5, address=THIEF))
    assert [(one.count, one.first_seen) for one in listed.programs] == [(1 + 1, "2026-05-04T10:04:00Z")]
    assert listed.left_out == ()


def test_a_program_that_another_instance_of_the_role_uses_at_home_is_listed() -> None:
    listed = inventory(at(0), at(9), at(5, address=THIEF, agent="Boto3/1.34.84"), other(0, agent="Boto3/1.34.84"))
    assert [(one.program, one.instances) for one in listed.programs] == [("aws-cli", 1), ("boto3", 1)]


def test_use_from_an_explained_network_counts() -> None:
    v6 = at(5, address="2001:db8:1000::5", agent="Boto3/1.34.84")
    assert sorted(programs(at(0), v6)) == ["aws-cli", "boto3"]


def test_use_after_the_instances_end_is_left_out() -> None:
    gone = [ec2.terminate(time="2026-05-04T10:10:00Z"), at(40, agent="curl/8.5.0"), at(41)]
    listed = inventory(at(0), *gone)
    assert [(one.program, one.count) for one in listed.programs] == [("aws-cli", 1)]
    assert listed.left_out == (LeftOut(ROLE, "curl"),)


def test_use_with_a_key_made_under_the_instances_name_is_left_out() -> None:
    key = "ASIAEXAMPLEKEY000066"
    made = issuance_record(key=key, userIdentity={"type": "AWSService", "invokedBy": "glue.amazonaws.com"})
    listed = inventory(issuance_record(), made, at(0), at(5, key=key, agent="curl/8.5.0"))
    assert [one.program for one in listed.programs] == ["aws-cli"]
    assert listed.left_out == (LeftOut(ROLE, "curl"),)


def test_services_that_acted_for_the_session_are_no_programs_of_it() -> None:
    service = at(5, address="kms.amazonaws.com", agent="kms.amazonaws.com")
    listed = inventory(at(0), service)
    assert ([one.program for one in listed.programs], listed.left_out) == (["aws-cli"], ())


def test_calls_without_a_user_agent_name_no_program() -> None:
    assert inventory(at(0, agent="")).programs == ()


@pytest.mark.parametrize(("agents", "roles"), [(3, ()), (4, (ROLE,))])
def test_a_role_with_more_user_agents_than_are_kept_is_named(agents: int, roles: tuple[str, ...]) -> None:
    used = [at(0, agent=f"tool{n}") for n in range(agents)]
    assert inventory(*used, bounds=Bounds(agents=3)).incomplete_roles == roles


def test_a_role_with_more_networks_than_are_kept_is_named() -> None:
    used = [at(n, address=f"198.18.{n}.1") for n in range(8)]
    assert inventory(*used, bounds=Bounds(networks=2, neighbours=1, neighbourhoods=1)).incomplete_roles == (ROLE,)


def test_reading_order_does_not_change_the_inventory() -> None:
    stray = at(5, address=THIEF, agent="curl/8.5.0")
    used = [at(0), at(9, agent="ourtool/1.0"), other(3), other(4, agent="ourtool/1.1 Boto3/1.34.84"), stray]
    assert len({repr(inventory(*order)) for order in permutations(used)}) == 1
