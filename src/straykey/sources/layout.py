"""CloudTrail's object keys: what a key tells of a log, and which keys a listing may leap over.

    [prefix/]AWSLogs/[o-organization/]account/CloudTrail/region/YYYY/MM/DD/name

A listing comes in the order of the keys, and can begin behind any text.  So it leaps: over the folders of what is no
log (digests, Config, load balancers), and in each region over the days that were not asked for.  A leap never goes over
a log of a wanted day; `tests/sources/test_layout.py` holds this against listing everything.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta

import msgspec

# An account's folder.  If a prefix holds another such folder, the first one counts.
_ACCOUNT = re.compile(
    r"(?P<prefix>(?:.*?/)?)AWSLogs/(?:(?P<organization>o-[a-z0-9]+)/)?(?P<account>[0-9]{12})/", re.DOTALL
)
# Management and data events, and what came through VPC endpoints.  Digests, Insights and sums lie in others.
_LOGS = frozenset({"CloudTrail", "CloudTrail-NetworkActivity"})
_DAY = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})/[^/]+")
# The text that comes right behind everything in a folder begins with this instead of the folder's last "/".
_AFTER_SLASH = chr(ord("/") + 1)
_MARGIN = timedelta(days=1)


class LogKey(msgspec.Struct, frozen=True):
    """What the key of a log tells; `prefix` is what stands before AWSLogs, `organization` is empty without one."""

    prefix: str
    organization: str
    account: str
    region: str
    day: date


class Days(msgspec.Struct, frozen=True):
    """The days whose logs may hold records of a period, first and last; None for no bound.

    A log lies in the folder of the day it was delivered on, which is minutes after its records were made, sometimes
    hours; and each service has its own clock.  So a day more at either end is read; the records are sorted out later.
    """

    first: date | None = None
    last: date | None = None

    def holds(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


def days_of(since: str, until: str) -> Days:
    """The days of a period, whose ends have the form of `moment`, or are empty."""
    first = last = None
    with suppress(OverflowError):  # the last day there is has none after it: no bound
        first = date.fromisoformat(since[:10]) - _MARGIN if since else None
        last = date.fromisoformat(until[:10]) + _MARGIN if until else None
    return Days(first, last)


def parse(key: str) -> LogKey | None:
    """What the key of a CloudTrail log tells; None for the key of anything else."""
    root = _ACCOUNT.match(key)
    if root is None:
        return None
    folder, _, rest = key[root.end() :].partition("/")
    region, _, rest = rest.partition("/")
    day = _DAY.fullmatch(rest)
    if folder not in _LOGS or not region or day is None:
        return None
    try:
        on = date(*map(int, day.groups()))
    except ValueError:
        return None
    return LogKey(root["prefix"], root["organization"] or "", root["account"], region, on)


def leap(key: str, days: Days) -> str:
    """Where to go on listing after `key`: behind `key` itself, or further if no log of `days` lies between.

    It is text to begin behind, and never the key of a log itself.
    """
    root = _ACCOUNT.match(key)
    if root is None:
        return key
    folder, is_in_folder, rest = key[root.end() :].partition("/")
    _, is_in_region, rest = rest.partition("/")
    if is_in_folder and folder not in _LOGS:
        return key[: root.end()] + folder + _AFTER_SLASH
    if not is_in_region:
        return key
    of_region = key.removesuffix(rest)
    if days.first and rest < (first := _written(days.first)):
        return of_region + first
    if days.last and rest[:10] > _written(days.last):
        return of_region[:-1] + _AFTER_SLASH
    return key


def _written(day: date) -> str:
    return day.isoformat().replace("-", "/")


class Object(msgspec.Struct, frozen=True, gc=False):
    """An object of a bucket; `is_log` tells whether to read it."""

    key: str
    size: int
    is_log: bool = True


class Page(msgspec.Struct, frozen=True):
    """Part of a listing, in the order of the keys."""

    objects: list[tuple[str, int]]
    is_last: bool


def logs(page_behind: Callable[[str], Page], prefix: str, days: Days) -> Iterator[Object]:
    """The logs of `days` among the objects whose keys begin with `prefix`, in the order of their keys.

    What is no log comes too, marked so: each object outside the layout, and the first one of each folder leapt over.
    An object that has `prefix` for its whole key was asked for: it alone comes, whatever it is.
    """
    behind = ""
    while True:
        page = page_behind(behind)
        for key, size in page.objects:
            if key == prefix and not _is_marker(key):
                yield Object(key, size)
                return
            if key <= behind:
                continue
            behind = leap(key, days)
            if not _is_marker(key):
                yield from _wanted(key, size, days)
        if page.is_last:
            return


def _wanted(key: str, size: int, days: Days) -> Iterator[Object]:
    log = parse(key)
    if log is None:
        yield Object(key, 0, is_log=False)
    elif days.holds(log.day):
        yield Object(key, size)


def _is_marker(key: str) -> bool:
    """True for what the console puts where somebody made a folder."""
    return key.endswith("/")
