"""Results as Markdown: the part of docs/reliability.md between its markers, from nothing but `results.json`."""

from collections import Counter
from collections.abc import Iterable, Sequence

from reliability.results import Outcome, Results

BEGIN, END = "<!-- measured -->", "<!-- end -->"


def published(text: str, results: Results) -> str:
    """The page with what was measured put between its markers."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render(results)}\n{END}{after}"


def render(results: Results) -> str:
    machine, outcomes = results.machine, list(results.outcomes.values())
    parts = [f"Python {machine.python}, {machine.cores} cores, {machine.system}.\n", _sum(outcomes)]
    parts += [_table(("trouble", "store", "runs", "kills", "s", "equal to a scan"), map(_outcome, outcomes))]
    parts += ["## What came again\n", _table(_AGAIN, map(_again, outcomes))]
    parts += ["## Where kills fell\n", _falls(outcomes)]
    wrong = [f"* {one.name}, {one.store}: {what}\n" for one in outcomes for what in one.wrong]
    parts += ["## What was wrong\n", "".join(wrong)] if wrong else []
    told = [f"* {one.name}, {one.store}: {note}\n" for one in outcomes for note in one.notes]
    told += [f"* {what}\n" for what in results.absent.values()]
    parts += ["## Besides\n", "".join(told)] if told else []
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _sum(outcomes: Sequence[Outcome]) -> str:
    at_random = sum(one.kills for one in outcomes if "random" in one.name)
    minutes = sum(one.seconds for one in outcomes) / 60
    runs, kills = _all(outcomes, "runs"), _all(outcomes, "kills")
    is_fine = all(one.holds for one in outcomes)
    return (
        f"{kills} kills, {at_random:,} of them at random moments, in {runs} runs over {_all(outcomes, 'records')} "
        f"records in {_all(outcomes, 'objects')} objects, in {minutes:.0f} minutes. {_all(outcomes, 'findings')} "
        f"findings and the evidence of {_all(outcomes, 'sessions')} sessions were held against a scan: "
        f"{'all are equal, byte for byte' if is_fine else '**not all are equal**'}.\n"
    )


def _all(outcomes: Sequence[Outcome], figure: str) -> str:
    return f"{sum(getattr(one, figure) for one in outcomes):,}"


def _outcome(one: Outcome) -> Sequence[str]:
    holds = "yes" if one.holds else "**no**"
    return one.name, one.store, str(one.runs), str(one.kills), f"{one.seconds:.0f}", holds


_AGAIN = ("trouble", "store", "messages", "received", "of these again", "notifications", "handed over more than once")


def _again(one: Outcome) -> Sequence[str]:
    figures = (one.messages, one.received, one.again, one.notifications, one.repeats)
    return one.name, one.store, *(f"{figure:,}" for figure in figures)


def _falls(outcomes: Sequence[Outcome]) -> str:
    falls: Counter[str] = Counter()
    for one in outcomes:
        falls.update(one.ended)
    return _table(("the process was", "kills"), [(what, str(count)) for what, count in sorted(falls.items())])
