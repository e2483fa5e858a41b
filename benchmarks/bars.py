"""What must hold, and what was reached; read off the results of one run."""

from collections.abc import Iterator

import msgspec

from benchmarks import rivals
from benchmarks.results import Comparison, Measured, Point, Ratio, Results, Run, median, ratio

_BASE_MB = 200
_KB_A_SESSION = 0.5
_SPREAD = 0.15


class Bar(msgspec.Struct, frozen=True):
    """One row; `holds` is None where nothing was measured."""

    figure: str
    bar: str
    aim: str
    reached: str
    holds: bool | None


def bars(results: Results) -> list[Bar]:
    fleet, large = (_of_shape(results, shape) for shape in ("fleet", "large"))
    against = "`scan`, one process, wall time of the whole program: times the plain loop"
    return [
        _against(fleet, f"{against}, on a fleet", "≥ 4×", "≥ 6×"),
        _against(large, f"{against}, on many short sessions", "≥ 4×", "≥ 6×"),
        _of_limit(fleet, "its CPU against the C++ limit, on a fleet"),
        _of_limit(large, "its CPU against the C++ limit, on many short sessions"),
        _memory(results.large),
        _growth("cost per record over records", results.by_records, results.start),
        _growth("cost per record over sessions", results.by_sessions, results.start),
        Bar(
            "`watch`: object notified to finding stored, p99",
            "< 1 s at 10 k records/s",
            "< 200 ms",
            "measured by `make latency`: [latency.md](latency.md)",
            None,
        ),
        _two(fleet, "two processes against one, wall time, on a fleet"),
        _two(large, "two processes against one, wall time, on many short sessions"),
    ]


def _of_shape(results: Results, shape: str) -> Comparison | None:
    return next((one for one in results.comparisons if one.shape == shape), None)


def found(comparison: Comparison | None, name: str) -> Measured | None:
    return next((one for one in comparison.programs if one.name == name), None) if comparison else None


def cost(point: Point, start: list[Run]) -> float:
    """Microseconds of CPU a record takes, without the start of the program."""
    return (median(point.runs, "cpu_seconds") - median(start, "cpu_seconds")) / point.records * 1e6


def allowed_mb(point: Point) -> float:
    return _BASE_MB + _KB_A_SESSION * point.sessions / 1000


def spread(one: Ratio, digits: int = 1) -> str:
    return f"{one.median:.{digits}f}× ({one.lowest:.{digits}f} to {one.highest:.{digits}f})"


def _against(large: Comparison | None, figure: str, bar: str, aim: str) -> Bar:
    ours, plain = found(large, rivals.ONE), found(large, rivals.PLAIN)
    if ours is None or plain is None:
        return _unmeasured(figure, bar, aim)
    reached, cpu = (ratio(plain.runs, ours.runs, one) for one in ("wall_seconds", "cpu_seconds"))
    return Bar(figure, bar, aim, f"{spread(reached)}; CPU {spread(cpu)}", reached.median >= 4)


def _of_limit(large: Comparison | None, figure: str) -> Bar:
    bar, aim = "≤ 2.5×", "≤ 1.5×"
    ours, limit = found(large, rivals.ONE), found(large, rivals.LIMIT)
    if ours is None or limit is None:
        return _unmeasured(figure, bar, aim)
    reached = ratio(ours.runs, limit.runs, "cpu_seconds")
    return Bar(figure, bar, aim, spread(reached), reached.median <= 2.5)


def _memory(point: Point | None) -> Bar:
    figure, bar, aim = "peak memory of `scan` on 10 GB of logs", "≤ 200 MB + 0.5 kB per session", "flat"
    if point is None:
        return _unmeasured(figure, bar, aim)
    peak = median(point.runs, "peak_mb")
    reached = f"{peak:,.0f} MB, {point.sessions:,} sessions ({allowed_mb(point):,.0f} MB allowed)"
    return Bar(figure, bar, aim, reached, peak <= allowed_mb(point))


def _growth(figure: str, points: list[Point], start: list[Run]) -> Bar:
    if len(points) < 2 or not start:
        return _unmeasured(figure, "± 15 %", "flat")
    ratios = list(_ratios(points, start))
    reached = ", ".join(f"{one:+.0%}" for one in ratios)
    return Bar(figure, "± 15 %", "flat", reached, all(abs(one) <= _SPREAD for one in ratios))


def _ratios(points: list[Point], start: list[Run]) -> Iterator[float]:
    """Each point's cost over the first one's, less one."""
    first, *others = (cost(point, start) for point in points)
    return (other / first - 1 for other in others)


def _two(large: Comparison | None, figure: str) -> Bar:
    bar, aim = "≥ 1.6×", "≥ 1.9×"
    one, two = found(large, rivals.ONE), found(large, rivals.TWO)
    if one is None or two is None:
        return _unmeasured(figure, bar, aim)
    reached = ratio(one.runs, two.runs, "wall_seconds")
    halves = found(large, rivals.HALVES)
    most = ratio(one.runs, halves.runs, "wall_seconds") if halves else None
    beside = f"; two scans of half each, side by side: {spread(most, 2)}" if most else ""
    return Bar(figure, bar, aim, spread(reached, 2) + beside, reached.median >= 1.6)


def _unmeasured(figure: str, bar: str, aim: str) -> Bar:
    return Bar(figure, bar, aim, "not measured", None)
