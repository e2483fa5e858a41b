"""A progress bar on stderr, when that is a terminal."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TypeVar

import rich.progress
from rich.console import Console

_T = TypeVar("_T")


class Progress:
    """Advances by bytes read; `total_bytes` is None where nobody knows."""

    def __init__(self, total_bytes: int | None) -> None:
        self._bar = rich.progress.Progress(
            rich.progress.BarColumn(),
            rich.progress.DownloadColumn(),
            rich.progress.TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
            auto_refresh=False,  # else it starts a thread, and processes with threads cannot be forked safely
        )
        self._task = self._bar.add_task("reading", total=total_bytes)

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def advance(self, size: int) -> None:
        self._bar.advance(self._task, size)
        self._bar.refresh()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def counted(items: Iterable[_T], total: int, what: str) -> Iterable[_T]:
    """`items` as they come, under a bar that counts them."""
    console = Console(file=sys.stderr)
    return rich.progress.track(
        items, what, total=total, console=console, transient=True, disable=not sys.stderr.isatty()
    )
