"""AWS's address ranges, from a file the user names or from a copy downloaded at most once a week.

Without network the last copy serves, however old; without a copy there are none, and findings say Unknown.
"""

from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.errors import RangesError, UsageError

PUBLISHED_AT = "https://ip-ranges.amazonaws.com/ip-ranges.json"
_WEEK = timedelta(days=7)
_WAIT_SECONDS = 5
_LARGEST = 64 << 20


class Obtained(msgspec.Struct, frozen=True):
    """Ranges, or None with the reason in `told`; `told` is one line for the user either way."""

    ranges: AwsRanges | None
    told: str


def from_file(path: Path, *, now: datetime) -> Obtained:
    """Read a copy of ip-ranges.json; raises `UsageError` or `RangesError`."""
    try:
        ranges = parse_ranges(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint=f"fetch {PUBLISHED_AT}") from error
    except RangesError as error:
        raise RangesError(f"{path}: {error}", hint=error.hint) from error
    return Obtained(ranges, _told(ranges, str(path), now))


def from_cache(folder: Path, *, now: datetime, url: str = PUBLISHED_AT) -> Obtained:
    """Use the copy in `folder`, fetching a new one first when there is none or it is over a week old.

    An empty `url` forbids fetching.
    """
    copy = folder / "ip-ranges.json"
    failure = "" if _is_fresh(copy, now) else _download(url, copy)
    try:
        ranges = parse_ranges(copy.read_bytes())
    except (OSError, RangesError):
        return Obtained(
            None, f"unknown, every public stray will be of type Unknown ({failure or 'the copy is broken'})"
        )
    stale = f"; no newer copy: {failure}" if failure else ""
    return Obtained(ranges, _told(ranges, "cached", now) + stale)


def _is_fresh(copy: Path, now: datetime) -> bool:
    try:
        return now.timestamp() - copy.stat().st_mtime < _WEEK.total_seconds()
    except OSError:
        return False


def _download(url: str, copy: Path) -> str:
    """Put a new copy in place; returns why not, or nothing."""
    if not url:
        return "offline"
    import urllib.request  # noqa: PLC0415 - a tenth of the start, and hardly ever needed

    try:
        with urllib.request.urlopen(url, timeout=_WAIT_SECONDS) as answer:  # noqa: S310 - the caller's own constant
            document = answer.read(_LARGEST)
        parse_ranges(document)
        copy.parent.mkdir(parents=True, exist_ok=True)
        fresh = copy.with_suffix(".new")
        fresh.write_bytes(document)
        fresh.replace(copy)
    except (OSError, ValueError, RangesError) as error:  # urllib's URLError is an OSError
        return f"download failed: {error}"
    return ""


def _told(ranges: AwsRanges, origin: str, now: datetime) -> str:
    created = ranges.created_at
    age = f", {max(0, (now - created).days)} days old" if created else ""
    return f"token {ranges.token}, created {ranges.created}{age} ({origin})"
