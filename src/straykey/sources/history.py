"""CloudTrail's event history, by LookupEvents: management events of one account, 90 days back, region by region.

Nothing need be set up for it, but AWS answers two calls a second for the whole account, each with 50 events: what was
read must not be lost.  So a call that is throttled waits and comes again, a page token that has expired starts anew at
the last event reached, and where AWS refuses to go on, what was read is judged and what is missing is named.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from straykey import aws
from straykey.core.envelope import Decoded
from straykey.core.reading import decode
from straykey.core.record import Skipped
from straykey.errors import UsageError
from straykey.formats.text import printable
from straykey.ports import Batch, Source

if TYPE_CHECKING:
    from boto3.session import Session

NAME = "history:"
PERMISSION = "cloudtrail:LookupEvents"
# Where IAM, STS's global endpoint and sign-in are recorded.
GLOBAL = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_PAGE = 50
_SECONDS_BETWEEN_CALLS = 0.5
_WAITS_SECONDS = (1, 2, 4, 8, 16, 32, 32)
_TOKEN_EXPIRED = "InvalidNextTokenException"  # noqa: S105 - a page's

Tell = Callable[[str], None]
_Lookup = Callable[..., Mapping[str, Any]]


class Clock(msgspec.Struct, frozen=True):
    """How time passes."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Window(msgspec.Struct, frozen=True):
    """From when to when, both included; None for no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def parameters(self) -> dict[str, object]:
        bounds = {"StartTime": self.since, "EndTime": self.until}
        return {name: bound for name, bound in bounds.items() if bound is not None}


def history(paths: Iterable[str], window: Window, tell: Tell, clock: Clock | None = None) -> "History":
    """What `history:` or `history:eu-west-1,us-east-1` stand for, each region once; raises `SourceError`.

    Without names, that is the region of the AWS configuration and the one where global services are recorded.
    """
    session = aws.session()
    names = [name for path in paths for name in _named(path) or _usual(session)]
    known = _regions(session)
    for name in names:
        if name not in known:
            hint = "name regions such as history:eu-west-1,us-east-1; for a very new one upgrade boto3"
            raise UsageError(f"{NAME}{printable(name)}: no AWS region of that name", hint=hint)
    regions = [_Region(name, _lookup(session, name), window, clock or Clock()) for name in dict.fromkeys(names)]
    return History(regions, tell)


def _lookup(session: "Session", region: str) -> _Lookup:
    wrong: tuple[type[Exception], ...] = (ValueError, *aws.failures())  # an endpoint that is no address, say
    try:
        return session.client("cloudtrail", region_name=region, config=aws.settings()).lookup_events
    except wrong as error:
        raise aws.refusal(error, f"{NAME}{region}", PERMISSION) from error


def _named(path: str) -> list[str]:
    names = path.removeprefix(NAME)
    return [name.strip() for name in names.split(",")] if names else []


def _usual(session: "Session") -> list[str]:
    own = session.region_name
    if not own:
        return [GLOBAL["aws"]]
    if own not in _regions(session):
        return [own]
    return [own, GLOBAL.get(session.get_partition_for_region(own), own)]


def _regions(session: "Session") -> frozenset[str]:
    partitions = session.get_available_partitions()
    return frozenset(name for one in partitions for name in session.get_available_regions("cloudtrail", one))


class _Page(msgspec.Struct, frozen=True):
    """The texts of up to 50 records, the time of the oldest, and where the next page is; never to be shown."""

    texts: list[bytes]
    oldest: datetime | None
    token: str


class _Region:
    """One region's history, from its newest event back, and how far it was read."""

    def __init__(self, name: str, lookup: _Lookup, window: Window, clock: Clock) -> None:
        self.name = f"{NAME}{name}"
        self.events = 0
        self.oldest: datetime | None = None
        self.is_done = False
        self._lookup = lookup
        self._window = window
        self._clock = clock
        self._next_call = clock.now()

    def pages(self) -> Iterator[_Page]:
        token = ""
        while not self.is_done:
            try:
                page = self._page(token)
            except aws.failures() as error:
                if aws.code_of(error) != _TOKEN_EXPIRED or not self._can_go_on():
                    raise
                token = ""
                continue
            token = page.token
            self.events += len(page.texts)
            self.oldest = min(filter(None, (self.oldest, page.oldest)), default=None)
            self.is_done = not token
            yield page

    def _can_go_on(self) -> bool:
        """Let the window end at the oldest event reached; false if it does already: then tokens expire too fast."""
        reached = self.oldest
        if reached is None or (self._window.until is not None and reached >= self._window.until):
            return False
        self._window = Window(self._window.since, reached)
        return True

    def _page(self, token: str) -> _Page:
        for seconds in _WAITS_SECONDS:
            try:
                return self._asked(token)
            except aws.failures() as error:
                if not self._is_worth_waiting(error):
                    raise
            self._clock.sleep(seconds)
        return self._asked(token)

    def _is_worth_waiting(self, error: Exception) -> bool:
        # What never answered may have no such address: nobody should wait minutes for that.
        return aws.is_throttling(error) or (self.events > 0 and aws.is_passing(error))

    def _asked(self, token: str) -> _Page:
        wait = self._next_call - self._clock.now()
        if wait > 0:
            self._clock.sleep(wait)
        self._next_call = self._clock.now() + _SECONDS_BETWEEN_CALLS
        place = {"NextToken": token} if token else {}
        answer = self._lookup(MaxResults=_PAGE, **self._window.parameters(), **place)
        events = answer.get("Events", [])
        return _Page(
            [event.get("CloudTrailEvent", "").encode("utf-8", "surrogatepass") for event in events],
            min((event["EventTime"] for event in events if "EventTime" in event), default=None),
            answer.get("NextToken", ""),
        )

    def told(self) -> str:
        """How far it was read; a scan since then reads just that."""
        reached = f", back to {_written(self.oldest)}" if self.oldest else ""
        missing = "" if self.is_done else "; the rest is missing"
        return f"history   {self.name.removeprefix(NAME)}: {self.events:,} events{reached}{missing}"


class History:
    """A source of batches, one for each page; `tell` is told what is read, how far, and why not further."""

    def __init__(self, regions: Sequence[_Region], tell: Tell) -> None:
        self._regions = regions
        self._tell = tell

    @property
    def is_bound(self) -> bool:
        """True: it can be read but slowly, however many would."""
        return True

    @property
    def contents(self) -> list[tuple[str, int]]:
        """Each region; nobody knows how much there is."""
        return [(region.name, 0) for region in self._regions]

    def shares(self, _jobs: int) -> list[Source]:
        return [self]

    def batches(self) -> Iterator[Batch]:
        names = ", ".join(region.name.removeprefix(NAME) for region in self._regions)
        self._tell(
            f"history   {names}: management events of the last 90 days of one account; "
            "no data events (S3 GetObject), no other region"
        )
        for region in self._regions:
            yield from self._batches_of(region)

    def _batches_of(self, region: _Region) -> Iterator[Batch]:
        try:
            for page in region.pages():
                yield Batch(region.name, sum(map(len, page.texts)), map(decode, page.texts))
        except aws.failures() as error:
            refusal = aws.refusal(error, region.name, PERMISSION)
            if not any(one.events or one.is_done for one in self._regions):
                raise refusal from error
            self._tell(f"history   {refusal}" + (f": {refusal.hint}" if refusal.hint else ""))
            yield Batch(region.name, 0, iter((Decoded(skipped=Counter({Skipped.REFUSED: 1})),)))
        finally:  # interrupted, too
            if region.events or region.is_done:
                self._tell(region.told())


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
