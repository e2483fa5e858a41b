"""What the simulated company and its honest traffic are like."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from itertools import groupby
from typing import Any

import pytest

from straykey.sim.scenario import Scenario, simulate

Record = dict[str, Any]

REQUIRED = {
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "requestParameters",
    "responseElements",
    "eventID",
    "eventType",
    "eventCategory",
}
INVENTED = [IPv4Network(cidr) for cidr in ("198.18.0.0/15", "203.0.113.0/24", "192.0.2.0/24", "198.51.100.0/24")]
PRIVATE = [IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12")]


@cache
def world(seed: int = 7, hours: int = 2, instances: int = 24, thefts: int = 5) -> Scenario:
    return simulate(seed=seed, hours=hours, instances=instances, thefts=thefts)


def issuances(scenario: Scenario) -> list[Record]:
    return [r for r in scenario.records if r["userIdentity"].get("invokedBy") == "ec2.amazonaws.com"]


def issued_in_one_second(scenario: Scenario) -> dict[str, set[int]]:
    """Instance -> how many keys it was issued in one second."""
    by_second = Counter((r["requestParameters"]["roleSessionName"], r["eventTime"]) for r in issuances(scenario))
    counts: dict[str, set[int]] = defaultdict(set)
    for (instance, _), count in by_second.items():
        counts[instance].add(count)
    return counts


def key_of(record: Record) -> str:
    return str(record["responseElements"]["credentials"]["accessKeyId"])


def stolen_ids(scenario: Scenario) -> set[str]:
    return {event for theft in scenario.thefts for event in theft.event_ids}


def honest_instance_calls(scenario: Scenario) -> list[Record]:
    """Calls with an instance's key over IMDS that the thieves did not make."""
    stolen = stolen_ids(scenario)
    return [
        r
        for r in scenario.records
        if "ec2RoleDelivery" in r["userIdentity"].get("sessionContext", {}) and r["eventID"] not in stolen
    ]


def longest_match(scenario: Scenario, address: str, service: str) -> str | None:
    ip = ip_address(address)
    document, key = scenario.ip_ranges, "ip_prefix" if isinstance(ip, IPv4Address) else "ipv6_prefix"
    family = IPv4Network if isinstance(ip, IPv4Address) else IPv6Network
    rows = document["prefixes" if isinstance(ip, IPv4Address) else "ipv6_prefixes"]
    found = [(family(row[key]).prefixlen, row["region"]) for row in rows if _holds(row, key, address, service)]
    return max(found)[1] if found else None


def _holds(row: dict[str, str], key: str, address: str, service: str) -> bool:
    ip = ip_address(address)
    family = IPv4Network if isinstance(ip, IPv4Address) else IPv6Network
    return row["service"] == service and ip in family(row[key])


def test_equal_arguments_give_equal_scenarios() -> None:
    assert simulate(seed=3, thefts=5) == simulate(seed=3, thefts=5)


def test_another_seed_shares_no_event() -> None:
    ids = [{r["eventID"] for r in simulate(seed=seed).records} for seed in (1, 2)]
    assert not ids[0] & ids[1]


def test_one_more_theft_changes_no_honest_record() -> None:
    some, more = world(thefts=2), world(thefts=5)
    assert [r for r in some.records if r["eventID"] not in stolen_ids(some)] == [
        r for r in more.records if r["eventID"] not in stolen_ids(more)
    ]


def test_records_are_in_order_of_time() -> None:
    times = [r["eventTime"] for r in world().records]
    assert times == sorted(times)


def test_all_records_lie_in_the_window() -> None:
    times = [r["eventTime"] for r in world().records]
    assert times[0] >= "2026-05-04T10:00:00Z"
    assert times[-1] < "2026-05-04T12:00:00Z"


def test_no_two_records_share_an_event_id() -> None:
    ids = Counter(r["eventID"] for r in world().records)
    assert max(ids.values()) == 1


def test_every_record_has_what_cloudtrail_always_writes() -> None:
    assert [r for r in world().records if not r.keys() >= REQUIRED] == []


def test_every_record_begins_with_its_version() -> None:
    assert {next(iter(r)) for r in world().records} == {"eventVersion"}


def test_the_mean_record_is_as_long_as_a_real_one() -> None:
    records = world().records
    mean = sum(len(json.dumps(r, separators=(",", ":"))) for r in records) / len(records)
    assert 1100 < mean < 1900


def test_an_instance_makes_100_to_300_calls_an_hour_at_the_mean() -> None:
    calls = len(honest_instance_calls(world())) / (24 * 2)
    assert 100 < calls < 300


def test_two_keys_are_issued_in_one_second_where_v1_is_allowed() -> None:
    counts = issued_in_one_second(world())
    assert {n for s in world().sessions if s.imds_v1_allowed for n in counts[s.instance_id]} == {2}


