"""Evidence and facts as bytes, for whoever keeps them longer than a process lives.

Equal evidence gives equal bytes.  The first byte is the version of the form: what an older version wrote stays
readable.  Fields are stored by place, so a new one goes to the end of its struct, with a default.
"""

from typing import TypeVar

import msgspec

from straykey.core.evidence import Evidence

S = TypeVar("S", bound=msgspec.Struct)

_VERSION = b"\x01"

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_evidence = msgspec.msgpack.Decoder(Evidence)


class UnknownVersionError(Exception):
    """Bytes that a later version wrote."""


def evidence_to_bytes(evidence: Evidence) -> bytes:
    """Of settled evidence; its samples are drawn."""
    for sighting in evidence.sightings.values():
        sighting.events.draw()
    return _VERSION + _encoder.encode(evidence)


def evidence_from_bytes(data: bytes) -> Evidence:
    return _evidence.decode(_body(data))


def fact_to_bytes(fact: msgspec.Struct) -> bytes:
    return _VERSION + _encoder.encode(fact)


def fact_from_bytes(data: bytes, shape: type[S]) -> S:
    return msgspec.msgpack.decode(_body(data), type=shape)


def _body(data: bytes) -> memoryview:
    if data[:1] != _VERSION:
        raise UnknownVersionError(f"version {data[0] if data else 'none'}")
    return memoryview(data)[1:]
