"""The law of the ledger: any order, any grouping and any repetition of the same records gives the same bytes."""

import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.core.evidence import Bounds, Evidence
from straykey.core.folding import Folding
from straykey.core.judge import judge
from straykey.core.ledger import Ledger, OpenLedger, PackedLedger
from straykey.core.reading import decode
from straykey.core.record import Skipped
from straykey.core.run import Packing
from straykey.core.settings import EVERY_ROLE, Settings
from straykey.formats.finding_json import to_document
from straykey.pipeline import Period, fold
from tests.records import RawRecord, allocation_record, issuance_record, trail, use_record
from tests.seen import RANGES

# Small bounds, or no bound is ever reached and the law is not tried.
TIGHT = Bounds(
    networks=2,
    neighbours=1,
    neighbourhoods=2,
    events=3,
    calls=2,
    agents=2,
    keys=2,
    hours=2,
    issuances=2,
    names=1,
    grants=2,
    makings=2,
    beacons=2,
)

ADDRESSES = [
    "198.18.0.10",
    "198.18.0.11",
    "198.19.7.7",
    "203.0.113.66",
    "203.0.113.67",
    "203.0.113.68",
    "2001:db8:1000::5",
    "2001:db8:f000::5",
    "10.0.1.10",
    "10.9.9.9",
    "s3.amazonaws.com",
    "not an address",
]
# The last one is an instance's only where a record or an issuance says so.
INSTANCES = ["i-0123456789abcdef0", "i-0fedcba9876543210", "no-instance-id"]
ODD_IDS: list[dict[str, Any]] = [
    {},
    {},
    {"eventID": ""},
    {"eventID": None},
    {"sharedEventID": "shared"},
    {"sharedEventID": "other"},
]
BEACONS = ["straykey-beacon/1", "aws-cli/2.17.0 app/straykey-beacon"]
pick = st.sampled_from


def times() -> st.SearchStrategy[str]:
    return st.builds("2026-05-04T{:02d}:{:02d}:00Z".format, st.integers(8, 15), st.integers(0, 3))


@st.composite
def uses(draw: st.DrawFn) -> RawRecord:
    endpoint = draw(pick([None, "vpce-0aaaabbbbccccdddd", "vpce-0eeeeffff00001111"]))
    ids: dict[str, Any] = draw(pick(ODD_IDS))
    return use_record(
        instance=draw(pick(INSTANCES)),
        account=draw(pick(["111122223333", "444455556666"])),
        address=draw(pick(ADDRESSES)),
        time=draw(times()),
        key=draw(pick(["ASIAEXAMPLEKEY00000A", "ASIAEXAMPLEKEY00000B", "ASIAEXAMPLEKEY00000C"])),
        event=draw(pick(["ListBuckets", "GetObject", "PutObject", "DeleteObject"])),
        agent=draw(pick(["aws-cli/2.17.0", "Boto3/1.34", "curl/8.1", "aws-sdk-go/1.48", *BEACONS])),
        error=draw(pick([None, None, "AccessDenied"])),
        delivery=draw(pick([None, "1.0", "2.0"])),
        endpoint=endpoint,
        endpoint_owner=draw(pick([None, "111122223333", "999988887777"])) if endpoint else None,
        issued=draw(st.one_of(st.none(), times())),
        **ids,
        event_id=draw(st.one_of(st.none(), pick(["one-id", "another-id"]))),
    )


@st.composite
def issuances(draw: st.DrawFn) -> RawRecord:
    key = draw(pick(["ASIAEXAMPLEKEY00000A", "ASIAEXAMPLEKEY00000B", "ASIAEXAMPLEKEY00000C"]))
    return issuance_record(instance=draw(pick(INSTANCES)), time=draw(times()), key=key)


@st.composite
def allocations(draw: st.DrawFn) -> RawRecord:
    account = draw(pick(["111122223333", "444455556666", "999988887777"]))
    return allocation_record(account=account, address=draw(pick(ADDRESSES[:4])), time=draw(times()))


INTERFACES = ["eni-0aaa", "eni-0bbb"]
ALLOCATIONS = ["eipalloc-0aaa", "eipalloc-0bbb"]


def asked(event: str, request: RawRecord, response: RawRecord, time: str) -> RawRecord:
    """A call on EC2 by somebody who is of no other interest."""
    return allocation_record(time=time, eventName=event, requestParameters=request, responseElements=response)