def test_one_key_is_issued_at_a_time_where_tokens_are_required() -> None:
    counts = issued_in_one_second(world())
    assert {n for s in world().sessions if not s.imds_v1_allowed for n in counts[s.instance_id]} == {1}


def test_an_issuance_shows_credentials_and_no_assumed_role_user() -> None:
    assert {tuple(r["responseElements"]) for r in issuances(world())} == {("credentials",)}


def test_an_issuance_names_no_duration() -> None:
    assert {tuple(r["requestParameters"]) for r in issuances(world())} == {("roleArn", "roleSessionName")}


def test_each_issuance_has_its_own_shared_event_id() -> None:
    ids = Counter(r["sharedEventID"] for r in issuances(world()))
    assert max(ids.values()) == 1


def test_the_issuances_of_a_launch_carry_its_request_id() -> None:
    launches = {r["requestID"]: r for r in world().records if r["eventName"] == "RunInstances"}
    carried = {r["requestID"]: r["requestParameters"]["roleSessionName"] for r in issuances(world())}
    launched = {k: r["responseElements"]["instancesSet"]["items"][0]["instanceId"] for k, r in launches.items()}
    assert launched
    assert launched == {k: v for k, v in carried.items() if k in launches}


def test_a_session_was_created_in_the_second_its_key_was_issued() -> None:
    issued = {key_of(r): r["eventTime"] for r in issuances(world())}
    used = [r["userIdentity"] for r in honest_instance_calls(world()) if r["userIdentity"]["accessKeyId"] in issued]
    assert used
    assert all(u["sessionContext"]["attributes"]["creationDate"] == issued[u["accessKeyId"]] for u in used)


def test_no_key_is_used_before_it_is_issued_or_after_it_expires() -> None:
    for record in honest_instance_calls(world(hours=12, instances=3, thefts=0)):
        attributes = record["userIdentity"]["sessionContext"]["attributes"]
        age = datetime.fromisoformat(record["eventTime"]) - datetime.fromisoformat(attributes["creationDate"])
        assert timedelta(0) <= age <= timedelta(hours=6, minutes=35)


def test_an_instance_takes_its_keys_by_one_metadata_version_only() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    for record in honest_instance_calls(world()):
        versions[record["userIdentity"]["arn"]].add(record["userIdentity"]["sessionContext"]["ec2RoleDelivery"])
    assert {len(seen) for seen in versions.values()} == {1}


def test_some_sessions_are_adopted_and_some_launched_in_the_window() -> None:
    assert {s.adopted for s in world().sessions} == {True, False}


def test_keys_of_adopted_sessions_are_used_without_an_issuance_in_the_logs() -> None:
    issued = {key_of(r) for r in issuances(world())}
    adopted = {s.session_arn for s in world().sessions if s.adopted}
    unseen = {
        r["userIdentity"]["arn"]
        for r in honest_instance_calls(world())
        if r["userIdentity"]["accessKeyId"] not in issued
    }
    assert len(unseen & adopted) > 5


def test_the_session_arn_drops_the_path_that_the_role_arn_keeps() -> None:
    who = [r["userIdentity"] for r in honest_instance_calls(world())]
    with_path = [u for u in who if u["sessionContext"]["sessionIssuer"]["arn"].count("/") > 1]
    assert with_path
    assert {u["arn"].split(":")[5].count("/") for u in with_path} == {2}


def test_expirations_are_text_with_and_without_the_narrow_space() -> None:
    texts = [r["responseElements"]["credentials"]["expiration"] for r in issuances(world())]
    spaces = {text[-3] for text in texts}
    plain = [text.replace("\u202f", " ") for text in texts]
    assert spaces == {" ", "\u202f"}
    assert [t for t in plain if datetime.strptime(t, "%b %d, %Y, %I:%M:%S %p").replace(tzinfo=UTC).year != 2026] == []


def test_version_1_08_names_neither_scope_nor_endpoint_owner_nor_tls() -> None:
    old = [r for r in world().records if r["eventVersion"] == "1.08"]
    assert old
    assert not any("inScopeOf" in r["userIdentity"] for r in old if r["sourceIPAddress"] != "AWS Internal")
    assert not any({"vpcEndpointAccountId", "tlsDetails"} & r.keys() for r in old)


def test_most_records_are_of_version_1_11() -> None:
    versions = Counter(r["eventVersion"] for r in world().records)
    assert versions["1.11"] > 0.75 * len(world().records)


def test_honest_calls_come_from_home_or_from_a_service() -> None:
    homes = {(s.session_arn, h.address, h.vpc_endpoint) for s in world().sessions for h in s.homes}
    strange = [
        r
        for r in honest_instance_calls(world())
        if "invokedBy" not in r["userIdentity"]
        and (r["userIdentity"]["arn"], r["sourceIPAddress"], r.get("vpcEndpointId")) not in homes
    ]
    assert strange == []


