"""A notification fits where it must, and says what was left out."""

import json

import pytest
from msgspec.structs import replace

from straykey.core.finding import Severity, wanted
from straykey.formats.notification import Shape, to_line, within
from tests.formats import variants
from tests.sinks.told import AT, notification


def test_our_own_shape_carries_key_and_time_beside_the_finding() -> None:
    told = json.loads(to_line(notification()))
    assert list(told) == ["key", "at", "is_known", "finding"]
    assert (told["key"], told["at"], told["is_known"]) == (notification().key, AT, False)


@pytest.mark.parametrize("shape", Shape)
def test_what_fits_is_told_whole(shape: Shape) -> None:
    line = to_line(notification(), shape)
    assert within(len(line), notification(), shape) == line


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("length", [1, 100, 1000])
def test_every_finding_fits_into_256_kib(shape: Shape, length: int) -> None:
    line = within(250_000, notification(finding=variants.hostile(length)), shape)
    assert line
    assert len(line) <= 250_000
    assert line.isprintable()


def test_lists_are_cut_before_texts_and_both_are_told() -> None:
    large = notification(finding=variants.hostile())
    most = len(to_line(large)) - 1
    told = json.loads(within(most, large) or "")
    assert told["left_out"] == {"access_keys": 96}
    least = json.loads(within(30_000, notification(finding=variants.hostile(100))) or "")
    assert least["left_out"]["texts"] > 0
    assert least["left_out"]["access_keys"] == 127
    assert least["finding"]["pivots_count"] == large.finding.pivots_count


def test_where_nothing_helps_nothing_is_told() -> None:
    assert within(100, notification()) is None


@pytest.mark.parametrize(
    ("severity", "minimum", "told"),
    [
        (Severity.HIGH, Severity.HIGH, True),
        (Severity.HIGH, Severity.LOW, True),
        (Severity.MEDIUM, Severity.HIGH, False),
        (Severity.INFORMATIONAL, Severity.INFORMATIONAL, True),
    ],
)
def test_findings_of_the_severity_asked_for_are_wanted(severity: Severity, minimum: Severity, told: bool) -> None:
    finding = replace(variants.stolen(), severity=severity, severity_score=severity.score)
    assert wanted(finding, minimum) is told


@pytest.mark.parametrize("status", variants.STATUSES)
def test_who_was_told_is_told_of_every_change(status: str) -> None:
    lesser = replace(variants.full(status=status), severity=Severity.LOW, severity_score=3.0)
    assert wanted(lesser, Severity.HIGH, was_told=True)
    assert not wanted(lesser, Severity.HIGH)