@st.composite
def grants(draw: st.DrawFn) -> RawRecord:
    """Every way an address comes to an instance or leaves it, and the instance's own end."""
    instance, interface, allocation = draw(pick(INSTANCES[:2])), draw(pick(INTERFACES)), draw(pick(ALLOCATIONS))
    address, time = draw(pick(ADDRESSES[:4])), draw(times())
    state = {"instanceId": instance, "previousState": {"code": 80, "name": "stopped"}}
    instances = {"instancesSet": {"items": [state]}}
    done = {"_return": True, "associationId": "eipassoc-0a"}
    nat = {"natGatewayId": "nat-0a", "vpcId": "vpc-0a", "natGatewayAddressSet": {"item": {"allocationId": allocation}}}
    calls: list[tuple[str, RawRecord, RawRecord]] = [
        ("AllocateAddress", {}, {"publicIp": address, "allocationId": allocation}),
        ("AssociateAddress", {"allocationId": allocation, "instanceId": instance}, done),
        ("AssociateAddress", {"publicIp": address, "networkInterfaceId": interface}, done),
        ("DisassociateAddress", {"associationId": "eipassoc-0a"}, {"_return": True}),
        ("ReleaseAddress", {"allocationId": allocation}, {"_return": True}),
        ("AttachNetworkInterface", {"networkInterfaceId": interface, "instanceId": instance}, {"attachmentId": "a"}),
        ("StartInstances", instances, instances),
        ("TerminateInstances", instances, instances),
        ("CreateNatGateway", {}, {"CreateNatGatewayResponse": {"natGateway": nat}}),
    ]
    event, request, response = draw(pick(calls))
    return asked(event, request, response, time)


@st.composite
def makings(draw: st.DrawFn) -> RawRecord:
    """Sessions, keys and users made by an instance's session, by a user, or by a key that was itself made."""
    key, name = draw(pick(["ASIAEXAMPLEMADE0000A", "ASIAEXAMPLEMADE0000B"])), draw(pick([*INSTANCES, "elsewhere"]))
    arn = f"arn:aws:sts::444455556666:assumed-role/second/{name}"
    role = {"roleArn": "arn:aws:iam::444455556666:role/second", "roleSessionName": name}
    assumed = {"credentials": {"accessKeyId": key}, "assumedRoleUser": {"arn": arn}}
    user = {"userName": "bob", "arn": "arn:aws:iam::111122223333:user/bob"}
    calls = [
        ("sts.amazonaws.com", "AssumeRole", role, assumed),
        ("sts.amazonaws.com", "AssumeRole", role, None),
        ("iam.amazonaws.com", "CreateUser", {"userName": "bob"}, {"user": user}),
        ("iam.amazonaws.com", "CreateAccessKey", {"userName": "bob"}, {"accessKey": {**user, "accessKeyId": key}}),
    ]
    source, event, request, response = draw(pick(calls))
    more: dict[str, Any] = {"requestParameters": request, "responseElements": response}
    if draw(st.booleans()):
        more["userIdentity"] = draw(pick([{"type": "AWSAccount", "principalId": f"AROA:{name}"}, BOB]))
    return draw(uses()) | {"eventSource": source, "eventName": event} | more


BOB = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/bob", "accessKeyId": "ASIAEXAMPLEMADE0000A"}


@st.composite
def others(draw: st.DrawFn) -> RawRecord:
    """Calls by what a thief made, and keys of workloads that are no instances."""
    made = draw(uses())
    if draw(st.booleans()):
        return made | {"userIdentity": BOB}
    service = draw(pick(["lambda.amazonaws.com", "ecs-tasks.amazonaws.com", "pods.eks.amazonaws.com"]))
    identity = {"type": "AWSService", "invokedBy": service}
    return issuance_record(instance=draw(pick(INSTANCES)), time=draw(times()), userIdentity=identity)


def histories() -> st.SearchStrategy[list[RawRecord]]:
    told = (issuances(), allocations(), grants(), grants(), makings(), others())
    return st.lists(st.one_of(uses(), uses(), uses(), *told), min_size=2, max_size=30)


def read(records: list[RawRecord], into: Ledger | None = None) -> Ledger:
    """The plain way: each record folded on its own."""
    ledger = into or Ledger(TIGHT)
    for record in decode(trail(*records)).records:
        ledger.take(record)
    return ledger


def drawn(evidence: Evidence) -> Evidence:
    """With every sample drawn, which else happens when somebody asks."""
    for sighting in evidence.sightings.values():
        sighting.events.draw()
    return evidence


def told(ledger: Ledger | PackedLedger | OpenLedger) -> tuple[bytes, str]:
    """Everything a settled ledger holds, and everything that is judged from it."""
    if isinstance(ledger, Ledger):
        ledger.settle()
    findings = judge(ledger, Settings(beacon_roles=frozenset({EVERY_ROLE})), RANGES)
    sessions = {arn: drawn(evidence) for arn, evidence in ledger.sessions.items()}
    held = (sessions, ledger.accounts, ledger.grants, ledger.makings)
    return msgspec.json.encode(held, order="deterministic"), to_document(findings, {})


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_reading_order_changes_neither_ledger_nor_findings(records: list[RawRecord], rng: random.Random) -> None:
    shuffled = records[:]
    rng.shuffle(shuffled)
    assert told(read(shuffled)) == told(read(records))


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_reading_records_again_changes_nothing(records: list[RawRecord], rng: random.Random) -> None:
    again = [*records, *rng.choices(records, k=len(records))]
    assert told(read(again)) == told(read(records))


