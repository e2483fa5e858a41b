"""A report, its measures and its gaps as something to run or to read elsewhere: JSON, Terraform, AWS's command line.

Nothing that is emitted acts on its own: each piece waits until somebody names it, so that a canary comes first.  Names
and documents come from logs: each language quotes them in its way.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from straykey.harden.blindness import Gap
from straykey.harden.imds_plan import Measure
from straykey.harden.pieces import pieces_of
from straykey.harden.report import Report
from straykey.harden.report_json import to_document
from straykey.harden.shell_script import shell_script
from straykey.harden.terraform import terraform

Style = Literal["json", "terraform", "cli"]


def emitted(report: Report, measures: Sequence[Measure], style: Style, gaps: Sequence[Gap] = ()) -> str:
    """The whole file, equal for equal reports."""
    return _STYLES[style](report, measures, gaps)


def _cli(report: Report, measures: Sequence[Measure], gaps: Sequence[Gap]) -> str:
    return shell_script(pieces_of(report, measures, gaps))


def _terraform(report: Report, measures: Sequence[Measure], gaps: Sequence[Gap]) -> str:
    return terraform(pieces_of(report, measures, gaps))


_STYLES: Mapping[Style, Callable[[Report, Sequence[Measure], Sequence[Gap]], str]] = {
    "json": to_document,
    "terraform": _terraform,
    "cli": _cli,
}
