"""Notifications as events on an EventBridge bus, in GuardDuty's shape: rules and playbooks written for it read them.

A rule must name the source `straykey`, for `aws.guardduty` is not ours to use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from straykey import aws
from straykey.formats import guardduty
from straykey.formats.notification import lessened
from straykey.formats.text import as_json, printable
from straykey.ports import Notification, Refusal
from straykey.sinks.delivery import Shut, held_back, is_final, reason, refused_by_aws, too_large

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef, PutEventsResultEntryTypeDef

PERMISSIONS = ("events:PutEvents",)
_MOST_ENTRIES = 10
# 256 KiB hold all events of a call; each counts its detail, its names and its time.
_MOST_BYTES = 262_144
_NAMES_AND_TIME = len(guardduty.SOURCE) + len(guardduty.DETAIL_TYPE) + 14


class EventBridge:
    """The bus of that name or ARN; the region is that of the ARN, or `region`, or that of the AWS configuration."""

    def __init__(self, bus: str = "default", *, region: str | None = None) -> None:
        parts = bus.split(":")
        self._bus = bus
        self._where = f"EventBridge bus {printable(bus)}"
        region = parts[3] if len(parts) > 3 else region
        with aws.configuring(self._where):
            self._client = aws.session().client("events", region_name=region, config=aws.settings())

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        details = [(one, _detail(one)) for one in notifications]
        refused = [too_large(one, self._where) for one, detail in details if detail is None]
        fitting = [(one, detail) for one, detail in details if detail is not None]
        batches = list(_batches(fitting))
        for number, batch in enumerate(batches):
            try:
                refused += self._put(batch)
            except Shut as shut:
                rest = [one for later in batches[number:] for one, _ in later]
                return refused + held_back(rest, shut)
        return refused

    def _put(self, batch: Sequence[tuple[Notification, str]]) -> list[Refusal]:
        try:
            answer = self._client.put_events(Entries=[self._entry(one, detail) for one, detail in batch])
        except aws.failures() as error:
            if len(batch) == 1:
                return [refused_by_aws(batch[0][0], error, self._where, *PERMISSIONS)]
            if not is_final(aws.code_of(error)):
                raise Shut(str(aws.refusal(error, self._where, *PERMISSIONS))) from error
            # One of them is to blame, and AWS does not say which.
            return [refusal for one in batch for refusal in self._put([one])]
        results = zip(batch, answer["Entries"], strict=False)
        return [self._refusal(one, entry) for (one, _), entry in results if entry.get("ErrorCode")]

    def _entry(self, notification: Notification, detail: str) -> PutEventsRequestEntryTypeDef:
        return {
            "Source": guardduty.SOURCE,
            "DetailType": guardduty.DETAIL_TYPE,
            "Detail": detail,
            "Time": datetime.fromisoformat(notification.at),
            "EventBusName": self._bus,
        }

    def _refusal(self, notification: Notification, entry: PutEventsResultEntryTypeDef) -> Refusal:
        code = entry.get("ErrorCode", "")
        return Refusal(notification.key, reason(f"{self._where}: not taken ({code})"), is_final(code))


def _detail(notification: Notification) -> str | None:
    """As long as a call allows, for it may be alone in one."""
    for finding, _ in lessened(notification.finding):
        detail = as_json(guardduty.to_event(finding, at=notification.at)["detail"])
        if len(detail) + _NAMES_AND_TIME <= _MOST_BYTES:
            return detail
    return None


def _batches(details: Sequence[tuple[Notification, str]]) -> Iterator[list[tuple[Notification, str]]]:
    batch: list[tuple[Notification, str]] = []
    size = 0
    for one, detail in details:
        weight = len(detail) + _NAMES_AND_TIME
        if batch and (len(batch) == _MOST_ENTRIES or size + weight > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((one, detail))
        size += weight
    if batch:
        yield batch
