"""How JSON is posted to somebody's URL; the one module that imports httpx, and only once it is needed.

The address is looked up once, judged, and connected to as judged: who answers for the name could tell the second who
asks another one (DNS rebinding).  The certificate is still held against the name.  Not httpx's client is used, but its
transport: the client follows redirects, obeys proxies of the environment, and logs URLs, which may be secrets.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Timer
from typing import TYPE_CHECKING, Any

import msgspec

from straykey.core.network import IPAddress
from straykey.errors import UsageError
from straykey.formats.text import printable
from straykey.ports import Notification, Refusal
from straykey.sinks.address import objection
from straykey.sinks.delivery import Shut, reason

if TYPE_CHECKING:
    from ssl import SSLContext

    import httpx

# A receiver that says so has looked at what it was sent.
_FINAL = frozenset({400, 413, 422})
_SHUT = frozenset({429, 503})
_MOST_ADDRESSES = 4
_LONGEST_WAIT_SECONDS = 86_400.0


def looked_up(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver tells, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class Reach(msgspec.Struct, frozen=True):
    """How far to go to reach a URL: `certificates` are those of authorities trusted beside the public ones, in PEM.

    `seconds` bound one try at one address, however slowly the other side talks.
    """

    allow_private: bool = False
    certificates: Path | None = None
    seconds: float = 10.0
    look_up: Callable[[str, int], list[str]] = looked_up


class Endpoint:
    """A URL to post to, of which only the host's name is ever told; raises `UsageError` if it cannot be one."""

    def __init__(self, url: str, what: str, reach: Reach) -> None:
        self._url = _url(url, what)
        self.host = printable(self._url.host)
        self._reach = reach
        self._trust = _trust(reach, what)
        literal = _parsed(self._url.host)
        if literal and (wrong := objection(literal, allow_private=reach.allow_private)):
            hint = "allow private addresses for it" if not objection(literal, allow_private=True) else ""
            raise UsageError(f"{what}: {literal} is a {wrong} address", hint=hint)

    @property
    def is_secure(self) -> bool:
        return self._url.scheme == "https"

    def post(self, notification: Notification, body: bytes, headers: Mapping[str, str]) -> Refusal | None:
        """What the other side says of it; raises `Shut` where it does not get that far."""
        status, wait = self._posted(body, {**headers, "Idempotency-Key": notification.key})
        if 200 <= status < 300:
            return None
        told = f"{self.host} answered {status}"
        if 300 <= status < 400:
            told += ", a redirect, and none is followed"
        if status in _SHUT:
            raise Shut(told, wait)
        return Refusal(notification.key, reason(told), status in _FINAL, None if status in _FINAL else wait)

    def _posted(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        import httpx  # noqa: PLC0415 - an extra

        failure: httpx.TransportError | None = None
        for address in self._addresses():
            try:
                return self._posted_to(address, body, headers)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent: the next may do
                failure = error
            except httpx.TransportError as error:
                raise Shut(f"{self.host}: no answer ({type(error).__name__})") from error
        if "CERTIFICATE_VERIFY_FAILED" in str(failure):
            raise Shut(f"{self.host}: its certificate is not trusted, or not for that name") from failure
        raise Shut(f"{self.host}: no connection ({type(failure).__name__})") from failure

    def _addresses(self) -> list[IPAddress]:
        """All of them are judged: which one a caller gets may be chance, or somebody's choice."""
        try:
            found = self._reach.look_up(self._url.raw_host.decode("ascii"), self._url.port or 0)
        except (OSError, UnicodeError) as error:  # the latter of a name that is too long
            raise Shut(f"{self.host}: no address of that name is known") from error
        addresses = [address for text in found if (address := _parsed(text))]
        for address in addresses:
            if wrong := objection(address, allow_private=self._reach.allow_private):
                raise Shut(f"{self.host} leads to {address}, a {wrong} address")
        if not addresses:
            raise Shut(f"{self.host}: no address of that name is known")
        return addresses[:_MOST_ADDRESSES]

    def _posted_to(self, address: IPAddress, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        import httpx  # noqa: PLC0415 - an extra

        named = {"Host": self._url.netloc.decode("ascii"), "Content-Type": "application/json", "User-Agent": "straykey"}
        with _bounded(self._reach.seconds) as watching, httpx.HTTPTransport(verify=self._trust, trust_env=False) as way:
            request = httpx.Request(
                "POST",
                self._url.copy_with(host=str(address)),
                headers={**named, **headers},
                content=body,
                extensions={
                    "timeout": httpx.Timeout(self._reach.seconds).as_dict(),
                    "sni_hostname": self._url.raw_host.decode("ascii"),
                    "trace": watching,
                },
            )
            answer = way.handle_request(request)
            answer.close()  # unread: what it says beyond its status is nothing to act on, and may have no end
            return answer.status_code, _wait(answer.headers.get("Retry-After", ""))


@contextmanager
def _bounded(seconds: float) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """Shut the connection when time is over: timeouts of reading begin anew with every byte that comes."""
    opened: list[socket.socket] = []
    over = Event()

    def watching(event: str, told: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            opened.append(told["return_value"].get_extra_info("socket").dup())
            if over.is_set():
                shut()

    def shut() -> None:
        over.set()
        for connection in opened:
            with suppress(OSError):  # the other side has shut it before
                connection.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, shut)
    timer.daemon = True
    timer.start()
    try:
        yield watching
    finally:
        timer.cancel()
        timer.join()
        for connection in opened:
            connection.close()


def _url(text: str, what: str) -> httpx.URL:
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(f"{what} needs httpx", hint="pip install 'straykey[watch]'") from error
    hint = "write it as https://host/path"
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise UsageError(f"{what}: no URL", hint=hint) from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(f"{what}: no URL of http or https", hint=hint)
    if url.userinfo:
        raise UsageError(f"{what}: the URL must hold no password", hint=hint)
    return url


def _trust(reach: Reach, what: str) -> SSLContext:
    import httpx  # noqa: PLC0415 - an extra

    trust = httpx.create_ssl_context(trust_env=False)
    if reach.certificates:
        try:
            trust.load_verify_locations(cafile=reach.certificates)
        except OSError as error:  # ssl's own errors are among these
            shown = printable(str(reach.certificates))
            raise UsageError(f"{what}: {shown} holds no certificates that can be read", hint="PEM is needed") from error
    return trust


def _parsed(text: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _wait(text: str) -> float | None:
    """Seconds only: a date would be of a clock that is not ours."""
    return min(float(text), _LONGEST_WAIT_SECONDS) if text.isascii() and text.isdigit() else None
