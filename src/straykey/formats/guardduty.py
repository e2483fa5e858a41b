"""A finding as the EventBridge event that GuardDuty would send: its type names, its severities, its fields.

So a rule or playbook that reads `detail` of GuardDuty's findings reads these.  But nothing here says that it comes
from AWS: EventBridge refuses sources that begin with `aws.`, so the source is `straykey`, and a rule must name it.
"""

import re

from straykey.core.finding import Finding
from straykey.formats import known
from straykey.formats.text import as_json, bounded

SOURCE = "straykey"
DETAIL_TYPE = "GuardDuty Finding"
_DONE = frozenset({"resolved", "suppressed"})
_LONGEST_DESCRIPTION = 4096
_LONGEST_AGENT = 512
_HEX = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")


def to_event(finding: Finding, *, at: str | None = None) -> dict[str, object]:
    """The whole event; EventBridge gives it an id, an account and a region of its own when it is put there.

    `at`: when something but the records changed it, such as its status.
    """
    return {
        "version": "0",
        "id": _HEX.sub(r"\1-\2-\3-\4-\5", finding.id),
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "account": known.account_of(finding),
        "time": known.updated(finding, at),
        "region": known.region_of(finding),
        "resources": [],
        "detail": _detail(finding, at),
    }


def _detail(finding: Finding, at: str | None) -> dict[str, object]:
    partition, region, account = known.partition_of(finding), known.region_of(finding), known.account_of(finding)
    score = finding.severity_score
    return {
        "schemaVersion": "2.0",
        "accountId": account,
        "region": region,
        "partition": partition,
        "id": finding.id,
        "arn": f"arn:{partition}:{SOURCE}:{region}:{account}:detector/{SOURCE}/finding/{finding.id}",
        "type": finding.type.value,
        "resource": _resource(finding),
        "service": _service(finding),
        # EventBridge compares numbers as they are written, and GuardDuty writes 8.
        "severity": int(score) if score == int(score) else score,
        "createdAt": known.millis(finding.stray.first_seen),
        "updatedAt": known.millis(known.updated(finding, at)),
        "title": bounded(finding.title, known.LONGEST_TITLE),
        "description": bounded(finding.description, _LONGEST_DESCRIPTION),
    }


def _resource(finding: Finding) -> dict[str, object]:
    """The first key stands for all.  The role's own id is in no finding: a star holds its place in `principalId`."""
    name, instance = known.session_name_of(finding), known.instance_of(finding)
    key = known.only(
        {
            "accessKeyId": next(iter(finding.access_keys), None),
            "principalId": f"*:{name}" if name else None,
            "userName": finding.session.role,
            "userType": "AssumedRole",
        }
    )
    return known.only(
        {
            "resourceType": "AccessKey",
            "accessKeyDetails": key,
            "instanceDetails": {"instanceId": instance} if instance else None,
        }
    )


def _service(finding: Finding) -> dict[str, object]:
    told = {
        "confidence": finding.confidence.value,
        "status": finding.status,
        "reasons": [reason.code for reason in finding.reasons],
        "pivots": finding.pivots_count,
    }
    return known.only(
        {
            "serviceName": SOURCE,
            "detectorId": SOURCE,
            "resourceRole": "TARGET",
            "action": _action(finding),
            "archived": finding.status in _DONE,
            "count": finding.stray.count,
            "eventFirstSeen": known.millis(finding.stray.first_seen),
            "eventLastSeen": known.millis(finding.stray.last_seen),
            "additionalInfo": {"type": "default", "value": as_json(told)},
        }
    )


def _action(finding: Finding) -> dict[str, object] | None:
    """The first call; None of findings about a role or a fleet, which no call made."""
    call, stray = known.call_of(finding), finding.stray
    if call is None:
        return None
    domain = known.domain_of(finding)
    error = finding.events[0].error if finding.events else None
    agents = [bounded(agent, _LONGEST_AGENT) for agent in stray.user_agents[:1]]
    made = {
        "api": call.api,
        "serviceName": call.service,
        "callerType": "Domain" if domain else "Remote IP",
        "errorCode": error,
        "userAgent": next(iter(agents), None),
        "domainDetails": {"domain": domain} if domain else None,
        "remoteIpDetails": _remote_ip(finding),
        "remoteAccountDetails": _remote_account(finding),
    }
    return {"actionType": "AWS_API_CALL", "awsApiCallAction": known.only(made)}


def _remote_ip(finding: Finding) -> dict[str, object] | None:
    address = known.address_of(finding)
    return {f"ipAddressV{address.version}": str(address)} if address else None


def _remote_account(finding: Finding) -> dict[str, object] | None:
    stray = finding.stray
    return known.only({"accountId": stray.account, "affiliated": stray.affiliated}) if stray.account else None
