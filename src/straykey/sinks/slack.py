"""Each notification as a message to a Slack channel, by an incoming webhook.

Whoever knows the webhook's URL may write to the channel, so it is told nowhere.  Slack takes about one message a second
and says when it will take the next.
"""

from collections.abc import Sequence

from straykey.errors import UsageError
from straykey.formats.slack import to_message
from straykey.formats.text import as_json
from straykey.ports import Notification, Refusal
from straykey.sinks.delivery import in_turn
from straykey.sinks.http import Endpoint, Reach

PERMISSIONS: tuple[str, ...] = ()
_WHAT = "the Slack webhook"


class Slack:
    """`arguments`: the paths and options by which `straykey explain` finds the records."""

    def __init__(self, url: str, *, arguments: Sequence[str] = (), reach: Reach | None = None) -> None:
        reach = reach or Reach()
        self._endpoint = Endpoint(url, _WHAT, reach)
        self._arguments = tuple(arguments)
        if not self._endpoint.is_secure and not reach.allow_private:
            raise UsageError(f"{_WHAT}: its URL is a secret, and http would show it", hint="write it with https")

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        return in_turn(notifications, self._send)

    def _send(self, notification: Notification) -> Refusal | None:
        message = to_message(notification.finding, self._arguments)
        return self._endpoint.post(notification, as_json(message).encode(), {})
