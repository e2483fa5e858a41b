"""Judged again and again, a docket says what judging the whole ledger would say; and asks little for it."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.core.docket import Docket
from straykey.core.evidence import Bounds, Evidence
from straykey.core.judge import Judged, judged
from straykey.core.ledger import Ledger
from straykey.core.network import network_of
from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.formats.finding_json import to_document
from tests import crowds
from tests.core.test_home import OTHER_INSTANCE, OWN, VPCE, home, lone, through
from tests.core.test_ledger_laws import TIGHT, asked, grants, histories, makings
from tests.records import RawRecord, allocation_record, trail, use_record
from tests.seen import RANGES, trusting
from tests.sim.trials import SEEDS, world

MONITORING = "monitoring.amazonaws.com"
VICTIM = "i-0123456789abcdef0"
ENDED = {"instancesSet": {"items": [{"instanceId": VICTIM}]}}
STOPPED = {"instanceId": VICTIM, "previousState": {"code": 80, "name": "stopped"}}


def restart(time: str) -> RawRecord:
    return asked("StartInstances", ENDED, {"instancesSet": {"items": [STOPPED]}}, f"2026-05-04T{time}Z")


ASKED = [
    Settings(),
    Settings(require_issuance=True, accounts=frozenset({"999988887777"})),
    Settings(report_service_calls=True, agents={"111122223333/web-role": frozenset({"aws-cli"})}),
    trusting("203.0.113.0/24"),
    Settings(beacon_roles=frozenset({"*"})),
]


class Watch:
    """A ledger that grows, and the docket that is told of it."""

    def __init__(self, asked: Settings, ranges: AwsRanges | None, bounds: Bounds) -> None:
        self.ledger = Ledger(bounds)
        self.asked, self.ranges = asked, ranges
        self.fetched: Counter[str] = Counter()
        self.docket = Docket(asked, ranges, bounds, self._evidence_of)
        self._told: dict[str, bytes] = {}
        self._facts = b""

    def _evidence_of(self, arn: str) -> Evidence:
        self.fetched[arn] += 1
        return copied(self.ledger.sessions[arn])

    def take(self, records: Sequence[RawRecord]) -> None:
        for record in decode(trail(*records)).records:
            self.ledger.take(record)
        self.tell()

    def tell(self) -> None:
        """Say to the docket what is not as it was."""
        self.ledger.settle()
        for arn, evidence in self.ledger.sessions.items():
            written = msgspec.msgpack.encode(evidence, order="deterministic")
            if self._told.get(arn) != written:
                self._told[arn] = written
                self.docket.note(arn, copied(evidence))
        facts = (self.ledger.grants, self.ledger.makings, self.ledger.accounts)
        written = msgspec.msgpack.encode(facts, order="deterministic")
        if written != self._facts:
            self._facts = written
            self.docket.set_facts(*facts)

    def forget(self, arn: str) -> None:
        del self.ledger.sessions[arn]
        del self._told[arn]
        self.docket.forget(arn)

    def check(self) -> None:
        assert shown(self.docket.judged()) == shown(judged(self.ledger, self.asked, self.ranges))


def copied(evidence: Evidence) -> Evidence:
    """As it comes from a database."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(evidence), type=Evidence)


def shown(told: Judged) -> tuple[str, int]:
    return to_document(told.findings, {}), told.workloads


def portions(records: Sequence[RawRecord], rng: random.Random, most: int) -> Iterable[Sequence[RawRecord]]:
    at = 0
    while at < len(records):
        size = rng.randint(1, most)
        yield records[at : at + size]
        at += size


@pytest.mark.parametrize("bounds", [TIGHT, Bounds()], ids=["tight", "usual"])
@settings(max_examples=150, deadline=None)
@given(records=histories(), rng=st.randoms(use_true_random=False), asked=st.sampled_from(ASKED), known=st.booleans())
def test_after_each_portion_of_any_history_it_equals_judging_all(
    bounds: Bounds, records: list[RawRecord], rng: random.Random, asked: Settings, known: bool
) -> None:
    watch = Watch(asked, RANGES if known else None, bounds)
    for portion in portions(records, rng, 4):
        watch.take(portion)
        watch.check()
        if rng.random() < 0.2 and watch.ledger.sessions:
            watch.forget(rng.choice(sorted(watch.ledger.sessions)))
            watch.check()


