"""Several sources read as one."""

from collections.abc import Iterator, Sequence

from straykey.ports import Batch, Source


class Several:
    """Everything that `sources` hold, one after the other."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    @property
    def is_bound(self) -> bool:
        return any(source.is_bound for source in self._sources)

    @property
    def contents(self) -> list[tuple[str, int]]:
        return [one for source in self._sources for one in source.contents]

    def shares(self, jobs: int) -> list[Source]:
        return [share for source in self._sources for share in source.shares(jobs)]

    def batches(self) -> Iterator[Batch]:
        for source in self._sources:
            yield from source.batches()
