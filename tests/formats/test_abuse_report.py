"""What AWS Trust & Safety is sent, or who else holds the thief's address."""

import msgspec
import pytest

from straykey.core.finding import Finding, FindingType
from straykey.errors import UsageError
from straykey.formats import abuse_report, finding_json
from tests.conftest import Golden
from tests.formats.test_finding import HOSTILE, theft
from tests.seen import findings_of


def stolen() -> Finding:
    finding, *_ = findings_of(*theft())
    return finding


@pytest.mark.parametrize(
    ("type_", "name"),
    [(FindingType.OUTSIDE_AWS, "abuse-report-outside"), (FindingType.INSIDE_AWS, "abuse-report")],
)
def test_the_report(golden: Golden, type_: FindingType, name: str) -> None:
    golden(f"tests/golden/{name}.txt", abuse_report.render(msgspec.structs.replace(stolen(), type=type_)))


def test_what_the_thief_wrote_acts_on_no_terminal() -> None:
    shown = abuse_report.render(stolen())
    assert "203.0.113.66" in shown
    assert HOSTILE not in shown
    assert shown.replace("\n", "").isprintable()


def test_every_call_that_proves_it_is_a_line() -> None:
    finding = stolen()
    lines = abuse_report.render(finding).splitlines()
    for event in finding.events:
        assert any(line.startswith(event.time) and line.endswith(event.event_id) for line in lines)


def test_a_finding_without_an_address_cannot_be_reported() -> None:
    finding = stolen()
    nowhere = msgspec.structs.replace(finding, stray=msgspec.structs.replace(finding.stray, address=None))
    with pytest.raises(UsageError, match="no address"):
        abuse_report.render(nowhere)


@pytest.mark.parametrize(
    ("type_", "said"),
    [(FindingType.OUTSIDE_AWS, "none of AWS's"), (FindingType.UNKNOWN, "not known"), (FindingType.INSIDE_AWS, "")],
)
def test_who_is_not_aws_s_customer_is_not_reported_to_aws_unwarned(type_: FindingType, said: str) -> None:
    warning = abuse_report.warning(msgspec.structs.replace(stolen(), type=type_))
    assert said in warning
    assert bool(warning) is bool(said)


def told(type_: FindingType, **stray: object) -> str:
    """The first lines, with the address of a stray that is changed so."""
    finding = stolen()
    changed = msgspec.structs.replace(finding, type=type_, stray=msgspec.structs.replace(finding.stray, **stray))
    return "\n".join(abuse_report.render(changed).splitlines()[:3])


def test_of_an_address_outside_aws_the_network_that_holds_it_is_told() -> None:
    head = told(FindingType.OUTSIDE_AWS)
    assert "To: the abuse contact of the network that holds 203.0.113.66" in head
    assert abuse_report.MAIL not in head
    assert "none of AWS's" in head


@pytest.mark.parametrize(
    ("type_", "stray", "whose"),
    [
        (FindingType.INSIDE_AWS, {}, "in AWS"),
        (FindingType.RESOURCE_INSIDE_AWS, {"account": "999988887777", "affiliated": False}, "which is not ours"),
        (FindingType.INSIDE_AWS, {"account": "999988887777", "affiliated": True}, "another account of ours"),
        (FindingType.USER_AGENT, {"aws_region": "us-east-1"}, "in AWS"),
        (FindingType.UNKNOWN, {"lane": "endpoint", "address": "10.0.0.9"}, "in AWS"),
    ],
)
def test_of_an_address_in_aws_aws_is_told(type_: FindingType, stray: dict[str, object], whose: str) -> None:
    head = told(type_, **stray)
    assert head.startswith(f"To: {abuse_report.MAIL}")
    assert whose in head


def test_of_an_address_that_may_be_anybody_s_both_ways_are_named() -> None:
    head = told(FindingType.UNKNOWN)
    assert head.startswith("To: the abuse contact of the network")
    assert f"if that is AWS: {abuse_report.MAIL}" in head
    assert "Whose address: not known" in head


def test_a_thief_in_another_account_of_ours_is_looked_for_there_first() -> None:
    finding = stolen()
    stray = msgspec.structs.replace(finding.stray, account="999988887777", affiliated=True)
    changed = msgspec.structs.replace(finding, type=FindingType.INSIDE_AWS, stray=stray)
    assert "999988887777 is one of yours" in abuse_report.warning(changed)


def test_findings_are_read_back_from_what_a_scan_printed() -> None:
    found = findings_of(*theft())
    assert finding_json.from_text(finding_json.to_document(found, {}), "f") == found
    assert finding_json.from_text("\n".join(map(finding_json.to_line, found)) + "\n", "f") == found


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"findings": [{}]}', '{"findings": 3}', '{"Records": []}'])
def test_what_holds_no_findings_is_refused_in_words(text: str) -> None:
    with pytest.raises(UsageError, match="no findings"):
        finding_json.from_text(text, "f")


def test_nothing_holds_no_findings() -> None:
    assert finding_json.from_text("", "f") == []
