"""What a scan read, lost and found, in lines for stderr."""

from collections import Counter
from collections.abc import Iterable

from straykey.core.envelope import Detour
from straykey.core.finding import Finding, Severity
from straykey.core.record import Skipped
from straykey.core.tally import Tally
from straykey.formats.text import printable

_NOUNS = {Detour.REDONE: "piece", Detour.HELD: "file", Detour.SEARCHED: "broken file"}


def lines(
    tally: Tally, findings: Iterable[Finding], *, sessions: int, instances: int, ranges: str, seconds: float
) -> list[str]:
    """The summary, line by line; losses come after what was passed over, with every file that had one."""
    by_severity = Counter(finding.severity for finding in findings)
    told = [
        f"read      {_many(tally.files, 'file')}, {_many(tally.records, 'record')}, {tally.bytes / 1e6:,.1f} MB "
        f"in {seconds:,.1f} s",
        f"sessions  {sessions:,} of roles and users, {instances:,} of them of workloads",
        f"ranges    {printable(ranges)}",
    ]
    passed = Counter({reason: count for reason, count in tally.skipped.items() if not reason.is_loss})
    if passed:
        told.append(f"passed    {_reasons(passed)}")
    told += _losses(tally) + _detours(tally)
    found = ", ".join(f"{by_severity[severity]} {severity.value}" for severity in Severity if by_severity[severity])
    told.append(f"findings  {found or 'none'}")
    return told


def _losses(tally: Tally) -> list[str]:
    lost = Counter({reason: count for reason, count in tally.skipped.items() if reason.is_loss})
    told = []
    if lost:
        told.append(f"lost      {_reasons(lost)}")
    if tally.mended:
        told.append(f"mended    {_reasons(tally.mended)}")
    return told + [
        f"          {printable(name)}: {_reasons(reasons)}" for name, reasons in sorted(tally.losses.items())
    ]


def _detours(tally: Tally) -> list[str]:
    """What could not be read at once: harmless, but slow, and whoever can write odd records can bring it about."""
    told = [f"{_many(tally.detours[kind], noun)} {kind.value}" for kind, noun in _NOUNS.items() if tally.detours[kind]]
    return [f"slow      {', '.join(told)}"] if told else []


def _reasons(reasons: Counter[Skipped]) -> str:
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0].value))
    return ", ".join(f"{count:,} × {reason.value}" for reason, count in ordered)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
