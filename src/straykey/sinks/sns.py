"""Each notification to an SNS topic: JSON for programs, a subject for people, attributes for subscription filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from straykey import aws
from straykey.core.finding import Finding
from straykey.errors import UsageError
from straykey.formats import known
from straykey.formats.notification import Shape, within
from straykey.formats.text import printable
from straykey.ports import Notification, Refusal
from straykey.sinks.delivery import in_turn, refused_by_aws, too_large

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishInputTypeDef

PERMISSIONS = ("sns:Publish",)
# SNS takes 256 KiB, attributes included.
_MOST_BYTES = 262_144 - 4_096
_LONGEST_SUBJECT = 99


class Sns:
    """The topic of that ARN; of a FIFO topic each finding is a group, and each key is taken once."""

    def __init__(self, topic: str, *, shape: Shape = Shape.JSON) -> None:
        parts = topic.split(":")
        if len(parts) != 6 or parts[2] != "sns":
            raise UsageError(f"{printable(topic)}: no SNS topic", hint="name it by its ARN, arn:aws:sns:…")
        self._topic = topic
        self._shape = shape
        with aws.configuring(topic):
            self._client = aws.session().client("sns", region_name=parts[3], config=aws.settings())

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        return in_turn(notifications, self._send)

    def _send(self, notification: Notification) -> Refusal | None:
        message = within(_MOST_BYTES, notification, self._shape)
        if message is None:
            return too_large(notification, self._topic)
        try:
            self._client.publish(**self._parameters(notification, message))
        except aws.failures() as error:
            return refused_by_aws(notification, error, self._topic, *PERMISSIONS)
        return None

    def _parameters(self, notification: Notification, message: str) -> PublishInputTypeDef:
        finding = notification.finding
        parameters: PublishInputTypeDef = {
            "TopicArn": self._topic,
            "Subject": subject(finding),
            "Message": message,
            "MessageAttributes": _attributes(finding),
        }
        if self._topic.endswith(".fifo"):
            parameters["MessageGroupId"] = finding.id
            parameters["MessageDeduplicationId"] = notification.key
        return parameters


def subject(finding: Finding) -> str:
    """One line of ASCII, under 100 characters, as SNS wants it."""
    status = "" if finding.status == "open" else f"{finding.status.upper()}: "
    text = printable(f"straykey {status}{finding.severity.value}: {finding.title}")
    plain = text.encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= _LONGEST_SUBJECT else f"{plain[: _LONGEST_SUBJECT - 3]}..."


def _attributes(finding: Finding) -> dict[str, MessageAttributeValueTypeDef]:
    told = {
        "severity": finding.severity.value,
        "type": finding.type.value,
        "status": finding.status,
        "account": known.account_of(finding),
    }
    return {name: {"DataType": "String", "StringValue": text} for name, text in told.items()}
