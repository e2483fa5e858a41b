"""Results as Markdown: the part of docs/benchmarks.md between its markers, from nothing but `results.json`."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks import rivals
from benchmarks.bars import allowed_mb, bars, cost, found, spread
from benchmarks.results import Comparison, Corner, Measured, Point, Results, Stages, median, ratio

BEGIN, END = "<!-- measured -->", "<!-- end -->"
_HOLDS = {True: "yes", False: "**no**", None: ""}
_SHAPES = {
    "fleet": "A fleet: two fifths of the records are of 500 instances, the others of services and people that stay",
    "large": "Many short sessions: two fifths are of instances, the others of thousands of tasks, functions and people",
    "delivered": "The same records in files as a trail delivers them, about 30 records each",
}
_DOES = {
    rivals.ONE: "unpack, decode and check every byte, fold, judge, print",
    rivals.TWO: "the same",
    rivals.HALVES: "one process reads one half, one the other; two programs, two outcomes: what two could reach here",
    rivals.BEFORE: "the same",
    rivals.LIMIT: "unpack, decode what is needed, fold; no judging, no salvage",
}
_SAME = "All programs saw the same sessions; what the limit kept, a scan keeps, by a checksum over all of it."


def published(text: str, results: Results) -> str:
    """The page with what was measured put between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render(results)}\n{END}{after}"


def render(results: Results) -> str:
    machine = results.machine
    parts = [f"Python {machine.python}, {machine.cores} cores, {machine.architecture}.\n"]
    parts += ["## What must hold\n", _table(("figure", "bar", "aim", "reached", "holds"), _bars(results))]
    parts += ["## Beside rivals\n", *(_comparison(one) for one in results.comparisons)]
    parts += ["## As logs grow\n", _growth_text(results)]
    parts += [_curve(results, points) for points in (results.by_records, results.by_sessions) if points]
    if results.large is not None:
        parts += ["## Memory on 10 GB of logs\n", _curve(results, [results.large])]
    if results.corners:
        parts += ["## Judging where it could be slow\n", _corners(results.corners)]
    if results.stages:
        parts += ["## Where the time goes\n", _stages(results.stages)]
    parts += ["## What a native core could bring\n", _native(results)]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _bars(results: Results) -> Iterator[Sequence[str]]:
    return ((one.figure, one.bar, one.aim, one.reached, _HOLDS[one.holds]) for one in bars(results))


def _comparison(one: Comparison) -> str:
    ours = found(one, rivals.ONE)
    runs = len(ours.runs) if ours else 0
    size = f"{one.records:,} records, {one.files:,} files, {one.unpacked_mb:,.0f} MB, packed {one.packed_mb:,.1f} MB"
    text = (
        f"{_SHAPES[one.shape]}: {size}, {one.sessions:,} sessions of roles. {runs} runs of each in turn, medians.\n\n"
    )
    head = ("", "does", "wall s", "CPU s", "CPU µs a record", "peak MB", "wall, times ours", "CPU, times ours")
    text += _table(head, (_program(program, ours, one.records) for program in one.programs))
    notes = [f"Not run: {line}." for line in one.absent]
    notes += [f"Void: {line}." for line in one.void] or [_SAME]
    return text + "\n" + "\n".join(notes) + "\n"


def _program(program: Measured, ours: Measured | None, records: int) -> Sequence[str]:
    wall, cpu, peak = (median(program.runs, figure) for figure in ("wall_seconds", "cpu_seconds", "peak_mb"))
    times = ["", ""]
    if ours is not None and program is not ours:
        times = [spread(ratio(program.runs, ours.runs, figure), 2) for figure in ("wall_seconds", "cpu_seconds")]
    does = _DOES.get(program.name, "the aggregate only")
    return (program.name, does, f"{wall:.2f}", f"{cpu:.2f}", f"{cpu / records * 1e6:.2f}", f"{peak:,.0f}", *times)


def _growth_text(results: Results) -> str:
    start = median(results.start, "cpu_seconds") if results.start else 0.0
    return (
        "![Cost per record as logs grow, and beside rivals](benchmarks.svg)\n\n"
        "One process. A thousand sessions live at a time, or all where there are fewer. "
        f"A record's cost is the CPU of the whole program less that of a scan of one record ({start:.2f} s).\n"
    )


def _curve(results: Results, points: list[Point]) -> str:
    first = cost(points[0], results.start)
    head = (
        "records",
        "sessions",
        "unpacked GB",
        "CPU s",
        "CPU µs a record",
        "times the first",
        "peak MB",
        "allowed MB",
    )
    return _table(head, (_point(results, point, first) for point in points))


def _point(results: Results, point: Point, first: float) -> Sequence[str]:
    one = cost(point, results.start)
    peak, cpu = median(point.runs, "peak_mb"), median(point.runs, "cpu_seconds")
    size = (f"{point.records:,}", f"{point.sessions:,}", f"{point.unpacked_mb / 1000:,.2f}")
    return (*size, f"{cpu:,.2f}", f"{one:.2f}", f"{one / first:.2f}", f"{peak:,.0f}", f"{allowed_mb(point):,.0f}")


def _corners(corners: list[Corner]) -> str:
    head = ("a ledger of", "size", "seconds", "µs each", "findings")
    rows = (
        (one.what, f"{one.size:,}", f"{one.seconds:.2f}", f"{one.seconds / one.size * 1e6:.1f}", f"{one.findings:,}")
        for one in corners
    )
    return _table(head, rows)


def _stages(stages: list[Stages]) -> str:
    head = ("CPU µs a record", *(f"{one.name}" for one in stages), *(["times"] if len(stages) > 1 else []))
    names = ("start", "unpack", "decode", "fold", "settle", "judge")
    return _table(head, [*(_stage(name, stages) for name in names), _sum(names, stages)])


def _stage(name: str, stages: list[Stages]) -> Sequence[str]:
    return _figures(name, [getattr(one, name) / one.records * 1e6 for one in stages])


def _sum(names: Sequence[str], stages: list[Stages]) -> Sequence[str]:
    return _figures("all", [sum(getattr(one, name) for name in names) / one.records * 1e6 for one in stages])


def _figures(name: str, figures: list[float]) -> Sequence[str]:
    shown = [name, *(f"{figure:.2f}" for figure in figures)]
    return [*shown, f"{figures[0] / figures[-1]:.2f}" if figures[-1] > 0 else ""] if len(figures) > 1 else shown


def _native(results: Results) -> str:
    large = next((one for one in results.comparisons if one.shape == "fleet"), None)
    ours, limit = found(large, rivals.ONE), found(large, rivals.LIMIT)
    if ours is None or limit is None or not results.start:
        return "Not measured.\n"
    cpu, least, start = (median(runs, "cpu_seconds") for runs in (ours.runs, limit.runs, results.start))
    return (
        f"A scan takes {cpu:.2f} s of CPU; its start {start:.2f} s, the limit {least:.2f} s. Were reading and folding "
        f"native and judging free, the whole program would take {start + least:.2f} s: no more than "
        f"**{cpu / (start + least):.1f}×** is to be had.\n"
    )