PLACES: list[dict[str, str]] = [
    {"address": "198.18.0.10"},
    {"address": "198.18.0.10"},
    {"address": "198.18.0.11"},
    {"address": "198.19.7.7"},
    {"address": "203.0.113.66"},
    {"address": "10.0.1.10", "endpoint": "vpce-0aaa"},
    {"address": "10.0.1.11", "endpoint": "vpce-0aaa"},
    {"address": "10.0.1.12", "endpoint": "vpce-0bbb"},
    {"address": "10.0.1.10", "endpoint": "vpce-0aaa", "endpoint_owner": "111122223333"},
    {"address": "10.0.1.11", "endpoint": "vpce-0bbb", "endpoint_owner": "444455556666"},
    {"address": "10.0.1.12", "endpoint": "vpce-0aaa", "endpoint_owner": "999988887777"},
]


@st.composite
def comings(draw: st.DrawFn) -> RawRecord:
    """A use by one of nine instances, from where others are too."""
    pick = st.sampled_from
    return use_record(
        instance=f"i-{draw(st.integers(1, 9)):017x}",
        account=draw(pick(["111122223333", "111122223333", "444455556666"])),
        time=f"2026-05-04T{draw(st.integers(8, 15)):02}:{draw(pick([0, 30])):02}:00Z",
        key=draw(pick(["ASIAEXAMPLEKEY00000A", "ASIAEXAMPLEMADE0000A"])),
        agent=draw(pick(["aws-cli/2.17.0", "aws-cli/2.17.0", "curl/8.1"])),
        source=draw(pick(["s3.amazonaws.com", "sqs.amazonaws.com"])),
        **draw(pick(PLACES)),
    )


@settings(max_examples=150, deadline=None)
@given(
    fleet=st.lists(st.one_of(comings(), comings(), comings(), grants(), makings()), min_size=20, max_size=60),
    rng=st.randoms(use_true_random=False),
    known=st.booleans(),
)
def test_after_each_portion_of_what_a_fleet_does_it_equals_judging_all(
    fleet: list[RawRecord], rng: random.Random, known: bool
) -> None:
    watch = Watch(Settings(), RANGES if known else None, Bounds())
    for portion in portions(fleet, rng, 8):
        watch.take(portion)
        watch.check()
        if rng.random() < 0.3 and watch.ledger.sessions:
            watch.forget(rng.choice(sorted(watch.ledger.sessions)))
            watch.check()


