"""How far the logs were read: what is older than that is not expected any more.

The newest record does not tell: a queue that waited for days gives its messages in no order, a bucket is listed region
after region, and the event history comes from its newest end.  Whoever let sessions leave by that would take a thief
for the home of a session whose own records are still to come.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from straykey.watch.feed import Feed
from straykey.watch.inbox import Held

# Longer than a message that could not be read is put off.
WINDOW_SECONDS = 1_200.0


class Horizon:
    """Of all sources of one process."""

    def __init__(self, seconds: Callable[[], float], window_seconds: float = WINDOW_SECONDS) -> None:
        self._seconds = seconds
        self._window_seconds = window_seconds
        self._began = seconds()
        self._sent: deque[tuple[float, float]] = deque()  # when messages were taken in, and when the oldest was sent

    def note(self, held: Iterable[Held]) -> None:
        """These were taken in."""
        sent = [parcel.sent for _, parcel in held if parcel.sent is not None]
        if sent:
            self._sent.append((self._seconds(), min(sent)))

    def time(self, newest: str, feeds: Iterable[Feed], failing: Iterable[str]) -> str:
        """Up to when all was read, if `newest` is the time of the newest record; empty while nobody can say.

        A log is made before a message tells of it.  So it is no later than the oldest message of the last minutes.
        """
        since = self._seconds() - self._window_seconds
        if self._began > since or any(feed.is_behind() for feed in feeds) or any(failing):
            return ""
        while self._sent and self._sent[0][0] < since:
            self._sent.popleft()
        oldest = min((sent for _, sent in self._sent), default=None)
        return newest if oldest is None else min(newest, f"{datetime.fromtimestamp(oldest, UTC):%Y-%m-%dT%H:%M:%SZ}")
