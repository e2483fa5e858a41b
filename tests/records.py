"""Raw CloudTrail records as plain dicts, and the files they come in.

Accounts and addresses are those set aside for documentation.  Equal arguments give equal records, ids included.
"""

import gzip
import json
import uuid
from typing import Any

RawRecord = dict[str, Any]

_IDS = uuid.UUID("6f1c3a52-0000-4000-8000-000000000000")
# One time stamp in every gzip header, so that equal content gives equal bytes.
_PACKED_AT = 0


def use_record(
    *,
    instance: str = "i-0123456789abcdef0",
    role: str = "web-role",
    account: str = "111122223333",
    address: str = "198.18.0.10",
    time: str = "2026-05-04T10:00:00Z",
    key: str = "ASIAEXAMPLEKEY000001",
    event: str = "ListBuckets",
    source: str = "s3.amazonaws.com",
    agent: str = "aws-cli/2.17.0",
    error: str | None = None,
    endpoint: str | None = None,
    endpoint_owner: str | None = None,
    delivery: str | None = "2.0",
    event_id: str | None = None,
    issued: str | None = "2026-05-04T09:59:00Z",
    **more: Any,
) -> RawRecord:
    """A call by an instance's role session; `more` adds top-level fields or replaces them."""
    arguments = (instance, role, account, address, time, key, event, source, agent, error, endpoint, endpoint_owner)
    record: RawRecord = {
        "eventVersion": "1.11",
        "userIdentity": _role_session(instance, role, account, key, delivery, issued),
        "eventTime": time,
        "eventSource": source,
        "eventName": event,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": address,
        "userAgent": agent,
        "requestParameters": None,
        "responseElements": None,
        "requestID": "REQ" + _id_of("request", *arguments)[:13].upper(),
        "eventID": event_id or _id_of(*arguments, delivery, issued, sorted(more.items())),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    optional = {"errorCode": error, "vpcEndpointId": endpoint, "vpcEndpointAccountId": endpoint_owner}
    return record | {name: value for name, value in optional.items() if value is not None} | more


def issuance_record(
    *,
    instance: str = "i-0123456789abcdef0",
    role: str = "web-role",
    account: str = "111122223333",
    time: str = "2026-05-04T09:59:00Z",
    key: str = "ASIAEXAMPLEKEY000001",
    path: str = "/app/",
    expiration: str = "May 4, 2026, 4:34:00 PM",
    event_id: str | None = None,
    **more: Any,
) -> RawRecord:
    """The record by which EC2 assumes an instance's role and so gives it a key."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
        "eventTime": time,
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "ec2.amazonaws.com",
        "userAgent": "ec2.amazonaws.com",
        "requestParameters": {"roleArn": f"arn:aws:iam::{account}:role{path}{role}", "roleSessionName": instance},
        "responseElements": {
            "credentials": {"accessKeyId": key, "sessionToken": "EXAMPLE-TOKEN", "expiration": expiration}
        },
        "eventID": event_id or _id_of("issuance", instance, role, account, time, key, path, expiration, more),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    } | more


def allocation_record(
    *,
    account: str = "111122223333",
    address: str = "198.18.0.10",
    time: str = "2026-05-04T09:00:00Z",
    event_id: str | None = None,
    **more: Any,
) -> RawRecord:
    """The record by which an account gets a public address of its own."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{account}:user/operator",
            "accountId": account,
            "accessKeyId": "AKIAEXAMPLEKEY000001",
        },
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": "AllocateAddress",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.200",
        "userAgent": "console.amazonaws.com",
        "requestParameters": {"domain": "vpc"},
        "responseElements": {"publicIp": address, "allocationId": "eipalloc-0123456789abcdef0", "domain": "vpc"},
        "eventID": event_id or _id_of("allocation", account, address, time, more),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    } | more


def trail(*records: RawRecord) -> bytes:
    """A trail's own file, unpacked."""
    return compact({"Records": list(records)})


def lines(*records: RawRecord) -> bytes:
    """One record a line."""
    return b"".join(compact(record) + b"\n" for record in records)


def compact(document: object) -> bytes:
    """JSON as CloudTrail writes it: no white space."""
    return json.dumps(document, separators=(",", ":")).encode()


def gz(content: object) -> bytes:
    """One gzip member; what is not bytes becomes JSON first."""
    return gzip.compress(content if isinstance(content, bytes) else compact(content), mtime=_PACKED_AT)


def _role_session(
    instance: str, role: str, account: str, key: str, delivery: str | None, issued: str | None
) -> RawRecord:
    principal = f"AROA{_id_of(account, role).replace('-', '')[:16].upper()}"
    context: RawRecord = {
        "sessionIssuer": {
            "type": "Role",
            "principalId": principal,
            "arn": f"arn:aws:iam::{account}:role/app/{role}",
            "accountId": account,
            "userName": role,
        }
    }
    if issued is not None:
        context["attributes"] = {"creationDate": issued, "mfaAuthenticated": "false"}
    if delivery is not None:
        context["ec2RoleDelivery"] = delivery
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{instance}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{instance}",
        "accountId": account,
        "accessKeyId": key,
        "sessionContext": context,
    }


def _id_of(*parts: object) -> str:
    return str(uuid.uuid5(_IDS, repr(parts)))
