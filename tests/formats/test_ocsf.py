"""Every finding is a Detection Finding, whichever version of OCSF its reader speaks."""

from typing import Any

import pytest
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from pydantic import ValidationError

from straykey.core.finding import FindingType
from straykey.formats import ocsf
from straykey.formats.text import as_json
from tests.conftest import Golden
from tests.formats import variants

REQUIRED = {
    "activity_id",
    "category_uid",
    "class_uid",
    "cloud",
    "finding_info",
    "metadata",
    "severity_id",
    "time",
    "type_uid",
}


def test_a_theft_in_ocsf(golden: Golden) -> None:
    findings = [ocsf.to_finding(finding) for finding in (variants.stolen(), variants.delivered())]
    golden("tests/golden/findings.ocsf.json", as_json(findings, indent=2) + "\n")


@pytest.mark.parametrize("kind", variants.TYPES)
@pytest.mark.parametrize("status", variants.STATUSES)
@pytest.mark.parametrize("make", [variants.full, variants.bare])
def test_every_finding_is_a_detection_finding(make: Any, kind: Any, status: str) -> None:
    told: Any = ocsf.to_finding(make(kind, status))
    assert DetectionFinding.model_validate(told)
    assert told.keys() >= REQUIRED


def test_the_model_does_refuse_what_is_none() -> None:
    told = ocsf.to_finding(variants.stolen())
    with pytest.raises(ValidationError):
        DetectionFinding.model_validate({**told, "type_uid": 200199})


@pytest.mark.parametrize("kind", variants.TYPES)
@pytest.mark.parametrize("make", [variants.full, variants.bare])
def test_what_any_version_requires_is_there(make: Any, kind: Any) -> None:
    told: Any = ocsf.to_finding(make(kind))
    assert told["metadata"]["product"]["vendor_name"]
    assert told["metadata"]["version"]
    assert told["finding_info"]["title"]
    assert told["finding_info"]["uid"]
    assert all(one["name"] and one["type_id"] for one in told["observables"])
    assert told["evidences"]
    for evidence in told["evidences"]:
        assert evidence["actor"]["user"]
        assert all(evidence.values())
        assert "api" not in evidence or evidence["api"]["operation"]


def test_hostile_and_overlong_text_is_told_all_the_same() -> None:
    told: Any = ocsf.to_finding(variants.hostile(100))
    assert DetectionFinding.model_validate(told)
    assert len(told["finding_info"]["title"]) == 256
    assert len(told["finding_info"]["desc"]) == 4096
    assert "\x1b" not in told["message"] + told["finding_info"]["desc"]


@pytest.mark.parametrize(
    ("status", "is_known", "activity"),
    [("open", False, 1), ("open", True, 2), ("acknowledged", True, 2), ("suppressed", True, 2), ("resolved", True, 3)],
)
def test_a_finding_is_created_then_updated_and_closed_when_resolved(status: str, is_known: bool, activity: int) -> None:
    told = ocsf.to_finding(variants.full(status=status), is_known=is_known)
    assert (told["activity_id"], told["type_uid"]) == (activity, 200400 + activity)


@pytest.mark.parametrize(("status", "number"), [("open", 1), ("acknowledged", 2), ("suppressed", 3), ("resolved", 4)])
def test_the_status_is_told_as_a_number(status: str, number: int) -> None:
    assert ocsf.to_finding(variants.full(status=status))["status_id"] == number


def test_a_stolen_instance_key_is_told_as_taken_from_the_metadata_service() -> None:
    told: Any = ocsf.to_finding(variants.full())
    assert [one["sub_technique"]["uid"] for one in told["finding_info"]["attacks"]] == ["T1552.005", "T1078.004"]


@pytest.mark.parametrize("kind", [FindingType.V1_DELIVERY, FindingType.EGRESS_MOVED, FindingType.SERVICE_CALLS])
def test_what_is_no_attack_names_no_technique(kind: FindingType) -> None:
    told: Any = ocsf.to_finding(variants.full(kind))
    assert "attacks" not in told["finding_info"]


def test_each_record_that_proves_it_is_an_evidence() -> None:
    finding = variants.stolen()
    told: Any = ocsf.to_finding(finding)
    assert [one["data"]["event_id"] for one in told["evidences"]] == [event.event_id for event in finding.events]
    assert told["evidences"][0]["src_endpoint"] == {"ip": "203.0.113.66"}
    assert told["evidences"][2]["api"]["response"] == {"error": "AccessDenied"}


def test_times_are_milliseconds() -> None:
    told: Any = ocsf.to_finding(variants.full(status="resolved"), at="2026-05-05T08:00:00Z")
    assert told["start_time"] == 1777888930000
    assert told["time"] == told["finding_info"]["modified_time"] == 1777968000000