@settings(max_examples=300, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 5))
def test_readers_that_share_the_files_reach_what_one_reader_reaches(
    records: list[RawRecord], rng: random.Random, readers: int
) -> None:
    shares: list[list[RawRecord]] = [[] for _ in range(readers)]
    for record in records:
        for share in rng.sample(shares, k=rng.randint(1, readers)):
            share.append(record)
    ledgers = [read(share) for share in shares]
    rng.shuffle(ledgers)
    for ledger in rng.sample(ledgers, k=rng.randint(0, readers)):
        ledger.settle()  # a reader may or may not have, when it hands over
    whole = Ledger(TIGHT)
    for ledger in ledgers:
        whole.absorb(ledger)
    assert told(whole) == told(read(records))


@settings(max_examples=300, deadline=None)
@given(histories(), st.integers(1, 4))
def test_the_fast_way_and_the_plain_way_lead_to_one_ledger(records: list[RawRecord], rounds: int) -> None:
    folding = Folding(TIGHT, Packing())
    for _ in range(rounds):
        fold([decode(trail(*records))], folding, Period())
    assert told(folding.ledger()) == told(read(records))


@settings(max_examples=300, deadline=None)
@given(histories(), st.sampled_from([1, 10_000]))
def test_what_is_not_packed_away_is_what_would_have_been(records: list[RawRecord], held: int) -> None:
    folding = Folding(TIGHT, Packing(), held)
    for record in records:
        fold([decode(trail(record))], folding, Period())
    opened = folding.ledger_in_the_open()
    assert told(opened) == told(read(records))
    assert told(opened) == told(opened), "looked at once more"
    assert len(opened.sessions) == len(list(opened.sessions))


@settings(max_examples=200, deadline=None)
@given(histories(), histories(), histories())
def test_merging_is_associative(a: list[RawRecord], b: list[RawRecord], c: list[RawRecord]) -> None:
    left = read(a)
    left.absorb(read(b))
    left.absorb(read(c))
    right = read(b)
    right.absorb(read(c))
    first = read(a)
    first.absorb(right)
    assert told(left) == told(first)


@settings(max_examples=200, deadline=None)
@given(histories())
def test_merging_a_ledger_with_its_like_changes_nothing(records: list[RawRecord]) -> None:
    ledger = read(records)
    ledger.absorb(read(records))
    assert told(ledger) == told(read(records))


@settings(max_examples=200, deadline=None)
@given(histories(), histories())
def test_settling_in_between_changes_nothing(early: list[RawRecord], late: list[RawRecord]) -> None:
    """`watch` will judge, and so settle, after every commit."""
    settled = read(early)
    settled.settle()
    assert told(read(late, into=settled)) == told(read([*early, *late]))


@settings(max_examples=50, deadline=None)
@given(histories())
def test_no_session_keeps_more_than_its_bounds(records: list[RawRecord]) -> None:
    ledger = read(records)
    ledger.settle()
    lanes = 6
    for evidence in ledger.sessions.values():
        assert len(evidence.sightings) <= (TIGHT.networks + TIGHT.neighbours * TIGHT.neighbourhoods) * lanes
        assert len(evidence.issuances) <= TIGHT.issuances
        assert len(evidence.beacons) <= TIGHT.beacons
        for sighting in evidence.sightings.values():
            assert len(sighting.events.kept) <= TIGHT.events
            assert len(sighting.calls.times) <= TIGHT.calls


def test_the_small_bounds_of_these_laws_are_passed_by_their_histories() -> None:
    """Else the laws above would hold for a ledger that keeps what it saw first."""
    records = [
        use_record(address=f"203.0.113.{n}", event=f"Call{m}", time=f"2026-05-04T10:00:{m:02d}Z")
        for n in range(9)
        for m in range(9)
    ]
    ledger = read(records)
    ledger.settle()
    (evidence,) = ledger.sessions.values()
    assert evidence.crowded
    assert all(sighting.events.overflowed for sighting in evidence.sightings.values())


def test_a_reader_that_saw_only_kept_networks_does_not_unsay_that_there_were_more() -> None:
    records = [use_record(address=f"203.0.113.{n}") for n in range(9)]
    crowded = read(records)
    crowded.settle()
    (evidence,) = crowded.sessions.values()
    kept = [record for record in records if any(record["sourceIPAddress"] in key for key in evidence.sightings)]
    whole = read(kept)
    whole.absorb(crowded)
    assert told(whole) == told(read(records))


def test_a_time_that_is_none_is_refused_on_the_short_way_too() -> None:
    other: dict[str, Any] = {"instance": "no-instance-id", "delivery": None}
    sound, broken = use_record(**other), use_record(**other, time="2026-13-45T10:00:00Z", event_id="b")
    for order in ([sound, broken], [broken, sound]):
        folded = fold([decode(trail(*order))], Folding(TIGHT, Packing()), Period())
        assert folded.skipped == {Skipped.BAD_TIME: 1}
