"""What the thief made with a key, and how much of that he used: the pivots of a finding."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from straykey.core.evidence import Bounds, Evidence, Sighting
from straykey.core.finding import Finding, PivotUse
from straykey.core.making import Made
from straykey.core.pivot import Makings, Pivot, Taints, follow, taints, user_key
from straykey.core.portrait import scaled
from straykey.core.whereabouts import Whereabouts

_MOST_PIVOTS = 256
_MOST_AGAIN = 16  # of what another finding told already
_MOST_IN_ALL = 100_000
_MOST_ADDRESSES = 16


class Followed(msgspec.Struct, frozen=True):
    """What was made, and how much there was of it: `pivots` may be but a part."""

    pivots: tuple[PivotUse, ...]
    count: int


class Trails:
    """Follows makings through a ledger, to where what was made was used."""

    def __init__(
        self, makings: Makings, whereabouts: Whereabouts, evidence_of: Callable[[str], Evidence], bounds: Bounds
    ) -> None:
        self._makings = makings
        self._whereabouts = whereabouts
        self._evidence_of = evidence_of
        self._bounds = bounds
        self._uses_of: dict[tuple[str, int], PivotUse] = {}  # by identity of what was made, and depth
        self._followed = 0

    def made_from(self, arn: str, network: str, since: str = "") -> list[Made]:
        """What a session made from one network; `since`: after that time."""
        return [made for made in self._makings.from_network(arn, network) if made.time > since]

    def follow(self, seeds: Iterable[Made]) -> Followed:
        """All that came of these, the nearest first; of more than 256 what is no mere session goes before.

        A thousand thefts may end in one heap: from some number in all on, no more of each are followed than are told.
        """
        pivots = follow(seeds, self._makings, most=None if self._followed < _MOST_IN_ALL else _MOST_PIVOTS)
        self._followed += len(pivots)
        kept = sorted(pivots, key=lambda one: one.made.api == "AssumeRole")[:_MOST_PIVOTS]
        ordered = sorted(kept, key=lambda one: (one.depth, one.made.time, one.made.identity))
        return Followed(tuple(self._used_once(pivot) for pivot in ordered), len(pivots))

    def _used_once(self, pivot: Pivot) -> PivotUse:
        """Thefts that end in one heap share what is told of it."""
        key = pivot.made.identity, pivot.depth
        if key not in self._uses_of:
            self._uses_of[key] = self._used(pivot)
        return self._uses_of[key]

    def _used(self, pivot: Pivot) -> PivotUse:
        made, tainted = pivot.made, taints([pivot.made])
        parts = [(one, self._uses(one, tainted)) for one in self._seen(made, tainted)]
        used = [(one, uses) for one, uses in parts if uses]
        return PivotUse(
            time=made.time,
            call=made.call,
            made=made.made or None,
            access_key=made.access_key or None,
            uses=sum(uses for _, uses in used),
            depth=pivot.depth,
            account=made.account or None,
            region=made.region or None,
            event_id=made.event_id,
            addresses=sorted({one.network.address for one, _ in used})[:_MOST_ADDRESSES],
            first_used=min((max(one.first.time, made.time) for one, _ in used), default=None),
            last_used=max((one.last.time for one, _ in used), default=None),
        )

    def _seen(self, made: Made, tainted: Taints) -> list[Sighting]:
        if made.access_key:
            return self._whereabouts.of_key(made.access_key, self._evidence_of)
        is_user = tainted.users or tainted.passwords
        return self._whereabouts.of_user(user_key(made.made), self._evidence_of) if is_user else []

    def _uses(self, sighting: Sighting, tainted: Taints) -> int:
        """How many of the uses seen there are the thief's: counted where all are, else read off the sample."""
        if tainted.keys and sighting.keys.times.keys() <= tainted.keys:
            return sighting.events.count(self._bounds.events)
        arns = [*tainted.users, *tainted.passwords] or [""]
        theirs = sum(
            any(tainted.covers(arn, event.access_key, event.time) for arn in arns)
            for event in sighting.events.kept.values()
        )
        is_seen = bool(tainted.keys & sighting.keys.times.keys())
        return max(int(is_seen), scaled(theirs, sighting, self._bounds))


def told_once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, each making in full with the first that it came of; of what was told, the nearest few again."""
    told: set[tuple[str, ...]] = set()
    for finding in findings:
        fresh = {key for pivot in finding.pivots if (key := _identity(pivot)) not in told}
        if len(finding.pivots) - len(fresh) <= _MOST_AGAIN:
            yield finding
        else:
            again = [pivot for pivot in finding.pivots if _identity(pivot) not in fresh][_MOST_AGAIN - 1]
            place = finding.pivots.index(again)
            kept = [one for at, one in enumerate(finding.pivots) if at <= place or _identity(one) in fresh]
            yield replace(finding, pivots=kept)
        told |= fresh


def _identity(pivot: PivotUse) -> tuple[str, ...]:
    return pivot.event_id, pivot.time, pivot.call, pivot.made or "", pivot.access_key or ""
