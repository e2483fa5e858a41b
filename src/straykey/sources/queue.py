"""An SQS queue: messages are received, held on to while they are worked on, and let go or acknowledged.

A queue delivers at least once, and in any order: a message that was not acknowledged comes again, and one that was may,
too.  So nothing here is ever lost by failing, and what may be repeated is: throttled calls and passing failures are
asked again, later and later, up to a time given.

A `Queue` may be used by several threads at once: it holds nothing that changes, and boto3's clients are made for that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import msgspec
import stamina

from straykey import aws
from straykey.errors import SourceError, UsageError
from straykey.formats.text import printable

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import BatchResultErrorEntryTypeDef, MessageTypeDef

    _Failed = Sequence[BatchResultErrorEntryTypeDef]

SCHEME = "sqs://"
# For which a message may be held on to, or put off.  AWS gives 12 hours from when it was received, and refuses what
# would go beyond: so an hour is left for how long we had it already.
LONGEST_SECONDS = 11 * 3600
_LONGEST_POLL_SECONDS = 20
_AT_ONCE = 10
_LONGEST_WAIT_SECONDS = 8.0

_HINT = f"name it as {SCHEME}sqs.eu-west-1.amazonaws.com/123456789012/name, or {SCHEME} and its URL"
_PATH = re.compile(r"/[0-9]{12}/(?=.{1,80}\Z)[A-Za-z0-9_-]+(?:\.fifo)?")
_REGION = r"(?P<region>[a-z]{2,}(?:-[a-z]+)+-[0-9]+)"
# Where boto3 goes by itself, or wherever else the environment sends it.
_USUAL = re.compile(rf"(sqs\.)?{_REGION}(?(1)|\.queue)\.amazonaws\.(?:com|com\.cn|eu)")
_TELLING = re.compile(rf"(?:.*\.)?sqs(?:-fips)?\.{_REGION}\..*")  # dual-stack, FIPS, a VPC's endpoint
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_NO_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"})

_T = TypeVar("_T")


class Message(msgspec.Struct, frozen=True):
    """A message in our hands, for as long as the queue lets us; anybody may have written `body`.

    `received` is how often it was given out, this time included.  `sent_milliseconds` is when, since 1970; None if the
    queue does not say.  `receipt` is of this time: the next one has another.
    """

    id: str
    receipt: str
    body: str
    received: int = 1
    sent_milliseconds: int | None = None


class QueueStatus(msgspec.Struct, frozen=True):
    """How many messages wait, are in somebody's hands, and are put off, about; and how the queue is set.

    A message that was received `max_receives` times goes to `dead_letter`, an ARN; None where the queue has none.
    """

    visible: int
    in_flight: int
    delayed: int
    visibility_seconds: int
    max_receives: int | None = None
    dead_letter: str | None = None


class UnansweredError(SourceError):
    """AWS has not answered for as long as was given; what was asked may be asked again."""


class Place(msgspec.Struct, frozen=True):
    """Where a queue is; None where the AWS configuration decides."""

    url: str
    region: str | None
    endpoint: str | None


def place_of(address: str) -> Place:
    """What `sqs://…` stands for; `UsageError` if it names no queue.

    A queue at AWS's usual address is asked wherever the AWS configuration says its endpoint is; any other at its own.
    """
    shown = printable(address.rpartition("@")[2])
    url = address.removeprefix(SCHEME)
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{shown}: no address", hint=_HINT) from None
    if not host or "@" in parts.netloc or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        raise UsageError(f"{shown}: names no queue", hint=_HINT)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        hint = "use https; for a queue that is not AWS's set AWS_ENDPOINT_URL_SQS"
        raise UsageError(f"{shown}: credentials go over https only", hint=hint)
    origin = f"{parts.scheme}://{parts.netloc.lower()}"
    usual = _USUAL.fullmatch(parts.netloc.lower())
    told = usual or _TELLING.fullmatch(host)
    return Place(origin + parts.path, told["region"] if told else None, None if usual else origin)


class Queue:
    """One queue; `patience_seconds` is for how long one call is asked again while AWS fails or throttles.

    All calls raise `UnansweredError` when that is over, and another `SourceError` for what will not pass by itself.
    """

    def __init__(self, address: str, *, patience_seconds: float = 30.0) -> None:
        place = place_of(address)
        self.url = place.url
        self._patient = stamina.RetryingCaller(
            attempts=None, timeout=patience_seconds, wait_max=_LONGEST_WAIT_SECONDS
        ).on(_is_passing)
        self._client = self._connected(place)

    def _connected(self, place: Place) -> SQSClient:
        session = aws.session()
        wrong: tuple[type[Exception], ...] = (ValueError, *aws.failures())  # an endpoint that is no address, say
        try:
            return session.client("sqs", region_name=place.region, endpoint_url=place.endpoint, config=aws.settings())
        except wrong as error:
            raise self._refusal(error, "sqs:ReceiveMessage") from error

    def receive(self, wait_seconds: int) -> list[Message]:
        """Up to ten messages; none if none came for `wait_seconds`, which are 20 at most."""
        wait = min(max(wait_seconds, 0), _LONGEST_POLL_SECONDS)
        answer = self._asked(
            "sqs:ReceiveMessage",
            lambda: self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=_AT_ONCE,
                WaitTimeSeconds=wait,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            ),
        )
        return [_message(one) for one in answer.get("Messages", ())]

    def acknowledge(self, messages: Sequence[Message]) -> list[Message]:
        """Have the queue forget them: what they led to is stored.

        Returns those it did not, which come again: we held them for too long, or the queue kept failing.
        """

        def delete(some: Sequence[Message]) -> _Failed:
            answer = self._client.delete_message_batch(
                QueueUrl=self.url,
                Entries=[{"Id": str(n), "ReceiptHandle": one.receipt} for n, one in enumerate(some)],
            )
            return answer.get("Failed", ())

        return self._in_tens(messages, "sqs:DeleteMessage", delete)

    def extend(self, messages: Sequence[Message], seconds: int) -> list[Message]:
        """Hold them for so many seconds from now, or for `LONGEST_SECONDS`.

        Returns those that are not ours any more, or could not be had for longer: somebody else may be given them.
        """
        within = min(max(seconds, 0), LONGEST_SECONDS)

        def put_off(some: Sequence[Message]) -> _Failed:
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": one.receipt, "VisibilityTimeout": within}
                    for n, one in enumerate(some)
                ],
            )
            return answer.get("Failed", ())

        return self._in_tens(messages, "sqs:ChangeMessageVisibility", put_off)

    def release(self, messages: Sequence[Message], seconds: int) -> list[Message]:
        """Let go of them: they come again after so many seconds, to whoever asks then.  Returns as `extend` does."""
        return self.extend(messages, seconds)

    def send(self, body: str) -> None:
        """Put a message in: for a drill, and nothing else here does."""
        self._asked("sqs:SendMessage", lambda: self._client.send_message(QueueUrl=self.url, MessageBody=body))

    def status(self) -> QueueStatus:
        """How it stands; figures are AWS's estimates, behind by seconds."""
        answer = self._asked(
            "sqs:GetQueueAttributes",
            lambda: self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=_ATTRIBUTES),
        )
        try:
            return _status(answer.get("Attributes", {}))
        except (KeyError, ValueError, msgspec.DecodeError) as error:
            raise SourceError(
                f"{self._name}: its attributes are not understood", hint="is it a queue of SQS?"
            ) from error

    @property
    def _name(self) -> str:
        return f"queue {printable(self.url)}"

    def _in_tens(
        self, messages: Sequence[Message], permission: str, ask: Callable[[Sequence[Message]], _Failed]
    ) -> list[Message]:
        failed: list[Message] = []
        for at in range(0, len(messages), _AT_ONCE):
            failed += self._some(messages[at : at + _AT_ONCE], permission, ask)
        return failed

    def _some(
        self, messages: Sequence[Message], permission: str, ask: Callable[[Sequence[Message]], _Failed]
    ) -> list[Message]:
        """Ask again for those that failed, unless it is for what they are; returns all that stay undone."""
        refused: list[Message] = []
        left = list(messages)

        def attempt() -> None:
            nonlocal left
            asked, failed = left, ask(left)
            refused.extend(asked[int(one["Id"])] for one in failed if one["SenderFault"])
            left = [asked[int(one["Id"])] for one in failed if not one["SenderFault"]]
            if left:
                raise _LeftError

        with suppress(_LeftError):
            self._asked(permission, attempt)
        return refused + left

    def _asked(self, permission: str, call: Callable[[], _T]) -> _T:
        # `call` takes no arguments: what stamina logs of a retry has them.
        try:
            return self._patient(call)
        except aws.failures() as error:
            raise self._refusal(error, permission) from error

    def _refusal(self, error: Exception, permission: str) -> SourceError:
        if aws.code_of(error) in _NO_QUEUE:
            return SourceError(f"{self._name}: there is no such queue", hint="aws sqs list-queues lists a region's")
        told = aws.refusal(error, self._name, permission)
        return UnansweredError(str(told), hint=told.hint) if _is_passing(error) else told


