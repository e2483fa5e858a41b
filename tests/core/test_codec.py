"""Evidence as bytes."""

import msgspec
import pytest
from hypothesis import given, settings

from straykey.core.codec import (
    UnknownVersionError,
    evidence_from_bytes,
    evidence_to_bytes,
    fact_from_bytes,
    fact_to_bytes,
)
from straykey.core.grant import Grant
from straykey.core.making import Made
from tests.core.test_ledger_laws import histories, read
from tests.records import RawRecord, issuance_record, use_record


@settings(max_examples=100, deadline=None)
@given(histories())
def test_evidence_comes_back_as_it_was(records: list[RawRecord]) -> None:
    ledger = read(records)
    ledger.settle()
    for evidence in ledger.sessions.values():
        assert evidence_from_bytes(evidence_to_bytes(evidence)) == evidence
    for grant in ledger.grants:
        assert fact_from_bytes(fact_to_bytes(grant), Grant) == grant
    for made in ledger.makings:
        assert fact_from_bytes(fact_to_bytes(made), Made) == made


@settings(max_examples=100, deadline=None)
@given(histories())
def test_equal_evidence_gives_equal_bytes(records: list[RawRecord]) -> None:
    one, other = read(records), read(records[::-1])
    one.settle()
    other.settle()
    written = [{arn: evidence_to_bytes(each) for arn, each in ledger.sessions.items()} for ledger in (one, other)]
    assert written[0] == written[1]


def test_evidence_from_before_beacons_were_kept_is_still_read() -> None:
    ledger = read([issuance_record(), use_record(agent="curl/8.1")])
    ledger.settle()
    (evidence,) = ledger.sessions.values()
    written = evidence_to_bytes(evidence)
    assert written.endswith(b"\x80"), "no beacons, and they come last"
    *fields, _ = msgspec.msgpack.decode(written[1:])
    assert evidence_from_bytes(b"\x01" + msgspec.msgpack.encode(fields)) == evidence


@pytest.mark.parametrize("data", [b"", b"\x02", b"\xff" + msgspec.msgpack.encode(1)])
def test_bytes_of_a_later_version_are_refused(data: bytes) -> None:
    with pytest.raises(UnknownVersionError):
        evidence_from_bytes(data)
