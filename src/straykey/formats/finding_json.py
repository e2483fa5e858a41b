"""Findings as JSON: the contract of docs/output.md."""

from collections.abc import Iterable

import msgspec

from straykey.core.finding import Finding
from straykey.formats.text import as_json


def to_document(findings: Iterable[Finding], ranges: dict[str, str | None]) -> str:
    """One document: the findings, and which copy of AWS's ranges they were judged by."""
    return as_json({"findings": msgspec.to_builtins(list(findings)), "aws_ranges": ranges}, indent=2)


def to_line(finding: Finding) -> str:
    """One finding on one line."""
    return as_json(msgspec.to_builtins(finding))
