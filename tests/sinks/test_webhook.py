"""The webhook over real connections: what is signed, where it goes, and what comes back."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import AddressFamily, create_server

import pytest

from straykey.errors import UsageError
from straykey.formats.notification import Shape
from straykey.sinks.http import Reach
from straykey.sinks.webhook import Webhook
from tests.conftest import Golden
from tests.formats import variants
from tests.sinks import certificate
from tests.sinks.receiver import Receiver, listening
from tests.sinks.told import notification

SECRET = "a long random text"
NAME = "hooks.example.com"
NOW = 1777971600.5
HERE = Reach(allow_private=True, look_up=lambda host, port: ["127.0.0.1"])


def webhook(url: str, reach: Reach = HERE, shape: Shape = Shape.JSON) -> Webhook:
    return Webhook(url, SECRET, now=lambda: NOW, shape=shape, reach=reach)


@pytest.fixture
def trusted(tmp_path: Path) -> Path:
    """The certificate of `NAME`, and of its authority."""
    return certificate.of(NAME, tmp_path)


@pytest.fixture
def secure(trusted: Path) -> Iterator[Receiver]:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(trusted)
    with listening(trust) as receiver:
        yield receiver


def test_its_receiver_can_verify_the_signature(receiver: Receiver) -> None:
    webhook(receiver.url).deliver([notification()])
    (posted,) = receiver.posted
    signed_at, signature = (part.partition("=")[2] for part in posted.headers["X-Straykey-Signature"].split(","))
    expected = hmac.new(SECRET.encode(), signed_at.encode() + b"." + posted.body, hashlib.sha256).hexdigest()
    assert (signed_at, signature) == ("1777971600", expected)


def test_key_type_and_path_arrive(receiver: Receiver) -> None:
    webhook(receiver.url).deliver([notification()])
    (posted,) = receiver.posted
    assert posted.headers["Idempotency-Key"] == notification().key
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert posted.path == "/told/SECRETPATH?token=SECRETQUERY"


@pytest.mark.parametrize("shape", Shape)
def test_the_body_has_the_shape_that_was_asked_for(receiver: Receiver, shape: Shape, golden: Golden) -> None:
    webhook(receiver.url, shape=shape).deliver([notification(status="resolved")])
    golden(f"tests/golden/webhook.{shape}.json", json.dumps(json.loads(receiver.posted[0].body), indent=2) + "\n")


def test_a_finding_too_large_for_most_receivers_is_told_with_less(receiver: Receiver) -> None:
    assert webhook(receiver.url).deliver([notification(finding=variants.hostile(1000))]) == []
    body = receiver.posted[0].body
    assert len(body) <= 1_000_000
    assert json.loads(body)["left_out"]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status = 302
    receiver.headers = {"Location": receiver.url}
    (refused,) = webhook(receiver.url).deliver([notification()])
    assert "answered 302, a redirect" in refused.reason
    assert not refused.is_final
    assert len(receiver.posted) == 1


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(400, True), (413, True), (422, True), (401, False), (403, False), (404, False), (408, False), (500, False)],
)
def test_only_who_complains_of_the_body_refuses_for_good(receiver: Receiver, status: int, is_final: bool) -> None:
    receiver.answers = [status]
    (refused,) = webhook(receiver.url).deliver([notification(1), notification(2)])
    assert (refused.key, refused.is_final) == (notification(1).key, is_final)
    assert refused.reason == f"127.0.0.1 answered {status}"
    assert len(receiver.posted) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_who_asks_for_patience_is_not_asked_again_at_once(receiver: Receiver, status: int) -> None:
    receiver.answers = [200, status]
    receiver.headers = {"Retry-After": "17"}
    refused = webhook(receiver.url).deliver([notification(number) for number in range(4)])
    assert [one.key for one in refused] == [notification(number).key for number in (1, 2, 3)]
    assert {one.retry_after for one in refused} == {17.0}
    assert len(receiver.posted) == 2


@pytest.mark.parametrize("wait", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", "٣", ""])
def test_a_wait_that_is_no_number_of_seconds_is_passed_over(receiver: Receiver, wait: str) -> None:
    receiver.status = 429
    receiver.headers = {"Retry-After": wait.encode().decode("latin-1")}
    (refused,) = webhook(receiver.url).deliver([notification()])
    assert refused.retry_after is None


def test_nobody_can_make_it_wait_for_years(receiver: Receiver) -> None:
    receiver.status = 429
    receiver.headers = {"Retry-After": "9" * 400}
    (refused,) = webhook(receiver.url).deliver([notification()])
    assert refused.retry_after == 86_400


def test_an_answer_without_end_is_not_read(receiver: Receiver) -> None:
    written: list[int] = []

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not receiver.closing.is_set():
            written.append(handler.wfile.write(bytes(65536)))

    receiver.speak = endless
    assert webhook(receiver.url).deliver([notification()]) == []
    assert sum(written) < 64 << 20  # what lies between two sockets


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\nX: ", b""])
def test_who_answers_by_the_byte_is_given_up(receiver: Receiver, beginning: bytes) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(beginning)
        while not receiver.closing.wait(0.02):
            handler.wfile.write(b"x" if beginning else b"HTTP/1.1 100 Continue\r\n\r\n")

    receiver.speak = drip
    sink = webhook(receiver.url, Reach(allow_private=True, seconds=0.3))
    refused = sink.deliver([notification(1), notification(2)])
    assert [one.is_final for one in refused] == [False, False]
    assert "127.0.0.1: no answer" in refused[0].reason


def test_where_nobody_listens_all_is_held_back() -> None:
    with create_server(("127.0.0.1", 0), family=AddressFamily.AF_INET) as closed:
        port = closed.getsockname()[1]
    refused = webhook(f"http://127.0.0.1:{port}/").deliver([notification(1), notification(2)])
    assert [(one.reason, one.is_final) for one in refused] == [("127.0.0.1: no connection (ConnectError)", False)] * 2


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert webhook(receiver.url).deliver([notification()]) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_a_private_address_is_no_webhook_unless_allowed(host: str) -> None:
    with pytest.raises(UsageError, match="address"):
        webhook(f"https://{host}/hook", Reach())


def test_the_metadata_service_is_no_webhook_at_all() -> None:
    with pytest.raises(UsageError, match="link-local"):
        webhook("http://169.254.169.254/latest", Reach(allow_private=True))


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "localhost"])
def test_a_name_that_leads_inside_is_refused(receiver: Receiver, host: str) -> None:
    (refused,) = webhook(receiver.at(host), Reach()).deliver([notification()])
    assert "a loopback address" in refused.reason
    assert not refused.is_final
    assert receiver.posted == []


def test_one_private_address_among_others_is_enough(receiver: Receiver) -> None:
    reach = Reach(look_up=lambda host, port: ["8.8.8.8", "127.0.0.1"])
    (refused,) = webhook(receiver.at(NAME), reach).deliver([notification()])
    assert refused.reason == f"{NAME} leads to 127.0.0.1, a loopback address"


def test_a_name_is_looked_up_once_and_its_judged_address_connected_to(receiver: Receiver) -> None:
    asked: list[str] = []

    def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    assert webhook(receiver.at("localhost"), Reach(allow_private=True, look_up=look_up)).deliver([notification()]) == []
    assert asked == ["localhost"]
    assert receiver.posted[0].headers["Host"] == f"localhost:{receiver.port}"


def test_the_next_address_is_tried_where_one_does_not_listen(receiver: Receiver) -> None:
    reach = Reach(allow_private=True, look_up=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    assert webhook(receiver.at(NAME), reach).deliver([notification()]) == []


@pytest.mark.parametrize("host", [f"{'a' * 70}.example", "nowhere.invalid"])
def test_a_name_without_address_is_held_back(host: str) -> None:
    (refused,) = webhook(f"https://{host}/", Reach()).deliver([notification()])
    assert refused.reason == f"{host}: no address of that name is known"


def test_the_certificate_is_held_against_the_name(secure: Receiver, trusted: Path) -> None:
    reach = Reach(allow_private=True, certificates=trusted, look_up=HERE.look_up)
    assert webhook(secure.at(NAME), reach).deliver([notification()]) == []
    (refused,) = webhook(secure.at("other.example.com"), reach).deliver([notification()])
    assert refused.reason == "other.example.com: its certificate is not trusted, or not for that name"
    assert len(secure.posted) == 1


def test_a_certificate_of_nobody_known_is_refused(secure: Receiver) -> None:
    (refused,) = webhook(secure.at(NAME)).deliver([notification()])
    assert "not trusted" in refused.reason
    assert secure.posted == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "file:///etc/passwd",
        "hooks",
        "",
        "https://",
        "https://u:HIDDEN@x.example/",
        "http://\x00",
    ],
)
def test_what_is_no_url_is_an_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(UsageError, match="the webhook") as raised:
        webhook(url)
    assert "HIDDEN" not in str(raised.value)


def test_a_secret_is_needed() -> None:
    with pytest.raises(UsageError, match="no secret"):
        Webhook("https://hooks.example.com/", "", now=lambda: NOW)


def test_certificates_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    for path in (tmp_path / "none.pem", tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match="no certificates"):
            webhook("https://hooks.example.com/", Reach(certificates=path))


def test_without_httpx_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['httpx'] = None\n"
        "from straykey.sinks.webhook import Webhook\n"
        "from straykey.errors import UsageError\n"
        "try: Webhook('https://hooks.example.com/', 'secret', now=lambda: 1.0)\n"
        "except UsageError as error: print(error.hint)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "pip install 'straykey[watch]'\n"
