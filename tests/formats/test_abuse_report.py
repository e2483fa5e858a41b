"""What AWS Trust & Safety is sent."""

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


def test_the_report(golden: Golden) -> None:
    golden("tests/golden/abuse-report.txt", abuse_report.render(stolen()))


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
