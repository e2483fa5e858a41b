"""Findings in Security Hub of the account and region that straykey runs in.

Their ids never change, so what is imported again replaces what is there.  Of several changes of one finding only the
last is told, for the hub keeps no more: its keys share its fate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, cast

from straykey import aws
from straykey.formats import asff
from straykey.formats.notification import lessened
from straykey.formats.text import as_json
from straykey.ports import Notification, Refusal
from straykey.sinks.delivery import Shut, held_back, is_final, reason, refused_by_aws, too_large

if TYPE_CHECKING:
    from mypy_boto3_securityhub.type_defs import (
        AwsSecurityFindingTypeDef,
        ImportFindingsErrorTypeDef,
    )

PERMISSIONS = ("securityhub:BatchImportFindings", "sts:GetCallerIdentity")
_IMPORT, _IDENTITY = PERMISSIONS
_MOST_FINDINGS = 100
_MOST_BYTES = 240_000


class SecurityHub:
    """The hub of `region`, or of the region of the AWS configuration."""

    def __init__(self, *, region: str | None = None) -> None:
        with aws.configuring("Security Hub"):
            self._client = aws.session().client("securityhub", region_name=region, config=aws.settings())
        self._region = self._client.meta.region_name
        self._where = f"Security Hub in {self._region}"

    def deliver(self, notifications: Sequence[Notification]) -> list[Refusal]:
        last = {one.finding.id: one for one in notifications}
        refused: dict[str, Refusal] = {}
        waiting = iter(last.values())
        try:
            while batch := list(islice(waiting, _MOST_FINDINGS)):
                refused |= self._import(batch)
        except Shut as shut:
            rest = [*batch, *waiting]
            refused |= {one.finding.id: refusal for one, refusal in zip(rest, held_back(rest, shut), strict=True)}
        return list(_for_all(notifications, refused))

    def _import(self, batch: Sequence[Notification]) -> dict[str, Refusal]:
        """Refusals by the finding's id."""
        told = {one.finding.id: self._told(one) for one in batch}
        refused = {one.finding.id: too_large(one, self._where) for one in batch if told[one.finding.id] is None}
        fitting = [one for one in batch if told[one.finding.id] is not None]
        return refused | (self._imported(fitting, told) if fitting else {})

    def _imported(
        self, batch: Sequence[Notification], told: Mapping[str, AwsSecurityFindingTypeDef | None]
    ) -> dict[str, Refusal]:
        findings = [finding for one in batch if (finding := told[one.finding.id])]
        try:
            answer = self._client.batch_import_findings(Findings=findings)
        except aws.failures() as error:
            if len(batch) == 1:
                return {batch[0].finding.id: refused_by_aws(batch[0], error, self._where, _IMPORT)}
            if not is_final(aws.code_of(error)):
                raise Shut(str(aws.refusal(error, self._where, _IMPORT))) from error
            # One of them is to blame, and AWS does not say which.
            halves = (batch[: len(batch) // 2], batch[len(batch) // 2 :])
            return {name: refusal for half in halves for name, refusal in self._imported(half, told).items()}
        failed = {one["Id"]: one for one in answer.get("FailedFindings", [])}
        by_id = {str(finding["Id"]): one for finding, one in zip(findings, batch, strict=True)}
        return {
            by_id[name].finding.id: self._refusal(by_id[name], one) for name, one in failed.items() if name in by_id
        }

    def _refusal(self, notification: Notification, failed: ImportFindingsErrorTypeDef) -> Refusal:
        code = failed["ErrorCode"]
        return Refusal(notification.key, reason(f"{self._where}: not taken ({code})"), is_final(code))

    def _told(self, notification: Notification) -> AwsSecurityFindingTypeDef | None:
        for finding, _ in lessened(notification.finding):
            told = asff.to_finding(finding, self._hub, at=notification.at)
            if len(as_json(told)) <= _MOST_BYTES:
                return cast("AwsSecurityFindingTypeDef", told)
        return None

    @cached_property
    def _hub(self) -> asff.Hub:
        """Asked when it is first needed, and kept: by then AWS can be reached."""
        try:
            client = aws.session().client("sts", region_name=self._region, config=aws.settings())
            identity = client.get_caller_identity()
        except aws.failures() as error:
            raise Shut(str(aws.refusal(error, self._where, _IDENTITY))) from error
        return asff.Hub(identity["Arn"].split(":")[1], self._region, identity["Account"])


def _for_all(notifications: Sequence[Notification], refused: Mapping[str, Refusal]) -> Iterator[Refusal]:
    for one in notifications:
        if refusal := refused.get(one.finding.id):
            yield Refusal(one.key, refusal.reason, refusal.is_final, refusal.retry_after)