@pytest.mark.parametrize("seed", SEEDS)
def test_after_each_portion_of_a_simulated_world_it_equals_judging_all(seed: int) -> None:
    scenario, rng = world(seed), random.Random(seed)
    records = list(scenario.records)
    if seed % 2:
        rng.shuffle(records)
    watch = Watch(ASKED[seed % len(ASKED)], parse_ranges(json.dumps(scenario.ip_ranges).encode()), Bounds())
    for portion in portions(records, rng, len(records) // 6):
        watch.take(portion)
        watch.check()
    for arn in rng.sample(sorted(watch.ledger.sessions), 12):
        watch.forget(arn)
        watch.check()


@pytest.mark.parametrize("kind", sorted(crowds.CROWDS))
def test_as_each_session_of_a_crowd_comes_and_goes_it_equals_judging_all(kind: str) -> None:
    whole, rng = crowds.CROWDS[kind][0](9), random.Random(kind)
    whole.settle()
    watch = Watch(Settings(), crowds.ranges(), Bounds())
    arns = rng.sample(sorted(whole.sessions), len(whole.sessions))[:30]
    for number, arn in enumerate(arns):
        watch.ledger.sessions[arn] = whole.sessions[arn]
        if number == len(arns) // 2:
            watch.ledger.grants, watch.ledger.makings = whole.grants, whole.makings
        watch.tell()
        watch.check()
    for arn in rng.sample(arns, len(arns)):
        watch.forget(arn)
        watch.check()


NOBODY: dict[str, Any] = {"instance": "somebody", "delivery": None}
LONE = [through("10.0.1.10", VPCE, OWN, 0), lone()]
# What is said of a session at first, and by others then, by which it becomes something else.
SECOND_THOUGHTS = {
    "another endpoint for the service": (
        LONE,
        [through("10.0.1.20", "vpce-0ccc", None, instance=OTHER_INSTANCE, source=MONITORING)],
    ),
    "a service that names owners": (LONE, [through("10.0.2.2", "vpce-0ddd", OWN, **NOBODY, source=MONITORING)]),
    "an account that is ours": (
        [home(), through("10.0.1.10", VPCE, "444455556666", 5)],
        [use_record(**NOBODY, account="444455556666")],
    ),
    "an endpoint's owner": ([home(), through("10.0.1.10", VPCE, None, 5)], [through("10.0.2.2", VPCE, OWN, **NOBODY)]),
    "a neighbour behind the endpoint": (
        [home(), through("10.0.1.10", VPCE, None, 5)],
        [through("10.0.1.20", VPCE, None, 1, instance=OTHER_INSTANCE)],
    ),
    "an owner of the address": (
        [home(), home(5, address="198.18.0.77")],
        [allocation_record(account="444455556666", address="198.18.0.77", time="2026-05-04T09:00:00Z")],
    ),
    "a grant of the address": (
        [home(), home(5, address="198.18.0.77"), restart("10:30:00")],
        [
            asked(
                "AssociateAddress",
                {"publicIp": "198.18.0.77", "instanceId": VICTIM},
                {"_return": True, "associationId": "eipassoc-0a"},
                "2026-05-04T10:04:00Z",
            )
        ],
    ),
    "a restart": ([home(), home(5, address="198.18.0.77")], [restart("10:04:00")]),
    "another restart": (
        [home(), restart("10:04:00"), home(5, address="198.18.0.77"), home(30, address="198.18.0.78")],
        [restart("10:20:00")],
    ),
    "a name that was taken": (
        [home(), home(5, address="203.0.113.66", key="ASIATAKEN")],
        [
            use_record(instance="somebody", delivery=None, source="sts.amazonaws.com", event="AssumeRole")
            | {
                "requestParameters": {
                    "roleArn": "arn:aws:iam::111122223333:role/web-role",
                    "roleSessionName": VICTIM,
                },
                "responseElements": {
                    "credentials": {"accessKeyId": "ASIATAKEN"},
                    "assumedRoleUser": {"arn": f"arn:aws:sts::111122223333:assumed-role/web-role/{VICTIM}"},
                },
            }
        ],
    ),
    "an end of the instance": (
        [home(), home(59)],
        [asked("TerminateInstances", ENDED, ENDED, "2026-05-04T10:05:00Z")],
    ),
}


@pytest.mark.parametrize(("first", "then"), SECOND_THOUGHTS.values(), ids=SECOND_THOUGHTS)
def test_what_others_tell_can_change_what_is_found_of_a_session(first: list[RawRecord], then: list[RawRecord]) -> None:
    watch = Watch(Settings(), RANGES, Bounds())
    watch.take(first)
    watch.check()
    before = shown(watch.docket.judged())
    watch.take(then)
    watch.check()
    assert shown(watch.docket.judged())[0] != before[0]


def watching(kind: str, size: int) -> Watch:
    """All of a crowd, judged once."""
    watch = Watch(Settings(), crowds.ranges(), Bounds())
    watch.ledger = crowds.CROWDS[kind][0](size)
    watch.tell()
    watch.docket.judged()
    watch.fetched.clear()
    return watch


@pytest.mark.parametrize("kind", ["mixed", "programs", "masquerades"])
def test_noting_what_is_known_changes_nothing(kind: str) -> None:
    watch = watching(kind, 20)
    before = shown(watch.docket.judged())
    for arn, evidence in watch.ledger.sessions.items():
        watch.docket.note(arn, copied(evidence))
    assert shown(watch.docket.judged()) == before


def test_a_session_that_was_never_noted_is_forgotten_without_a_word() -> None:
    watch = watching("mixed", 20)
    watch.docket.forget("arn:aws:sts::111122223333:assumed-role/web-role/nobody")
    watch.check()


@pytest.mark.parametrize("kind", ["single", "one_address", "paired"])
def test_only_whom_a_newcomer_shares_an_address_with_is_fetched_again(kind: str) -> None:
    watch = watching(kind, 600)  # more than are kept at hand
    for number in range(3):
        place = network_of(crowds.address(1))
        crowds.use(watch.ledger, crowds.session(9000 + number), place)
        watch.tell()
        watch.check()
    assert set(watch.fetched) <= {crowds.session(1).arn}


def test_before_anything_is_noted_nothing_is_found() -> None:
    assert Watch(Settings(), None, Bounds()).docket.judged() == Judged([], 0)
