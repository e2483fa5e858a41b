"""Findings as JSON: the contract of docs/output.md."""

from collections.abc import Iterable

import msgspec

from straykey.core.finding import Finding
from straykey.errors import UsageError
from straykey.formats.text import as_json, bounded, printable


def to_document(findings: Iterable[Finding], ranges: dict[str, str | None]) -> str:
    """One document: the findings, and which copy of AWS's ranges they were judged by."""
    return as_json({"findings": msgspec.to_builtins(list(findings)), "aws_ranges": ranges}, indent=2)


def to_line(finding: Finding) -> str:
    """One finding on one line."""
    return as_json(msgspec.to_builtins(finding))


def from_text(text: str, name: str) -> list[Finding]:
    """Findings as `to_document` or `to_line` wrote them, one or many; `name` is told where they cannot be read.

    Raises `UsageError`.
    """
    found: list[Finding] = []
    try:
        for document in _documents(text):
            listed = document["findings"] if isinstance(document, dict) and "findings" in document else [document]
            found += msgspec.convert(listed, list[Finding], strict=False)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UsageError(
            f"{printable(name)}: no findings: {bounded(str(error), 120)}",
            hint="give what straykey scan --format json or jsonl wrote",
        ) from error
    return found


def _documents(text: str) -> list[object]:
    try:
        return [msgspec.json.decode(text)]
    except msgspec.DecodeError:
        return [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
