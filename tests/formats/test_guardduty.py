"""Rules and playbooks written for GuardDuty can read the event."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.validate import ParamValidator
from msgspec.structs import replace

from straykey.core.finding import Finding
from straykey.formats import guardduty
from straykey.formats.text import as_json
from tests.conftest import Golden
from tests.formats import variants

FINDING = botocore.session.get_session().get_service_model("guardduty").shape_for("Finding")


def capitalised(value: Any, shape: Shape) -> Any:
    """The names on the wire as the names of the model; a name the model does not know fails."""
    if isinstance(shape, StructureShape):
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {names[name]: capitalised(inner, shape.members[names[name]]) for name, inner in value.items()}
    if isinstance(shape, ListShape):
        return [capitalised(inner, shape.member) for inner in value]
    if isinstance(shape, MapShape):
        return {name: capitalised(inner, shape.value) for name, inner in value.items()}
    return value


def detail_of(finding: Finding) -> Any:
    return guardduty.to_event(finding)["detail"]


def value_at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


def test_a_theft_as_guardduty_would_send_it(golden: Golden) -> None:
    events = [guardduty.to_event(finding) for finding in (variants.stolen(), variants.delivered())]
    golden("tests/golden/findings.guardduty.json", as_json(events, indent=2) + "\n")


@pytest.mark.parametrize("kind", variants.TYPES)
@pytest.mark.parametrize("status", variants.STATUSES)
@pytest.mark.parametrize("make", [variants.full, variants.bare])
def test_every_finding_fits_guarddutys_own_model(make: Any, kind: Any, status: str) -> None:
    told = capitalised(detail_of(make(kind, status)), FINDING)
    report = ParamValidator().validate(told, FINDING)
    assert not report.has_errors(), report.generate_report()


def test_hostile_text_fits_the_model_too() -> None:
    told = capitalised(detail_of(variants.hostile(100)), FINDING)
    assert not ParamValidator().validate(told, FINDING).has_errors()
    assert len(told["Title"]) <= 256
    assert len(told["Description"]) <= 4096
    assert "\x1b" not in told["Title"] + told["Service"]["Action"]["AwsApiCallAction"]["UserAgent"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("type", "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"),
        ("accountId", "111122223333"),
        ("region", "eu-west-1"),
        ("resource.accessKeyDetails.accessKeyId", "ASIAEXAMPLEKEY000002"),
        ("resource.accessKeyDetails.principalId", "*:i-0123456789abcdef0"),
        ("resource.accessKeyDetails.userName", "web-role"),
        ("resource.accessKeyDetails.userType", "AssumedRole"),
        ("resource.instanceDetails.instanceId", "i-0123456789abcdef0"),
        ("service.action.awsApiCallAction.api", "GetCallerIdentity"),
        ("service.action.awsApiCallAction.serviceName", "sts.amazonaws.com"),
        ("service.action.awsApiCallAction.remoteIpDetails.ipAddressV4", "203.0.113.66"),
        ("service.archived", False),
        ("service.count", 3),
        ("service.eventFirstSeen", "2026-05-04T10:02:10.000Z"),
        ("service.eventLastSeen", "2026-05-04T10:02:40.000Z"),
    ],
)
def test_what_automations_read_is_there(path: str, value: object) -> None:
    assert value_at(detail_of(variants.stolen()), path) == value


def test_the_severity_is_written_as_guardduty_writes_it() -> None:
    assert as_json(detail_of(variants.stolen())["severity"]) == "8"
    assert as_json(detail_of(replace(variants.stolen(), severity_score=7.5))["severity"]) == "7.5"


def test_the_owner_of_the_remote_network_is_told() -> None:
    stolen = variants.stolen()
    theirs = replace(stolen, stray=replace(stolen.stray, account="999988887777", affiliated=False))
    made = detail_of(theirs)["service"]["action"]["awsApiCallAction"]
    assert made["remoteAccountDetails"] == {"accountId": "999988887777", "affiliated": False}


def test_an_ipv6_address_stands_in_its_own_field() -> None:
    made = detail_of(variants.of_ipv6())["service"]["action"]["awsApiCallAction"]
    assert made["remoteIpDetails"] == {"ipAddressV6": "2001:db8:ffff::66"}


def test_a_service_that_called_is_a_domain() -> None:
    stolen = variants.stolen()
    service = replace(stolen, stray=replace(stolen.stray, address="s3.amazonaws.com", lane="service"))
    made = detail_of(service)["service"]["action"]["awsApiCallAction"]
    assert (made["callerType"], made["domainDetails"]) == ("Domain", {"domain": "s3.amazonaws.com"})
    assert "remoteIpDetails" not in made


@pytest.mark.parametrize(
    ("status", "archived"), [("open", False), ("acknowledged", False), ("suppressed", True), ("resolved", True)]
)
def test_what_is_resolved_or_suppressed_is_archived(status: str, archived: bool) -> None:
    assert detail_of(variants.full(status=status))["service"]["archived"] is archived


def test_the_source_does_not_claim_to_be_awss() -> None:
    event = guardduty.to_event(variants.stolen())
    assert event["source"] == "straykey"
    assert event["detail-type"] == "GuardDuty Finding"
    assert ":guardduty:" not in as_json(event)


def test_a_change_of_status_has_a_time_of_its_own() -> None:
    event: Any = guardduty.to_event(variants.full(status="resolved"), at="2026-05-05T08:00:00Z")
    assert event["time"] == "2026-05-05T08:00:00Z"
    assert event["detail"]["updatedAt"] == "2026-05-05T08:00:00.000Z"
    assert event["detail"]["createdAt"] == "2026-05-04T10:02:10.000Z"


def test_confidence_and_reasons_stand_in_the_additional_information() -> None:
    told = json.loads(detail_of(variants.stolen())["service"]["additionalInfo"]["value"])
    assert told["confidence"] == "confirmed"
    assert "foreign-key" in told["reasons"]
