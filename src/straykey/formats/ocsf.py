"""A finding as OCSF's Detection Finding (class 2004), valid in every version from 1.1 to 1.8.

The versions differ in what they require, so what any of them requires is always there: the vendor's name, the
finding's title, the name of each observable.  Times are milliseconds since 1970.
"""

from straykey.core.finding import Confidence, Finding, FindingType, Severity, Witness
from straykey.core.moment import seconds
from straykey.formats import known
from straykey.formats.text import bounded

_VERSION = "1.3.0"
_LONGEST_DESCRIPTION = 4096
_SEVERITIES = {Severity.INFORMATIONAL: 1, Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4}
_CONFIDENCES = {Confidence.POSSIBLE: (1, "Low"), Confidence.LIKELY: (2, "Medium"), Confidence.CONFIRMED: (3, "High")}
_NEW = (1, "New")
_STATUSES = {"acknowledged": (2, "In Progress"), "suppressed": (3, "Suppressed"), "resolved": (4, "Resolved")}
_ACTIVITIES = ("Create", "Update", "Close")

_CREDENTIAL_ACCESS = {"uid": "TA0006", "name": "Credential Access"}
_DEFENSE_EVASION = {"uid": "TA0005", "name": "Defense Evasion"}
_INITIAL_ACCESS = {"uid": "TA0001", "name": "Initial Access"}
_UNSECURED = {"uid": "T1552", "name": "Unsecured Credentials"}
_METADATA = {"uid": "T1552.005", "name": "Cloud Instance Metadata API"}
_VALID = {"uid": "T1078", "name": "Valid Accounts"}
_CLOUD = {"uid": "T1078.004", "name": "Cloud Accounts"}
_MASQUERADING = {"uid": "T1036", "name": "Masquerading"}

_TAKEN = {"tactic": _CREDENTIAL_ACCESS, "technique": _UNSECURED, "sub_technique": _METADATA}
_TAKEN_SOMEHOW = {"tactic": _CREDENTIAL_ACCESS, "technique": _UNSECURED}
_USED = {"tactic": _INITIAL_ACCESS, "technique": _VALID, "sub_technique": _CLOUD}
_ATTACKS = {
    FindingType.OUTSIDE_AWS: (_TAKEN, _USED),
    FindingType.INSIDE_AWS: (_TAKEN, _USED),
    FindingType.UNKNOWN: (_TAKEN, _USED),
    FindingType.RESOURCE_OUTSIDE_AWS: (_TAKEN_SOMEHOW, _USED),
    FindingType.RESOURCE_INSIDE_AWS: (_TAKEN_SOMEHOW, _USED),
    FindingType.RESOURCE_UNKNOWN: (_TAKEN_SOMEHOW, _USED),
    FindingType.USER_AGENT: (_TAKEN,),
    FindingType.SPOOFED_NAME: ({"tactic": _DEFENSE_EVASION, "technique": _MASQUERADING},),
}


def to_finding(
    finding: Finding, *, is_known: bool = False, at: str | None = None, uid: str | None = None
) -> dict[str, object]:
    """`is_known`: it was sent before.  `at`: when something but the records changed it, such as its status.

    `uid`: names this telling of it, where it may come twice.
    """
    stray = finding.stray
    activity = 3 if finding.status == "resolved" else 2 if is_known else 1
    confidence_id, confidence = _CONFIDENCES[finding.confidence]
    status_id, status = _STATUSES.get(finding.status, _NEW)
    return known.only(
        {
            "class_uid": 2004,
            "class_name": "Detection Finding",
            "category_uid": 2,
            "category_name": "Findings",
            "activity_id": activity,
            "activity_name": _ACTIVITIES[activity - 1],
            "type_uid": 200400 + activity,
            "time": _ms(known.updated(finding, at)),
            "start_time": _ms(stray.first_seen),
            "end_time": _ms(stray.last_seen),
            "count": stray.count,
            "severity_id": _SEVERITIES[finding.severity],
            "severity": finding.severity.value.capitalize(),
            "status_id": status_id,
            "status": status,
            "confidence_id": confidence_id,
            "confidence": confidence,
            "message": bounded(finding.title, known.LONGEST_TITLE),
            "metadata": _metadata(uid),
            "cloud": {"provider": "AWS", "region": known.region_of(finding), "account": _account(finding)},
            "finding_info": _finding_info(finding, at),
            "evidences": _evidences(finding),
            "resources": _resources(finding),
            "observables": _observables(finding),
            "unmapped": {"reasons": [reason.code for reason in finding.reasons], "pivots": finding.pivots_count},
        }
    )


