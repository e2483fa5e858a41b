"""What a perimeter stops and what it breaks: its documents, put to the calls that were recorded.

Nothing is guessed: where the answer hangs on what neither logs nor account say, it is unknown.  The numbers are those
of the calls that evidence keeps; of a network with very many that is a sample.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from straykey.contain.policy import Answer, Verdict
from straykey.contain.request import request_of
from straykey.contain.services import GLOBAL, doorways
from straykey.contain.theft import Called, Caller
from straykey.contain.trial import Trial
from straykey.core.network import PUBLIC_LANES, Network
from straykey.core.reasons import is_denied
from straykey.harden.perimeter import EXEMPT_TAG, GUARDED, Artifact, Kind
from straykey.harden.worker import Places, Worker

_SHOWN = 20
_NEVER_DENIED = "sts:GetCallerIdentity"
_TAG = frozenset({f"aws:principaltag/{EXEMPT_TAG}"})  # the rehearsal is of roles that nobody exempted
_GUARDED = frozenset(one.partition(":")[0] for one in GUARDED)


class Refused(msgspec.Struct, frozen=True, order=True):
    """Calls of one kind from one network that would be denied, or that may be."""

    call: str
    network: Network
    count: int


class Count(msgspec.Struct, frozen=True):
    """Calls, and what becomes of them; what was denied when it was made, and what no policy denies, is not put.

    `by_endpoint`: those of `denied` that reach their service on a public way though its region may have an endpoint:
    with one in their VPC they pass.  `hangs_on`: the condition keys of unknown answers.
    """

    calls: int = 0
    denied: int = 0
    unknown: int = 0
    by_endpoint: int = 0
    hangs_on: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    unsure: tuple[Refused, ...] = ()


class OfRole(msgspec.Struct, frozen=True):
    """What one document does to one role: to its own calls, and to a thief's with its keys."""

    account: str
    role: str
    home: Count
    thief: Count


class Rehearsal:
    """Puts the workers of one role after the other to all documents."""

    def __init__(self, artifacts: Iterable[Artifact], places: Places) -> None:
        """Read them.  Raises PolicyError for one that is not understood to the letter."""
        self.artifacts = tuple(artifacts)
        self._vpcs = places.endpoints
        self._trials = [
            Trial(one.document, names_principals=one.kind in (Kind.RCP, Kind.ENDPOINT), absent=_TAG)
            for one in self.artifacts
        ]

    def of_role(self, workers: list[Worker]) -> list[OfRole | None]:
        """By document; None for one that is not about this role."""
        account, role = workers[0].whose
        return [
            OfRole(
                account,
                role,
                self._count(number, ((one.partition, one.home) for one in workers)),
                self._count(number, ((one.partition, one.thief) for one in workers)),
            )
            if artifact.is_about(account, role)
            else None
            for number, artifact in enumerate(self.artifacts)
        ]

    def verdict(self, number: int, partition: str, caller: Caller, called: Called) -> Verdict:
        """What one document would have done to one call."""
        if not _is_put(self.artifacts[number], called):
            return Verdict(Answer.ALLOWED)
        request = request_of(caller, called, partition, self._vpcs)
        return self._trials[number].verdict(request, caller, called, partition)

    def _count(self, number: int, callers: Iterable[tuple[str, Caller]]) -> Count:
        tally = _Tally()
        for partition, caller in callers:
            for called, count in _kinds(caller):
                verdict = self.verdict(number, partition, caller, called)
                tally.take(called, verdict, count, is_by_endpoint=has_doorway(caller, called))
        return tally.count()


def _is_put(artifact: Artifact, called: Called) -> bool:
    """An endpoint's policy judges what comes through it, an RCP calls to some services only."""
    if artifact.kind is Kind.ENDPOINT:
        return called.network.endpoint in artifact.endpoints
    return artifact.kind is not Kind.RCP or called.call.partition(":")[0] in _GUARDED


def _kinds(caller: Caller) -> list[tuple[Called, int]]:
    """Calls that no policy of ours can tell apart are one question; how many they are."""
    counts: Counter[tuple[object, ...]] = Counter()
    first: dict[tuple[object, ...], Called] = {}
    for called in caller.calls:
        if is_denied(called.error) or called.call == _NEVER_DENIED:
            continue
        kind = (called.call, called.region, called.network.key, called.delivery)
        counts[kind] += 1
        first.setdefault(kind, called)
    return [(first[kind], count) for kind, count in counts.items()]


class _Tally:
    """What became of some calls."""

    def __init__(self) -> None:
        self._answers: Counter[Answer] = Counter()
        self._refused: Counter[tuple[str, Network]] = Counter()
        self._unsure: Counter[tuple[str, Network]] = Counter()
        self._keys: set[str] = set()
        self._by_endpoint = 0

    def take(self, called: Called, verdict: Verdict, count: int, *, is_by_endpoint: bool) -> None:
        self._answers[verdict.answer] += count
        self._keys.update(verdict.keys)
        if verdict.answer is Answer.DENIED:
            self._refused[called.call, called.network] += count
            self._by_endpoint += count if is_by_endpoint else 0
        elif verdict.answer is Answer.UNKNOWN:
            self._unsure[called.call, called.network] += count

    def count(self) -> Count:
        return Count(
            calls=self._answers.total(),
            denied=self._answers[Answer.DENIED],
            unknown=self._answers[Answer.UNKNOWN],
            by_endpoint=self._by_endpoint,
            hangs_on=tuple(sorted(self._keys)),
            refused=_most(self._refused),
            unsure=_most(self._unsure),
        )


def has_doorway(caller: Caller, called: Called) -> bool:
    """True for a call on a public way to a service of the caller's region that an endpoint leads to."""
    source = called.call.partition(":")[0].partition(".")[0]
    is_near = called.network.lane in PUBLIC_LANES and called.region in ("", caller.region)
    return is_near and source not in GLOBAL and bool(doorways(source))


def _most(counts: Counter[tuple[str, Network]]) -> tuple[Refused, ...]:
    counted = sorted(Refused(call, network, count) for (call, network), count in counts.items())
    return tuple(sorted(counted, key=lambda one: one.count, reverse=True)[:_SHOWN])
