"""What is counted is shown, and what is asked for is answered, and nothing else."""

import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from threading import Barrier, Event

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from straykey import __version__
from straykey.core.finding import FindingType, Severity
from straykey.core.record import Skipped
from straykey.errors import StoreError, UsageError
from straykey.metrics import CONTENT_TYPE, Delivery, Metrics
from straykey.monitor import Health, Monitor, serve

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def metrics() -> Metrics:
    return Metrics(["hub", "pager"], lambda: NOON)


def value(of: Metrics, name: str, **labels: str) -> float:
    (found,) = (
        sample.value
        for family in text_string_to_metric_families(of.text().decode())
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )
    return found


def test_what_was_folded_adds_up() -> None:
    seen = metrics()
    for _ in range(2):
        seen.folded(records=5, objects=2, messages=1, skipped={Skipped.BAD_JSON: 3}, newest=None)
    assert value(seen, "straykey_records_total") == 10
    assert value(seen, "straykey_objects_total") == 4
    assert value(seen, "straykey_messages_total") == 2
    assert value(seen, "straykey_skipped_total", reason="bad_json") == 6


def test_the_newest_record_ages_and_an_older_one_does_not_change_it() -> None:
    seen = metrics()
    assert str(value(seen, "straykey_newest_record_age_seconds")) == "nan"
    for minutes in (5, 9):
        newest = NOON - timedelta(minutes=minutes)
        seen.folded(records=1, objects=0, messages=0, skipped={}, newest=newest)
    assert value(seen, "straykey_newest_record_age_seconds") == 300


def test_findings_are_counted_by_type_and_severity() -> None:
    seen = metrics()
    seen.opened(FindingType.OUTSIDE_AWS, Severity.HIGH)
    seen.resolved(FindingType.OUTSIDE_AWS, Severity.HIGH)
    labels = {"type": FindingType.OUTSIDE_AWS.value, "severity": "HIGH"}
    assert value(seen, "straykey_findings_opened_total", **labels) == 1
    assert value(seen, "straykey_findings_resolved_total", **labels) == 1


def test_the_outbox_and_its_attempts_are_counted_by_sink() -> None:
    seen = metrics()
    seen.waiting("hub", pending=4, parked=1)
    seen.attempted("hub", Delivery.RETRIED)
    assert value(seen, "straykey_outbox_pending", sink="hub") == 4
    assert value(seen, "straykey_outbox_parked", sink="hub") == 1
    assert value(seen, "straykey_deliveries_total", sink="hub", outcome="retried") == 1


def test_every_series_is_there_before_anything_happens() -> None:
    seen = metrics()
    assert value(seen, "straykey_deliveries_total", sink="pager", outcome="parked") == 0
    assert value(seen, "straykey_skipped_total", reason="worker_died") == 0
    assert value(seen, "straykey_findings_opened_total", type=FindingType.UNKNOWN.value, severity="LOW") == 0


def test_a_sink_that_nobody_named_makes_no_series() -> None:
    with pytest.raises(KeyError):
        metrics().attempted("made-up", Delivery.DELIVERED)


def test_durations_and_what_is_there_now() -> None:
    seen = metrics()
    seen.committed(0.02, [0.4, -3.0])
    seen.judged(0.1, sessions=7)
    seen.put_aside(2)
    seen.behind(9)
    assert value(seen, "straykey_commit_seconds_count") == 1
    assert value(seen, "straykey_notification_to_commit_seconds_sum") == pytest.approx(0.4)
    assert value(seen, "straykey_notification_to_commit_seconds_bucket", le="0.1") == 1
    assert value(seen, "straykey_judge_seconds_sum") == pytest.approx(0.1)
    assert [value(seen, f"straykey_{name}") for name in ("sessions", "quarantine", "backlog")] == [7, 2, 9]
    assert value(seen, "straykey_build_info", version=__version__) == 1


def test_two_of_them_share_nothing() -> None:
    first, second = metrics(), metrics()
    first.put_aside(5)
    assert value(second, "straykey_quarantine") == 0


def test_the_time_a_series_was_made_at_is_left_out() -> None:
    assert b"_created" not in metrics().text()


class Asked:
    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(host, self._port, timeout=5)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


