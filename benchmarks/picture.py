"""Results as a picture: cost per record over records and over sessions, and the rivals as bars.  Drawn offline."""

from pathlib import Path
from typing import Any

import altair as alt

from benchmarks.bars import cost
from benchmarks.results import Comparison, Point, Results, median

_INK = "#2f5d8a"


def write(results: Results, file: Path) -> None:
    """Draw what there is; nothing where nothing was measured."""
    panels = [
        _curve(results, points, axis)
        for points, axis in ((results.by_records, "records"), (results.by_sessions, "sessions"))
        if len(points) > 1
    ]
    panels += [_bars(one) for one in results.comparisons[:1]]
    if panels:
        alt.hconcat(*panels, spacing=30).configure_view(stroke=None).configure(background="white").save(str(file))


def _curve(results: Results, points: list[Point], axis: str) -> Any:
    values = [{axis: getattr(point, axis), "cost": cost(point, results.start)} for point in points]
    top = 1.25 * max(value["cost"] for value in values)
    return (
        alt.Chart(alt.Data(values=values), title=f"over {axis}", width=200, height=180)
        .mark_line(point=True, color=_INK)
        .encode(
            x=alt.X(f"{axis}:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s", tickCount=4), title=axis),
            y=alt.Y("cost:Q", scale=alt.Scale(domain=[0, top]), title="CPU, µs a record"),
        )
    )


def _bars(comparison: Comparison) -> Any:
    values = [
        {"program": one.name, "cost": median(one.runs, "cpu_seconds") / comparison.records * 1e6}
        for one in comparison.programs
    ]
    chart = alt.Chart(alt.Data(values=values), title="beside rivals", width=220, height=180)
    y = alt.Y("program:N", sort="x", title=None, axis=alt.Axis(labelLimit=200))
    x = alt.X("cost:Q", title="CPU, µs a record")
    shown = chart.mark_text(align="left", dx=3).encode(x=x, y=y, text=alt.Text("cost:Q", format=".1f"))
    return chart.mark_bar(color=_INK).encode(x=x, y=y) + shown