class _LeftError(Exception):
    """The queue failed for some messages of a call."""


def _is_passing(error: Exception) -> bool:
    if isinstance(error, _LeftError):
        return True
    return isinstance(error, aws.failures()) and (aws.is_throttling(error) or aws.is_passing(error))


def _message(given: MessageTypeDef) -> Message:
    attributes = given.get("Attributes", {})
    sent = attributes.get("SentTimestamp")
    return Message(
        id=given.get("MessageId", ""),
        receipt=given.get("ReceiptHandle", ""),
        body=given.get("Body", ""),
        received=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_milliseconds=None if sent is None else int(sent),
    )


class _Redrive(msgspec.Struct, rename={"queue": "deadLetterTargetArn", "receives": "maxReceiveCount"}):
    queue: str
    receives: int


_ATTRIBUTES: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "VisibilityTimeout",
    "RedrivePolicy",
]


def _status(attributes: Mapping[QueueAttributeNameType, str]) -> QueueStatus:
    # The policy is text that somebody wrote, and AWS keeps it so: the count may be a string.
    policy = attributes.get("RedrivePolicy")
    redrive = msgspec.json.decode(policy, type=_Redrive, strict=False) if policy else None
    return QueueStatus(
        visible=int(attributes["ApproximateNumberOfMessages"]),
        in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
        visibility_seconds=int(attributes["VisibilityTimeout"]),
        max_receives=redrive.receives if redrive else None,
        dead_letter=redrive.queue if redrive else None,
    )