def test_private_addresses_come_with_an_endpoint_of_the_own_account() -> None:
    endpoints = [h for s in world().sessions for h in s.homes if h.address.startswith("10.")]
    owners = {(h.vpc_endpoint_account == s.account) for s in world().sessions for h in s.homes if h.vpc_endpoint}
    assert endpoints
    assert all(h.vpc_endpoint for h in endpoints)
    assert owners == {True}


def test_each_lane_of_a_session_has_one_home_address() -> None:
    for session in world().sessions:
        lanes = sorted((h.lane, ip_address(h.address).version, h.address) for h in session.homes)
        for _, same_lane in groupby(lanes, key=lambda it: it[:2]):
            assert len({address for *_, address in same_lane}) == 1


def test_several_instances_share_a_nat_address_made_before_its_first_use() -> None:
    allocated = {
        r["responseElements"]["publicIp"]: r["eventTime"]
        for r in world().records
        if r["eventName"] == "AllocateAddress"
    }
    users: dict[str, list[str]] = defaultdict(list)
    for home in (h for s in world().sessions for h in s.homes if h.address in allocated):
        users[home.address].append(home.first_seen)
    assert max(map(len, users.values())) > 2
    assert all(allocated[address] < min(seen) for address, seen in users.items())


def test_forward_access_calls_carry_the_service_and_not_an_address() -> None:
    forwarded = [r for r in honest_instance_calls(world()) if "invokedBy" in r["userIdentity"]]
    assert {r["sourceIPAddress"] for r in forwarded} == {"s3.amazonaws.com", "AWS Internal"}
    assert all(r["sourceIPAddress"] == r["userAgent"] == r["userIdentity"]["invokedBy"] for r in forwarded)


def test_all_addresses_are_from_documentation_ranges() -> None:
    for text in {r["sourceIPAddress"] for r in world().records}:
        if text[0].isdigit() and ":" in text:
            assert ip_address(text) in IPv6Network("2001:db8::/32")
        elif text[0].isdigit():
            assert any(ip_address(text) in network for network in [*INVENTED, *PRIVATE])
        else:
            assert text.endswith(".amazonaws.com") or text == "AWS Internal"


def test_bystanders_of_every_kind_are_there() -> None:
    kinds = {r["userIdentity"].get("type") for r in world().records}
    types = {r["eventType"] for r in world().records}
    assert kinds == {"AssumedRole", "AWSService", "IAMUser", "SAMLUser", None}
    assert types == {"AwsApiCall", "AwsConsoleSignIn", "AwsServiceEvent"}


def test_only_company_accounts_receive_records() -> None:
    received = {r["recipientAccountId"] for r in world().records}
    assert received == set(world().accounts)
    assert not received & set(world().attacker_accounts)


def test_public_homes_match_ec2_of_their_own_region_by_the_longest_prefix() -> None:
    for session in world().sessions:
        for home in session.homes:
            if home.lane == "public":
                assert longest_match(world(), home.address, "EC2") == session.region


def test_every_range_of_a_service_lies_in_one_of_amazon() -> None:
    rows = world().ip_ranges["prefixes"]
    amazon = [IPv4Network(row["ip_prefix"]) for row in rows if row["service"] == "AMAZON"]
    assert all(any(IPv4Network(row["ip_prefix"]).subnet_of(it) for it in amazon) for row in rows)


def test_a_range_of_no_region_is_nested_in_that_of_a_region() -> None:
    assert longest_match(world(), "198.19.192.7", "AMAZON") == "GLOBAL"
    assert longest_match(world(), "198.19.130.7", "AMAZON") == "eu-central-1"


def test_offices_and_premises_lie_outside_the_ranges() -> None:
    assert {longest_match(world(), it, "AMAZON") for it in ("203.0.113.5", "198.51.100.5", "192.0.2.5")} == {None}


def test_the_sync_token_is_the_creation_date_in_seconds_as_text() -> None:
    document = world().ip_ranges
    created = datetime.strptime(document["createDate"], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    assert document["syncToken"] == str(int(created.timestamp()))


def test_the_smallest_world_has_one_instance() -> None:
    scenario = simulate(seed=1, instances=1, thefts=1)
    assert {s.instance_id for s in scenario.sessions} == {scenario.thefts[0].instance_id}


@pytest.mark.parametrize("wrong", [{"hours": 0}, {"instances": 0}, {"thefts": -1}])
def test_senseless_amounts_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        simulate(seed=1, **wrong)  # type: ignore[arg-type]  # `start` is never among them


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_a_start_that_is_not_in_utc_is_refused(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        simulate(seed=1, start=datetime(2026, 5, 4, 10, tzinfo=zone))