def _metadata(uid: str | None) -> dict[str, object]:
    product = {"name": "straykey", "vendor_name": "straykey"}
    return known.only({"version": _VERSION, "profiles": ["cloud"], "product": product, "uid": uid})


def _ms(time: str) -> int:
    return seconds(time) * 1000


def _account(finding: Finding) -> dict[str, object]:
    account = known.account_of(finding)
    return {"name": account, "type": "AWS Account", "type_id": 10, "uid": account}


def _finding_info(finding: Finding, at: str | None) -> dict[str, object]:
    attacks = [{"version": "16.1", **attack} for attack in _ATTACKS.get(finding.type, ())]
    return known.only(
        {
            "uid": finding.id,
            "title": bounded(finding.title, known.LONGEST_TITLE),
            "desc": bounded(finding.description, _LONGEST_DESCRIPTION),
            "types": [finding.type.value],
            "data_sources": ["AWS CloudTrail"],
            "created_time": _ms(finding.stray.first_seen),
            "modified_time": _ms(known.updated(finding, at)),
            "first_seen_time": _ms(finding.stray.first_seen),
            "last_seen_time": _ms(finding.stray.last_seen),
            "attacks": attacks,
        }
    )


def _evidences(finding: Finding) -> list[dict[str, object]]:
    """One for each record that proves it; of findings about a role or a fleet, who they are about."""
    shared = known.only({"src_endpoint": _endpoint(finding), "actor": _actor(finding)})
    return [{**_record(event), **shared} for event in finding.events] or [shared]


def _record(event: Witness) -> dict[str, object]:
    call = known.as_call(event.call)
    # The version is required by the stricter readers of OCSF.
    service = {"name": call.service, "uid": call.service, "version": "unknown"}
    api = {
        "operation": call.api or "unknown",
        "service": service,
        "response": {"error": event.error} if event.error else None,
    }
    seen = {"event_id": event.event_id, "time": event.time, "region": event.region}
    return {"api": known.only(api), "data": known.only(seen)}


def _endpoint(finding: Finding) -> dict[str, object]:
    stray, address = finding.stray, known.address_of(finding)
    return known.only(
        {
            "ip": str(address) if address else None,
            "hostname": known.domain_of(finding),
            "uid": stray.vpc_endpoint,
        }
    )


def _actor(finding: Finding) -> dict[str, object]:
    session = finding.session
    user = {
        "type": "AssumedRole",
        "type_id": 99,
        "name": session.role,
        "uid": session.arn,
        "credential_uid": finding.access_keys[0] if len(finding.access_keys) == 1 else None,
        "account": _account(finding),
    }
    life = {
        "issuer": session.role_arn,
        "created_time": _ms(session.issued) if session.issued else None,
        "expiration_time": _ms(session.expires) if session.expires else None,
    }
    return known.only({"user": known.only(user), "session": known.only(life)})


def _resources(finding: Finding) -> list[dict[str, object]]:
    place = {"cloud_partition": known.partition_of(finding), "region": known.stated_region_of(finding)}
    return [known.only({"type": one.kind.value, "uid": one.id, **place}) for one in known.resources_of(finding)]


def _observables(finding: Finding) -> list[dict[str, object]]:
    address = known.address_of(finding)
    seen = [("evidences.src_endpoint.ip", 2, "IP Address", str(address))] if address else []
    seen += [("resources.uid", 10, "Resource UID", one.id) for one in known.resources_of(finding)]
    return [{"name": name, "type_id": number, "type": kind, "value": value} for name, number, kind, value in seen]
