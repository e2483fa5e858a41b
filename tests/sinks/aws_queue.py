"""An SQS queue in which what was told to AWS ends."""

import json
from typing import Any

import boto3


class Queue:
    def __init__(self, name: str, region: str = "us-east-1") -> None:
        self._sqs = boto3.client("sqs", region_name=region)
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self._url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]  # its keys are literals
        self._taken: list[Any] = []
        found = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn = found["Attributes"]["QueueArn"]

    def bodies(self) -> list[Any]:
        """All that ever came, read as JSON."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                self._taken.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self._taken
