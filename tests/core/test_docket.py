"""Judged again and again, a docket says what judging the whole ledger would say; and asks little for it."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from straykey.core.docket import Docket
from straykey.core.evidence import Bounds, Evidence
from straykey.core.judge import Judged, judged
from straykey.core.ledger import Ledger
from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.core.reading import decode
from straykey.core.settings import Settings
from straykey.formats.finding_json import to_document
from tests import crowds
from tests.core.test_ledger_laws import TIGHT, histories
from tests.records import RawRecord, trail
from tests.seen import RANGES, trusting
from tests.sim.trials import world

ASKED = [
    Settings(),
    Settings(require_issuance=True, accounts=frozenset({"999988887777"})),
    Settings(report_service_calls=True, agents={"111122223333/web-role": frozenset({"aws-cli"})}),
    trusting("203.0.113.0/24"),
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
@settings(max_examples=250, deadline=None)
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


@pytest.mark.parametrize("seed", range(30))
def test_after_each_portion_of_a_simulated_world_it_equals_judging_all(seed: int) -> None:
    """Any thirty seeds in a row play every kind of theft and of change."""
    scenario, rng = world(seed), random.Random(seed)
    records = list(scenario.records)
    if seed % 2:
        rng.shuffle(records)
    watch = Watch(ASKED[seed % len(ASKED)], parse_ranges(json.dumps(scenario.ip_ranges).encode()), Bounds())
    for portion in portions(records, rng, len(records) // 8):
        watch.take(portion)
        watch.check()
    for arn in rng.sample(sorted(watch.ledger.sessions), 12):
        watch.forget(arn)
        watch.check()


@pytest.mark.parametrize("kind", sorted(crowds.CROWDS))
def test_as_each_session_of_a_crowd_comes_and_goes_it_equals_judging_all(kind: str) -> None:
    whole, rng = crowds.CROWDS[kind][0](30), random.Random(kind)
    whole.settle()
    watch = Watch(Settings(), crowds.ranges(), Bounds())
    arns = rng.sample(sorted(whole.sessions), len(whole.sessions))[:60]
    for number, arn in enumerate(arns):
        watch.ledger.sessions[arn] = whole.sessions[arn]
        if number == len(arns) // 2:
            watch.ledger.grants, watch.ledger.makings = whole.grants, whole.makings
        watch.tell()
        watch.check()
    for arn in rng.sample(arns, len(arns)):
        watch.forget(arn)
        watch.check()
