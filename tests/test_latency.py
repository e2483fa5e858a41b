"""The page of latencies is made of the results, and of nothing else."""

from benchmarks.notices import known, page

from tests.conftest import Golden


def test_the_page_shows_the_results(golden: Golden) -> None:
    results = known()
    assert results is not None
    golden("docs/latency.md", page(results))
