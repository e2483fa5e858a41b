"""Evidence and facts as bytes, for whoever keeps them longer than a process lives.

Equal evidence gives equal bytes.  The first byte is the version of the form: what an older version wrote stays
readable.  Fields are stored by place, so a new one goes to the end of its struct, with a default.

Most of evidence are its samples of events, and most events of a sample are alike but for time and id.  So what they
have in common is stored once, which makes evidence half as long.
"""

from collections import defaultdict
from collections.abc import Callable
from operator import attrgetter
from typing import TypeVar

import msgspec

from straykey.core.calls import TIME
from straykey.core.evidence import Evidence, Sighting
from straykey.core.network import Lane, Network
from straykey.core.observation import Event, Issuance
from straykey.core.sample import Events, Firsts, Witnesses
from straykey.core.session import Session

S = TypeVar("S", bound=msgspec.Struct)

_VERSION, _SPELT_OUT = b"\x02", b"\x01"  # the older form has each event by itself


_Kind = tuple[str, str, str, str, str]  # call, region, access key, agent, error
_KIND_OF: Callable[[Event], _Kind] = attrgetter("call", "region", "access_key", "agent", "error")


class UnknownVersionError(Exception):
    """Bytes that a later version wrote."""


class _Alike(msgspec.Struct, array_like=True, gc=False):
    """Events that differ by their stamps only, which are in order."""

    kind: _Kind
    stamps: list[str]


class _Sample(msgspec.Struct, array_like=True, gc=False):
    """`others` are events that are not known by their own id."""

    limit: int
    alike: list[_Alike]
    others: dict[str, Event]


class _Sighting(msgspec.Struct, array_like=True, gc=False):
    network: Network
    first: Event
    last: Event
    events: _Sample
    hours: Firsts
    keys: Firsts
    agents: Witnesses
    calls: Firsts
    deliveries: Firsts
    issued: str


class _Evidence(msgspec.Struct, array_like=True, gc=False):
    session: Session
    sightings: dict[str, _Sighting]
    earliest: dict[Lane, tuple[Event, Network]]
    issuances: dict[str, Issuance]
    role_arns: Firsts
    scopes: Firsts
    has_more_issuances: bool
    crowded: dict[Lane, int]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_evidence = msgspec.msgpack.Decoder(_Evidence)
_spelt_out = msgspec.msgpack.Decoder(Evidence)


def evidence_to_bytes(evidence: Evidence) -> bytes:
    """Of settled evidence; its samples are drawn."""
    _, _, *others = msgspec.structs.astuple(evidence)
    sightings = {key: _to_stored(sighting) for key, sighting in evidence.sightings.items()}
    return _VERSION + _encoder.encode(_Evidence(evidence.session, sightings, *others))


def evidence_from_bytes(data: bytes) -> Evidence:
    if data[:1] == _SPELT_OUT:
        return _spelt_out.decode(_body(data, _SPELT_OUT))
    stored = _evidence.decode(_body(data, _VERSION))
    _, _, *others = msgspec.structs.astuple(stored)
    sightings = {key: _from_stored(sighting) for key, sighting in stored.sightings.items()}
    return Evidence(stored.session, sightings, *others)


def _to_stored(sighting: Sighting) -> _Sighting:
    network, first, last, events, *others = msgspec.structs.astuple(sighting)
    return _Sighting(network, first, last, _to_sample(events), *others)


def _from_stored(stored: _Sighting) -> Sighting:
    network, first, last, sample, *others = msgspec.structs.astuple(stored)
    return Sighting(network, first, last, _from_sample(sample), *others)


def _to_sample(events: Events) -> _Sample:
    alike: defaultdict[_Kind, list[str]] = defaultdict(list)
    others: dict[str, Event] = {}
    for identity, event in events.kept.items():
        time = event.time
        if event.event_id == identity and len(time) == TIME:
            alike[_KIND_OF(event)].append(time + identity)
        else:
            others[identity] = event
    return _Sample(events.limit, [_Alike(kind, sorted(stamps)) for kind, stamps in sorted(alike.items())], others)


def _from_sample(sample: _Sample) -> Events:
    drawn = dict(sample.others)
    for one in sample.alike:
        call, region, access_key, agent, error = one.kind
        for stamp in one.stamps:
            event_id = stamp[TIME:]
            drawn[event_id] = Event(stamp[:TIME], event_id, call, region, access_key, agent, error)
    return Events(drawn, sample.limit)


def fact_to_bytes(fact: msgspec.Struct) -> bytes:
    return _SPELT_OUT + _encoder.encode(fact)


def fact_from_bytes(data: bytes, shape: type[S]) -> S:
    return msgspec.msgpack.decode(_body(data, _SPELT_OUT), type=shape)


def _body(data: bytes, version: bytes) -> memoryview:
    if data[:1] != version:
        raise UnknownVersionError(f"version {data[0] if data else 'none'}")
    return memoryview(data)[1:]
