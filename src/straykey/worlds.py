"""The commands about simulated worlds, where the truth is known.

The simulator is imported where it is used: a scan need not pay for it.
"""

import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from straykey import pipeline
from straykey.errors import UsageError
from straykey.options import ranges_of
from straykey.progress import counted
from straykey.terminal import Format, say, scanned, show, show_findings

if TYPE_CHECKING:
    from straykey.sim import delivery

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: straykey simulate company --hours 2 --instances 30 --seed 7")
def simulate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    hours: Annotated[int, typer.Option("--hours", min=1, max=720, help="How long to watch.")] = 1,
    instances: Annotated[int, typer.Option("--instances", min=1, max=10000, help="How many instances.")] = 12,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal files.")] = 1,
    thefts: Annotated[int, typer.Option("--thefts", min=0, help="How many keys are stolen.")] = 2,
) -> None:
    """Write a small company's CloudTrail with thefts in it, and the truth beside it."""
    delivered = _simulate(directory, hours=hours, instances=instances, seed=seed, thefts=thefts)
    typer.echo(f"{delivered.logs}: {delivered.files} files, {delivered.records} records")
    typer.echo(f"{delivered.truth}: what was stolen, and where it was used")
    typer.echo(f"{delivered.ip_ranges}: this world's AWS ranges")
    command = ["straykey", "scan", str(delivered.logs), "--ip-ranges", str(delivered.ip_ranges)]
    typer.echo(f"\nNext: {shlex.join(command)}")


@app.command(epilog="Example: straykey demo")
def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the company's files go, or already are.")
    ] = Path("straykey-demo"),
) -> None:
    """Simulate an hour of a small company with two thefts in it, and find them."""
    logs, copy = directory / "AWSLogs", directory / "ip-ranges.json"
    if logs.is_dir() and not copy.is_file():
        raise UsageError(f"{directory}: holds something else than a demo", hint="name a new folder")
    if not logs.is_dir():
        delivered = _simulate(directory, hours=1, instances=12, seed=1, thefts=2)
        say(f"simulated an hour of a small company: {delivered.records} records in {delivered.files} files")
    say(f"straykey scan {logs} --ip-ranges {copy}\n")
    ranges = ranges_of(copy)
    outcome = scanned([str(logs)], pipeline.Request(ranges=ranges.ranges), ranges.told)
    say("")
    show_findings(outcome, Format.TABLE, [str(logs), "--ip-ranges", str(copy)], ranges)
    say("\nWith your own logs: straykey scan PATH   (a trail's files or folders; aws s3 sync brings them)")


@app.command(epilog="Example: straykey evaluate --seeds 50 --json")
def evaluate(
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", min=1, help="How many worlds.")] = 20,
    first_seed: Annotated[int, typer.Option("--first-seed", metavar="N", help="The seed of the first world.")] = 1,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=0, help="How many processes; 0 for one on each core.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Score the detector, beside the method of 2018, in worlds full of thefts and of honest changes."""
    from straykey import evaluation  # noqa: PLC0415
    from straykey.formats import score_json, score_table  # noqa: PLC0415

    began = time.monotonic()
    processes = min(jobs or os.cpu_count() or 1, seeds)
    scores = evaluation.trials(range(first_seed, first_seed + seeds), jobs=processes)
    evaluated = evaluation.evaluated(counted(scores, seeds, "evaluating"))
    say(f"evaluated {seeds} world{'s' * (seeds != 1)} in {time.monotonic() - began:,.1f} s")
    if as_json:
        typer.echo(score_json.to_document(evaluated))
    else:
        show(score_table.render(evaluated))


def _simulate(directory: Path, *, hours: int, instances: int, seed: int, thefts: int) -> "delivery.Delivered":
    from straykey.sim import delivery, scenario  # noqa: PLC0415

    try:
        world = scenario.simulate(seed=seed, hours=hours, instances=instances, thefts=thefts)
        return delivery.write(world, directory)
    except ValueError as error:
        raise UsageError(str(error), hint="ask for more instances or fewer thefts") from error
    except FileExistsError as error:
        raise UsageError(f"{directory}: holds a simulation already", hint="name a new folder") from error
    except OSError as error:
        raise UsageError(f"{directory}: {error.strerror}", hint="name a folder that can be written") from error
