"""What one `make bench` measured: kept as `results.json`, from which the page and the picture are made."""

import statistics
from typing import Literal

import msgspec

Figure = Literal["wall_seconds", "cpu_seconds", "peak_mb"]


class Run(msgspec.Struct, frozen=True):
    """One program from start to end, with all processes it started."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: float


class Measured(msgspec.Struct, frozen=True):
    """A program and its runs, in the order in which they were made."""

    name: str
    runs: list[Run]


class Comparison(msgspec.Struct, frozen=True):
    """Programs in turn over the same files; `void` says where they did not see the same."""

    shape: str
    records: int
    sessions: int
    files: int
    packed_mb: float
    unpacked_mb: float
    programs: list[Measured]
    absent: list[str]
    void: list[str]


class Point(msgspec.Struct, frozen=True):
    """Scans of one trail; `sessions` are those the scan tells of."""

    records: int
    sessions: int
    unpacked_mb: float
    runs: list[Run]


class Stages(msgspec.Struct, frozen=True):
    """Seconds of CPU that each part of a scan takes; `start` is that of a scan of one record."""

    name: str
    records: int
    start: float
    unpack: float
    decode: float
    fold: float
    settle: float
    judge: float


class Corner(msgspec.Struct, frozen=True):
    """Judging a crowd of so many, where it could be slow."""

    what: str
    size: int
    seconds: float
    findings: int


class Machine(msgspec.Struct, frozen=True):
    python: str
    cores: int
    architecture: str


class Results(msgspec.Struct):
    machine: Machine
    start: list[Run] = []
    comparisons: list[Comparison] = []
    by_records: list[Point] = []
    by_sessions: list[Point] = []
    large: Point | None = None
    corners: list[Corner] = []
    stages: list[Stages] = []


class Ratio(msgspec.Struct, frozen=True):
    """Of paired runs."""

    median: float
    lowest: float
    highest: float


def median(runs: list[Run], figure: Figure) -> float:
    return float(statistics.median(getattr(run, figure) for run in runs))


def ratio(above: list[Run], below: list[Run], figure: Figure) -> Ratio:
    """Of runs that were made in turn, the first with the first and so on."""
    pairs = zip(above, below, strict=True)
    found = [getattr(one, figure) / max(getattr(other, figure), 1e-9) for one, other in pairs]
    return Ratio(statistics.median(found), min(found), max(found))
