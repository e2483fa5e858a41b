"""Times as records write them, brought to one form in which text order is time order: `2026-05-04T10:31:12Z`."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_HOUR = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}")
# What follows the hour in the one form of `moment`: `:00:00Z` to `:59:59Z`.
RESTS_OF_HOUR = frozenset(f":{minute:02}:{second:02}Z" for minute in range(60) for second in range(60))


def moment(text: str | None) -> str | None:
    """Bring a time to the one form `2026-05-04T10:31:12Z`, in which text order is time order; None for no date."""
    if text is None:
        return None
    if text[13:] in RESTS_OF_HOUR and _is_hour(text[:13]):
        return text
    try:
        parsed = datetime.fromisoformat(text)
        return _written(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _written(aware: datetime) -> str | None:
    """The one form of a time; None for years that `strftime` writes with fewer than four digits."""
    utc = aware.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ") if utc.year >= 1000 else None


@lru_cache(maxsize=8192)
def _is_hour(text: str) -> bool:
    if _HOUR.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


# Seen: "Jul 10, 2023, 6:30:22 PM" and, until 2019, "Jul 4, 2019 4:29:29 PM"; newer JDKs put a narrow space before PM.
_EXPIRY = re.compile(r"([A-Z][a-z]{2}) ([0-9]{1,2}), ([0-9]{4}),? ([0-9]{1,2}):([0-9]{2}):([0-9]{2})\s([AP])M")
_MONTHS = {
    name: f"{number:02}"
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_USUAL_LIFETIME = timedelta(hours=6, minutes=40)


def expiry(text: str, *, issued: str) -> str:
    """Read the expiration EC2's AssumeRole records carry; where it cannot be read, the longest life seen is taken."""
    return _spelled_time(text) or moment(text) or _usual_expiry(issued)


def _usual_expiry(issued: str) -> str:
    try:
        return _written(datetime.fromisoformat(issued) + _USUAL_LIFETIME) or issued
    except OverflowError:
        return issued  # the last hours of the year 9999


def _spelled_time(text: str) -> str | None:
    match = _EXPIRY.fullmatch(text)
    if match is None:
        return None
    month, day, year, hour, minute, second, half = match.groups()
    if month not in _MONTHS:
        return None
    of_day = int(hour) % 12 + (12 if half == "P" else 0)
    return moment(f"{year}-{_MONTHS[month]}-{day:0>2}T{of_day:02}:{minute}:{second}Z")


@lru_cache(maxsize=8192)
def seconds(time: str) -> int:
    """Seconds since 1970 of a time in the form of `moment`."""
    return int(datetime.fromisoformat(time).timestamp())


def later(time: str, by_seconds: int) -> str:
    """The time so many seconds after one in the form of `moment`."""
    try:
        return _written(datetime.fromisoformat(time) + timedelta(seconds=by_seconds)) or time
    except OverflowError:
        return time  # the last hours of the year 9999