@contextmanager
def serving(health: Health = Health(), host: str = "127.0.0.1") -> Iterator[Asked]:  # noqa: B008 - frozen
    with serve(host, 0, Monitor(metrics().text, CONTENT_TYPE, lambda: health)) as port:
        yield Asked(port)


def test_metrics_are_answered_as_prometheus_reads_them() -> None:
    with serving() as ask:
        answer, body = ask("/metrics?name[]=x")
    assert (answer.status, answer.headers["Content-Type"]) == (200, CONTENT_TYPE)
    assert b"straykey_records_total 0.0" in body
    assert b"process_resident_memory_bytes" in body
    assert answer.headers["Server"] == "straykey"


def test_who_is_well_says_so() -> None:
    with serving(Health(last_commit_age_seconds=1.23456)) as ask:
        answer, body = ask("/healthz")
    assert answer.status == 200
    assert json.loads(body) == {"status": "ok", "reasons": [], "last_commit_age_seconds": 1.235}


def test_who_is_not_says_why() -> None:
    with serving(Health(("the queue gives no answer",))) as ask:
        answer, body = ask("/healthz")
    assert answer.status == 503
    assert json.loads(body)["reasons"] == ["the queue gives no answer"]


def test_a_store_that_cannot_be_asked_is_a_reason() -> None:
    def health() -> Health:
        raise StoreError("store watch.db: disk full\n\x1b[2J")

    with serve("127.0.0.1", 0, Monitor(metrics().text, CONTENT_TYPE, health)) as port:
        answer, body = Asked(port)("/healthz")
    assert answer.status == 503
    assert json.loads(body)["reasons"] == ["store watch.db: disk full\\x0a\\x1b[2J"]


def test_a_bug_gives_no_answer_and_is_logged_and_does_not_end_the_server() -> None:
    raised = iter([ZeroDivisionError("hush")])

    def health() -> Health:
        for error in raised:
            raise error
        return Health()

    with capture_logs() as logged, serve("127.0.0.1", 0, Monitor(metrics().text, CONTENT_TYPE, health)) as port:
        with pytest.raises(ConnectionError):
            Asked(port)("/healthz")
        assert Asked(port)("/healthz")[0].status == 200
    assert [one["event"] for one in logged] == ["monitor could not answer"]


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz/..", "/etc/passwd", "http://x/metrics"])
def test_there_is_nothing_else(path: str) -> None:
    with serving() as ask:
        assert ask(path)[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(method: str) -> None:
    with serving() as ask:
        answer, body = ask("/metrics", method)
    assert (answer.status, body) == (501, b"501\n")


def test_a_head_has_no_body() -> None:
    with serving() as ask:
        answer, body = ask("/healthz", "HEAD")
    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_version_6_is_served() -> None:
    with serving(host="::1") as ask:
        assert ask("/healthz", host="::1")[0].status == 200


def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"cannot listen on 127\.0\.0\.1, port {port}: "):
            serve("127.0.0.1", port, Monitor(metrics().text, CONTENT_TYPE, Health)).__enter__()


def test_too_many_at_once_are_sent_away_and_nobody_stays_locked_out() -> None:
    all_are_in, answer = Barrier(9), Event()

    def slow() -> Health:
        if not answer.is_set():
            all_are_in.wait(10)
            answer.wait(10)
        return Health()

    with serve("127.0.0.1", 0, Monitor(metrics().text, CONTENT_TYPE, slow)) as port, ThreadPoolExecutor(8) as pool:
        ask = Asked(port)
        waiting = [pool.submit(ask, "/healthz") for _ in range(8)]
        all_are_in.wait(10)
        with pytest.raises(ConnectionError):
            ask("/healthz")
        answer.set()
        assert [one.result()[0].status for one in waiting] == [200] * 8
        assert ask("/healthz")[0].status == 200


def test_when_it_ends_nobody_answers() -> None:
    with serving() as ask:
        pass
    with pytest.raises(ConnectionRefusedError):
        ask("/healthz")


def test_no_label_is_free_text() -> None:
    labels = set(re.findall(r'[{,](\w+)="', metrics().text().decode()))
    assert labels == {"reason", "type", "severity", "sink", "outcome", "version", "le"}
