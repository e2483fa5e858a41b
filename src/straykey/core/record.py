"""The few fields of CloudTrail's record that count here; all are optional, because all have been seen missing.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

A session token or secret key is never taken out of a record: no field here holds one.
"""

from enum import StrEnum

import msgspec


class Skipped(StrEnum):
    """Why a record, or a file, gave nothing.  `is_loss` tells what should have been read from what need not be."""

    # Rightly passed over.
    OTHER_IDENTITY = "made by no role session and no user"
    OTHER_TIME = "outside --since/--until"
    DIGEST = "CloudTrail digest file"
    INSIGHT = "CloudTrail Insights record"
    OTHER_DOCUMENT = "a JSON document of another kind"
    OTHER_FILE = "not a log file"
    # Lost, in whole or in part.
    NO_IDENTITY = "userIdentity is null or missing"
    NO_ARN = "a role session without its ARN"
    NO_ADDRESS = "sourceIPAddress is missing"
    BAD_ADDRESS = "sourceIPAddress is no possible address"
    BAD_TIME = "eventTime is missing or no date"
    WRONG_TYPE = "a field has the wrong type"
    NOT_A_RECORD = "not a CloudTrail record"
    BAD_UTF8 = "invalid UTF-8"
    BAD_SURROGATE = "a lone surrogate"
    TOO_DEEP = "nested too deep"
    ODD_JSON = "not strict JSON (NaN or control characters)"
    BAD_JSON = "broken JSON"
    NOT_JSON = "not JSON"
    EMPTY = "empty: no record in it"
    TRUNCATED = "compressed data is cut short"
    CORRUPT = "compressed data is corrupt"
    TOO_LARGE = "unpacks to more than the limit"
    NO_LIBRARY = "zstd-compressed, and no zstd library here (pip install 'straykey[zstd]')"
    UNREADABLE = "cannot be opened"
    REFUSED = "AWS gave no more of it"
    DENIED = "access denied: reading it takes s3:GetObject, and kms:Decrypt if it is encrypted"
    ARCHIVED = "in an archive: restore it first"
    WORKER_DIED = "the process that read it died, twice"

    @property
    def is_loss(self) -> bool:
        return self not in _PASSED_OVER


_PASSED_OVER = frozenset(
    {
        Skipped.OTHER_IDENTITY,
        Skipped.OTHER_TIME,
        Skipped.DIGEST,
        Skipped.INSIGHT,
        Skipped.OTHER_DOCUMENT,
        Skipped.OTHER_FILE,
    }
)


class Issuer(msgspec.Struct, frozen=True, gc=False):
    arn: str | None = None


class Attributes(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    creation_date: str | None = None


class SessionContext(
    msgspec.Struct, frozen=True, gc=False, rename={"delivery": "ec2RoleDelivery", "issuer": "sessionIssuer"}
):
    issuer: Issuer | None = None
    attributes: Attributes | None = None
    delivery: str | None = None


class InScopeOf(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    issuer_type: str | None = None
    credentials_issued_to: str | None = None


class Identity(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    type: str | None = None
    arn: str | None = None
    principal_id: str | None = None
    account_id: str | None = None
    access_key_id: str | None = None
    invoked_by: str | None = None
    identity_provider: str | None = None
    session_context: SessionContext | None = None
    in_scope_of: InScopeOf | None = None


class Record(
    msgspec.Struct,
    gc=False,
    rename={
        "identity": "userIdentity",
        "time": "eventTime",
        "source": "eventSource",
        "name": "eventName",
        "region": "awsRegion",
        "address": "sourceIPAddress",
        "agent": "userAgent",
        "error": "errorCode",
        "message": "errorMessage",
        "request": "requestParameters",
        "response": "responseElements",
        "event_id": "eventID",
        "shared_event_id": "sharedEventID",
        "category": "eventCategory",
        "recipient": "recipientAccountId",
        "endpoint": "vpcEndpointId",
        "endpoint_owner": "vpcEndpointAccountId",
    },
):
    identity: Identity | None = None
    time: str | None = None
    source: str | None = None
    name: str | None = None
    region: str | None = None
    address: str | None = None
    agent: str | None = None
    error: str | None = None
    request: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    event_id: str | None = None
    shared_event_id: str | None = None
    category: str | None = None
    recipient: str | None = None
    endpoint: str | None = None
    endpoint_owner: str | None = None
    message: str | None = None

    @property
    def is_plausible(self) -> bool:
        """False for a JSON object that is no CloudTrail record at all."""
        return self.name is not None or self.time is not None or self.identity is not None
