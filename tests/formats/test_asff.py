"""Security Hub takes every finding."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from msgspec.structs import replace

from straykey.core.finding import FindingType
from straykey.formats import asff
from straykey.formats.text import as_json
from tests.conftest import Golden
from tests.formats import variants

MODEL = botocore.session.get_session().get_service_model("securityhub")
IMPORT = MODEL.operation_model("BatchImportFindings").input_shape
PARTITIONS = set(MODEL.shape_for("Partition").enum)  # type: ignore[attr-defined]  # of a string shape
NAMESPACES = {"Software and Configuration Checks", "TTPs", "Effects", "Unusual Behaviors"}


def complaints_about(*findings: Any) -> str:
    assert IMPORT is not None
    return str(ParamValidator().validate({"Findings": list(findings)}, IMPORT).generate_report())


def leaves(value: Any) -> Iterator[object]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def test_a_theft_for_security_hub(golden: Golden) -> None:
    findings = [asff.to_finding(finding) for finding in (variants.stolen(), variants.delivered())]
    golden("tests/golden/findings.asff.json", as_json(findings, indent=2) + "\n")


@pytest.mark.parametrize("kind", variants.TYPES)
@pytest.mark.parametrize("status", variants.STATUSES)
@pytest.mark.parametrize("make", [variants.full, variants.bare])
def test_every_finding_can_be_imported(make: Any, kind: Any, status: str) -> None:
    assert complaints_about(asff.to_finding(make(kind, status))) == ""


def test_no_text_is_blank_for_security_hub_refuses_that() -> None:
    stolen = variants.stolen()
    blank = replace(stolen, session=replace(stolen.session, role=" "), access_keys=[" "])
    for finding in [blank, *variants.everything()]:
        assert all(str(leaf).strip() for leaf in leaves(asff.to_finding(finding)))


def test_hostile_and_overlong_text_is_held_to_the_limits() -> None:
    told: Any = asff.to_finding(variants.hostile(100))
    assert complaints_about(told) == ""
    assert len(told["Title"]) == 256
    assert len(told["Description"]) == 1024
    assert len(told["Id"]) <= 512
    assert len(told["Resources"]) == 32
    assert all(len(one["Id"]) <= 512 for one in told["Resources"])
    assert all(len(text) <= 2048 for text in told["ProductFields"].values())
    assert len(told["Action"]["AwsApiCallAction"]["Api"]) <= 128
    assert len(as_json(told)) < 240_000
    assert "\\u001b" not in as_json(told)


def test_types_have_a_namespace_of_security_hubs_a_category_and_one_classifier() -> None:
    for kind in variants.TYPES:
        told: Any = asff.to_finding(variants.full(kind))
        (name,) = told["Types"]
        assert name.split("/")[0] in NAMESPACES
        assert len(name.split("/")) == 3
        assert told["FindingProviderFields"]["Types"] == [name]


def test_partitions_are_those_security_hub_knows() -> None:
    assert asff._PARTITIONS <= PARTITIONS
    finding = variants.stolen()
    strange = replace(finding, session=replace(finding.session, arn="arn:aws-eusc:sts::111122223333:assumed-role/a/b"))
    told: Any = asff.to_finding(strange)
    assert "Partition" not in told["Resources"][0]
    assert told["ProductArn"].startswith("arn:aws-eusc:securityhub:eu-west-1:111122223333:product/")


@pytest.mark.parametrize(
    ("status", "state"),
    [("open", "ACTIVE"), ("acknowledged", "ACTIVE"), ("suppressed", "ARCHIVED"), ("resolved", "ARCHIVED")],
)
def test_what_is_resolved_or_suppressed_is_archived(status: str, state: str) -> None:
    assert asff.to_finding(variants.full(status=status))["RecordState"] == state


def test_the_id_stays_the_same_whatever_changes() -> None:
    finding = variants.full()
    changed = replace(variants.full(FindingType.UNKNOWN, "resolved"), session=replace(finding.session, region=None))
    assert asff.to_finding(finding)["Id"] == asff.to_finding(changed)["Id"]


def test_it_can_be_imported_into_the_hub_of_another_account() -> None:
    told = asff.to_finding(variants.stolen(), asff.Hub("aws", "us-east-1", "444455556666"))
    assert told["ProductArn"] == "arn:aws:securityhub:us-east-1:444455556666:product/444455556666/default"
    assert told["AwsAccountId"] == "444455556666"


def test_a_change_of_status_has_a_later_time_or_security_hub_would_ignore_it() -> None:
    told = asff.to_finding(variants.full(status="resolved"), at="2026-05-05T08:00:00Z")
    assert told["UpdatedAt"] == "2026-05-05T08:00:00.000Z"


def test_an_ipv6_address_and_a_service_have_their_places() -> None:
    told: Any = asff.to_finding(variants.of_ipv6())
    assert "RemoteIpDetails" not in told["Action"]["AwsApiCallAction"]
    assert told["ProductFields"]["straykey/address"] == "2001:db8:ffff::66"
    stolen = variants.stolen()
    service = replace(stolen, stray=replace(stolen.stray, address="s3.amazonaws.com", lane="service"))
    told = asff.to_finding(service)
    assert told["Action"]["AwsApiCallAction"]["DomainDetails"] == {"Domain": "s3.amazonaws.com"}
