"""What is not acknowledged comes again, and what fails in passing is asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
import stamina

from straykey.errors import SourceError, UsageError
from straykey.sources.queue import Message, Place, Queue, QueueStatus, UnansweredError, place_of
from tests.aws import Aws

RECEIVE, DELETE, EXTEND = (
    f"AmazonSQS.{name}" for name in ("ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")
)
URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/logs"
ATTEMPTS = 3


@pytest.fixture(autouse=True)
def _without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
def queue(aws: Aws) -> Queue:
    """An empty queue, called by the URL that its server gives it."""
    return Queue(f"sqs://{aws.sqs.create_queue(QueueName='logs')['QueueUrl']}")


def send(aws: Aws, queue: Queue, *bodies: str) -> None:
    for body in bodies:
        aws.sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    aws.asked.clear()


def bodies(messages: list[Message]) -> list[str]:
    return sorted(message.body for message in messages)


class TestAddress:
    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("sqs.eu-west-1.amazonaws.com/123456789012/logs", Place(URL, "eu-west-1", None)),
            (URL, Place(URL, "eu-west-1", None)),
            (
                "sqs.cn-north-1.amazonaws.com.cn/123456789012/logs.fifo",
                Place("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/logs.fifo", "cn-north-1", None),
            ),
            (
                "us-gov-west-1.queue.amazonaws.com/123456789012/logs",
                Place("https://us-gov-west-1.queue.amazonaws.com/123456789012/logs", "us-gov-west-1", None),
            ),
            (
                "https://vpce-0a1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/logs",
                Place(
                    "https://vpce-0a1.sqs.eu-west-1.vpce.amazonaws.com/123456789012/logs",
                    "eu-west-1",
                    "https://vpce-0a1.sqs.eu-west-1.vpce.amazonaws.com",
                ),
            ),
            (
                "sqs-fips.us-east-1.amazonaws.com/123456789012/logs",
                Place(
                    "https://sqs-fips.us-east-1.amazonaws.com/123456789012/logs",
                    "us-east-1",
                    "https://sqs-fips.us-east-1.amazonaws.com",
                ),
            ),
            (
                "http://127.0.0.1:5000/123456789012/logs",
                Place("http://127.0.0.1:5000/123456789012/logs", None, "http://127.0.0.1:5000"),
            ),
        ],
    )
    def test_a_queue_is_named_by_its_url_and_its_host_tells_the_region(self, address: str, expected: Place) -> None:
        assert place_of(f"sqs://{address}") == expected

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "logs",
            "sqs.eu-west-1.amazonaws.com",
            "sqs.eu-west-1.amazonaws.com/logs",
            "sqs.eu-west-1.amazonaws.com/123456789012/",
            "sqs.eu-west-1.amazonaws.com/123456789012/lo gs",
            f"sqs.eu-west-1.amazonaws.com/123456789012/{'a' * 81}",
            f"{URL}?Action=DeleteQueue",
            f"{URL}#x",
            "https://[::1/123456789012/logs",
            "https://localhost:port/123456789012/logs",
            "ftp://localhost/123456789012/logs",
            "arn:aws:sqs:eu-west-1:123456789012:logs",
        ],
    )
    def test_what_names_no_queue_is_told_with_the_form_it_should_have(self, address: str) -> None:
        with pytest.raises(UsageError) as raised:
            place_of(f"sqs://{address}")
        assert raised.value.hint

    def test_credentials_do_not_leave_the_machine_in_the_open(self) -> None:
        with pytest.raises(UsageError, match="https only"):
            place_of("sqs://http://sqs.eu-west-1.amazonaws.com/123456789012/logs")

    def test_a_password_in_it_is_not_repeated(self) -> None:
        with pytest.raises(UsageError) as raised:
            place_of("sqs://https://user:secret@sqs.eu-west-1.amazonaws.com/123456789012/logs")
        assert "secret" not in str(raised.value)

    def test_what_would_act_on_a_terminal_is_shown_as_its_code(self) -> None:
        with pytest.raises(UsageError, match=r"\\x1b"):
            place_of("sqs://\x1b[2J")

    def test_a_queue_of_aws_is_asked_where_the_environment_says_in_its_own_region(self, aws: Aws) -> None:
        boto3.client("sqs", region_name="eu-west-1").create_queue(QueueName="logs")
        assert Queue(f"sqs://{URL}").receive(0) == []


class TestReceiving:
    def test_a_message_tells_when_it_was_sent_and_how_often_it_was_given_out(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, "one")
        [first] = queue.receive(0)
        assert (first.body, first.received) == ("one", 1)
        assert first.sent_milliseconds is not None
        assert first.sent_milliseconds > 1_700_000_000_000
        queue.release([first], 0)
        [second] = queue.receive(0)
        assert (second.id, second.received) == (first.id, 2)

    def test_ten_come_at_once(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, *"abcdefghijkl")
        assert [len(queue.receive(0)) for _ in range(3)] == [10, 2, 0]

    def test_what_is_held_is_not_given_out_again(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, "one")
        held = queue.receive(0)
        assert queue.receive(0) == []
        assert queue.extend(held, 600) == []
        assert queue.status().in_flight == 1

    @pytest.mark.parametrize("seconds", [-5, 0])
    def test_what_is_let_go_of_comes_again(self, aws: Aws, queue: Queue, seconds: int) -> None:
        send(aws, queue, "one", "two")
        assert queue.release(queue.receive(0), seconds) == []
        assert bodies(queue.receive(0)) == ["one", "two"]

    @pytest.mark.parametrize("seconds", [900, 99_999])
    def test_what_is_let_go_of_for_later_comes_later(self, aws: Aws, queue: Queue, seconds: int) -> None:
        send(aws, queue, "one")
        assert queue.release(queue.receive(0), seconds) == []
        assert queue.receive(0) == []

    def test_nobody_waits_longer_than_sqs_lets_him(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, "one")
        assert len(queue.receive(3600)) == 1

    def test_a_server_that_tells_little_is_understood(self, aws: Aws, queue: Queue) -> None:
        aws.answer(RECEIVE, {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": "b"}]})
        assert queue.receive(0) == [Message("m", "r", "b")]


class TestAcknowledging:
    def test_what_was_acknowledged_is_gone(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, *(str(n) for n in range(23)))
        held = [message for _ in range(3) for message in queue.receive(0)]
        aws.asked.clear()
        assert queue.acknowledge(held) == []
        assert aws.asked == [DELETE] * 3
        assert queue.status() == QueueStatus(0, 0, 0, 30)

    def test_of_nothing_nothing_is_asked(self, aws: Aws, queue: Queue) -> None:
        aws.asked.clear()
        assert queue.acknowledge([]) == queue.extend([], 60) == []
        assert not aws.asked

    def test_a_receipt_that_is_not_good_any_more_is_told_and_costs_the_others_nothing(
        self, aws: Aws, queue: Queue
    ) -> None:
        send(aws, queue, "one")
        held = queue.receive(0)
        stale = Message("gone", "no-such-receipt", "")
        aws.asked.clear()
        assert queue.extend([stale, *held], 60) == [stale]
        assert queue.acknowledge([stale, *held]) == [stale]
        assert aws.asked == [EXTEND, DELETE]  # what will not pass is not repeated
        assert queue.acknowledge(held) == []  # twice is harmless
        assert queue.status() == QueueStatus(0, 0, 0, 30)

    def test_those_that_failed_are_asked_again_and_no_others(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, "one", "two", "three")
        held = queue.receive(0)
        failed = {"Id": "1", "SenderFault": False, "Code": "InternalError", "Message": "no"}
        aws.answer(DELETE, {"Successful": [{"Id": "0"}, {"Id": "2"}], "Failed": [failed]}, times=1)
        assert queue.acknowledge(held) == []
        assert aws.asked[-2:] == [DELETE] * 2
        # The server heard of the second call only.
        assert queue.status().in_flight == 2
        assert queue.acknowledge([held[1]]) == []
        assert queue.status().in_flight == 2

    def test_those_that_keep_failing_are_told(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, "one")
        held = queue.receive(0)
        failed = {"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "no"}
        aws.answer(EXTEND, {"Successful": [], "Failed": [failed]})
        aws.asked.clear()
        assert queue.extend(held, 60) == held
        assert aws.asked == [EXTEND] * ATTEMPTS


def test_threads_may_share_a_queue(aws: Aws, queue: Queue) -> None:
    send(aws, queue, *(str(n) for n in range(60)))

    def work(_: int) -> set[str]:
        done: set[str] = set()
        while held := queue.receive(0):
            queue.extend(held, 60)
            queue.acknowledge(held)
            done |= {message.body for message in held}
        return done

    with ThreadPoolExecutor(6) as pool:
        assert set().union(*pool.map(work, range(6))) == {str(n) for n in range(60)}
    assert queue.status() == QueueStatus(0, 0, 0, 30)


class TestStatus:
    def test_it_counts_what_waits_is_held_and_is_put_off(self, aws: Aws, queue: Queue) -> None:
        send(aws, queue, "one", "two")
        aws.sqs.send_message(QueueUrl=queue.url, MessageBody="later", DelaySeconds=900)
        aws.sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=1)
        assert queue.status() == QueueStatus(visible=1, in_flight=1, delayed=1, visibility_seconds=30)

    @pytest.mark.parametrize("count", [2, "2"])
    def test_it_tells_where_what_fails_too_often_goes(self, aws: Aws, queue: Queue, count: int | str) -> None:
        dead = aws.sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": count})
        aws.sqs.set_queue_attributes(
            QueueUrl=queue.url, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "120"}
        )
        status = queue.status()
        assert (status.max_receives, status.dead_letter, status.visibility_seconds) == (2, arn, 120)

        send(aws, queue, "poison")
        for _ in range(2):
            queue.release(queue.receive(0), 0)
        assert queue.receive(0) == []
        assert bodies(Queue(f"sqs://{dead}").receive(0)) == ["poison"]

    @pytest.mark.parametrize("odd", [{"RedrivePolicy": "{}"}, {"RedrivePolicy": "{"}, {"VisibilityTimeout": "x"}])
    def test_attributes_that_are_odd_are_told(self, aws: Aws, queue: Queue, odd: dict[str, str]) -> None:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        sound = dict.fromkeys((*names, "ApproximateNumberOfMessagesDelayed", "VisibilityTimeout"), "1")
        aws.answer("AmazonSQS.GetQueueAttributes", {"Attributes": sound | odd})
        with pytest.raises(SourceError, match="not understood"):
            queue.status()


PASSING = [
    ("RequestThrottled", "400 Bad Request"),
    ("KMS.ThrottlingException", "400 Bad Request"),
    ("OverLimit", "403 Forbidden"),
    ("InternalFailure", "500 Internal Server Error"),
    ("ServiceUnavailable", "503 Service Unavailable"),
]


class TestRefusals:
    @pytest.mark.parametrize(("code", "status"), PASSING)
    def test_what_passes_is_asked_again(self, aws: Aws, queue: Queue, code: str, status: str) -> None:
        send(aws, queue, "one")
        aws.refuse(RECEIVE, code, status, times=ATTEMPTS - 1)
        assert bodies(queue.receive(0)) == ["one"]

    @pytest.mark.parametrize(("code", "status"), PASSING)
    def test_what_does_not_pass_in_time_is_told_as_such(self, aws: Aws, queue: Queue, code: str, status: str) -> None:
        aws.refuse(DELETE, code, status)
        aws.asked.clear()
        with pytest.raises(UnansweredError):
            queue.acknowledge([Message("m", "r", "b")])
        assert aws.asked == [DELETE] * ATTEMPTS

    def test_patience_has_an_end(self, aws: Aws, queue: Queue) -> None:
        aws.refuse(RECEIVE, "RequestThrottled", "400 Bad Request")
        aws.asked.clear()
        with stamina.set_testing(False), pytest.raises(UnansweredError, match="too often"):
            Queue(f"sqs://{queue.url}", patience_seconds=1e-6).receive(0)
        assert aws.asked == [RECEIVE]

    def test_a_server_that_is_not_there_is_told_as_passing(self, aws: Aws) -> None:
        with pytest.raises(UnansweredError, match="no answer"):
            Queue("sqs://http://127.0.0.1:1/123456789012/logs").receive(0)

    @pytest.mark.parametrize(
        ("code", "told", "hint"),
        [
            ("AccessDenied", "access denied", "sqs:ReceiveMessage"),
            ("AccessDeniedException", "access denied", "sqs:ReceiveMessage"),
            ("ExpiredToken", "have expired", "log in"),
            ("InvalidClientTokenId", "does not accept", "log in"),
            ("AWS.SimpleQueueService.NonExistentQueue", "no such queue", "list-queues"),
            ("KmsNotFound", "refuses the call", "this code"),
        ],
    )
    def test_what_does_not_pass_is_told_at_once(self, aws: Aws, queue: Queue, code: str, told: str, hint: str) -> None:
        aws.refuse(RECEIVE, code, "400 Bad Request")
        aws.asked.clear()
        with pytest.raises(SourceError, match=told) as raised:
            queue.receive(0)
        assert not isinstance(raised.value, UnansweredError)
        assert hint in raised.value.hint
        assert aws.asked == [RECEIVE]

    def test_a_queue_that_is_not_there_is_told(self, aws: Aws) -> None:
        with pytest.raises(SourceError, match="there is no such queue"):
            Queue(f"sqs://{aws.url}/123456789012/nothing").status()

    @pytest.mark.parametrize(
        ("ask", "permission"),
        [
            (lambda queue: queue.acknowledge([Message("m", "r", "b")]), "sqs:DeleteMessage"),
            (lambda queue: queue.release([Message("m", "r", "b")], 0), "sqs:ChangeMessageVisibility"),
            (lambda queue: queue.status(), "sqs:GetQueueAttributes"),
        ],
    )
    def test_each_call_names_what_it_takes(self, aws: Aws, queue: Queue, ask: object, permission: str) -> None:
        aws.refuse("AmazonSQS.", "AccessDenied")
        assert callable(ask)
        with pytest.raises(SourceError, match="access denied") as raised:
            ask(queue)
        assert f"grant {permission} " in raised.value.hint

    def test_without_credentials_it_says_so(self, aws: Aws, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(SourceError, match="no usable AWS credentials"):
            Queue(f"sqs://{queue.url}").receive(0)

    def test_a_region_that_nobody_tells_is_asked_for(self, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(SourceError) as raised:
            Queue(f"sqs://{aws.url}/123456789012/logs")
        assert raised.value.hint
