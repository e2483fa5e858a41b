"""A finding in Security Hub's format (ASFF), as BatchImportFindings takes it.

Security Hub refuses a finding for one field that is too long, so everything is held to its limits.  The id never
changes, not even with the region: a finding that is imported again replaces the one that is there.
"""

from msgspec import Struct

from straykey.core.finding import Confidence, Finding, FindingType
from straykey.formats import known
from straykey.formats.known import Kind
from straykey.formats.text import bounded

_LONGEST_DESCRIPTION = 1024
_LONGEST_NAME = 128
_LONGEST_ID = 512
_LONGEST_PRODUCT_FIELD = 2048
_MOST_RESOURCES = 32
_DONE = frozenset({"resolved", "suppressed"})
_PERCENT = {Confidence.CONFIRMED: 95, Confidence.LIKELY: 70, Confidence.POSSIBLE: 35}
_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov", "aws-us-iso", "aws-us-iso-b"})
_KINDS = {Kind.INSTANCE: "AwsEc2Instance", Kind.ROLE: "AwsIamRole", Kind.KEY: "AwsIamAccessKey", Kind.SESSION: "Other"}
_CATEGORIES = {
    FindingType.SPOOFED_NAME: "TTPs/Defense Evasion",
    FindingType.V1_DELIVERY: "Software and Configuration Checks/AWS Security Best Practices",
    FindingType.EGRESS_MOVED: "Unusual Behaviors/IP address",
    FindingType.SERVICE_CALLS: "Unusual Behaviors/User",
}


class Hub(Struct, frozen=True):
    """The Security Hub to import into.  With the default product, the account must be that of whoever imports."""

    partition: str
    region: str
    account: str

    @property
    def product(self) -> str:
        return f"arn:{self.partition}:securityhub:{self.region}:{self.account}:product/{self.account}/default"


def own_hub(finding: Finding) -> Hub:
    """The hub of the workload's own account and region."""
    return Hub(known.partition_of(finding), known.region_of(finding), known.account_of(finding))


def to_finding(finding: Finding, hub: Hub | None = None, *, at: str | None = None) -> dict[str, object]:
    """`hub`: other than the workload's own.  `at`: when something but the records changed it, such as its status.

    Security Hub takes a change only with a later `UpdatedAt`.
    """
    hub = hub or own_hub(finding)
    provided = _provided(finding)
    return known.only(
        {
            "SchemaVersion": "2018-10-08",
            "Id": f"straykey/{finding.id}"[:_LONGEST_ID],
            "ProductArn": hub.product,
            "GeneratorId": f"straykey/{finding.type.value}",
            "AwsAccountId": hub.account,
            "Types": provided["Types"],
            "FirstObservedAt": known.millis(finding.stray.first_seen),
            "LastObservedAt": known.millis(finding.stray.last_seen),
            "CreatedAt": known.millis(finding.stray.first_seen),
            "UpdatedAt": known.millis(known.updated(finding, at)),
            "Severity": provided["Severity"],
            "Confidence": provided["Confidence"],
            "Title": bounded(finding.title, known.LONGEST_TITLE),
            "Description": bounded(finding.description, _LONGEST_DESCRIPTION),
            "Resources": _resources(finding),
            "Action": _action(finding),
            "ProductFields": _product_fields(finding),
            "FindingProviderFields": provided,
            "RecordState": "ARCHIVED" if finding.status in _DONE else "ACTIVE",
        }
    )


def _provided(finding: Finding) -> dict[str, object]:
    """Told twice: on the first import Security Hub reads these above, afterwards in `FindingProviderFields`."""
    category = _CATEGORIES.get(finding.type, "TTPs/Credential Access")
    return {
        "Severity": {"Label": finding.severity.value, "Original": str(finding.severity_score)},
        "Confidence": _PERCENT[finding.confidence],
        # A slash would end the classifier: GuardDuty's own types stand there with a dash, too.
        "Types": [f"{category}/{finding.type.value.replace('/', '-')}"],
    }


def _resources(finding: Finding) -> list[dict[str, object]]:
    resources = known.resources_of(finding)[:_MOST_RESOURCES]
    partition = known.partition_of(finding)
    place = {
        "Partition": partition if partition in _PARTITIONS else None,
        "Region": known.stated_region_of(finding),
    }
    return [
        known.only({"Type": _KINDS[one.kind], "Id": _id(one), **place, "Details": _details(one, finding)})
        for one in resources
    ]


def _id(resource: known.Resource) -> str:
    prefix = "AWS::IAM::AccessKey:" if resource.kind is Kind.KEY else ""
    return bounded(prefix + resource.id, _LONGEST_ID)


def _details(resource: known.Resource, finding: Finding) -> dict[str, object] | None:
    if resource.kind is not Kind.KEY:
        return None
    role = bounded(finding.session.role, _LONGEST_NAME)
    key = {"AccessKeyId": bounded(resource.id, _LONGEST_NAME), "PrincipalType": "AssumedRole", "PrincipalName": role}
    return {"AwsIamAccessKey": known.only({**key, "AccountId": known.account_of(finding)})}


def _action(finding: Finding) -> dict[str, object] | None:
    """The first call.  Security Hub knows no remote IPv6 address: that stands in `ProductFields`."""
    call, address, domain = known.call_of(finding), known.address_of(finding), known.domain_of(finding)
    if call is None:
        return None
    remote = {"IpAddressV4": str(address)} if address and address.version == 4 else None
    made = {
        "Api": bounded(call.api, _LONGEST_NAME),
        "ServiceName": bounded(call.service, _LONGEST_NAME),
        "CallerType": "domain" if domain else "remoteIp",
        "RemoteIpDetails": remote,
        "DomainDetails": {"Domain": bounded(domain, _LONGEST_NAME)} if domain else None,
        "FirstSeen": known.millis(finding.stray.first_seen),
        "LastSeen": known.millis(finding.stray.last_seen),
    }
    return {"ActionType": "AWS_API_CALL", "AwsApiCallAction": known.only(made)}


def _product_fields(finding: Finding) -> dict[str, str]:
    """What the format has no place for."""
    stray, session = finding.stray, finding.session
    fields = {
        "status": finding.status,
        "confidence": finding.confidence.value,
        "reasons": ",".join(reason.code for reason in finding.reasons),
        "session": session.arn,
        "address": stray.address,
        "vpcEndpoint": stray.vpc_endpoint,
        "remoteAccount": stray.account,
        "count": str(stray.count),
        "pivots": str(finding.pivots_count),
        "eventIds": ",".join(event.event_id for event in finding.events),
    }
    return {f"straykey/{name}": bounded(text, _LONGEST_PRODUCT_FIELD) for name, text in fields.items() if text}
