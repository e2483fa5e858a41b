"""Each notification to a URL, signed, so that its receiver can tell that it comes from here, whole and lately.

`X-Straykey-Signature: t=<seconds since 1970>,v1=<hex>`, where hex is the HMAC-SHA256 of `<t>.<body>` by the secret that
both sides know.  `Idempotency-Key` stays the same however often a notification comes.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence

from straykey.errors import UsageError
from straykey.formats.notification import Shape, within
from straykey.ports import Notification, Refusal
from straykey.sinks.delivery import in_turn, too_large
from straykey.sinks.http import Endpoint, Reach

PERMISSIONS: tuple[str, ...] = ()
_WHAT = "the webhook"
# What web servers commonly take.
_MOST_BYTES = 1_000_000


class Webhook:
    """`now` tells the seconds since 1970, as `time.time` does."""

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        now: Callable[[], float],
        shape: Shape = Shape.JSON,
        reach: Reach | None = None,
    ) -> None:
        if not secret:
            raise UsageError(f"{_WHAT}: no secret to sign with", hint="any long random text that its receiver knows")
        self._endpoint = Endpoint(url, _WHAT, reach or Reach())
        self._secret = secret.encode()
        self._now = now
        self._shape = shape

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        return in_turn(notifications, self._send)

    def _send(self, notification: Notification) -> Refusal | None:
        line = within(_MOST_BYTES, notification, self._shape)
        if line is None:
            return too_large(notification, self._endpoint.host)
        body = line.encode()
        return self._endpoint.post(notification, body, {"X-Straykey-Signature": self._signature(body)})

    def _signature(self, body: bytes) -> str:
        signed_at = int(self._now())
        digest = hmac.new(self._secret, f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={signed_at},v1={digest}"
