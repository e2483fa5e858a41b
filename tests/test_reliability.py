"""The page of reliability is what its results render."""

import msgspec
import pytest
from reliability import page
from reliability.results import Machine, Outcome, Results

from tests.conftest import ROOT, Golden

FINE = Outcome("kill -9", "SQLite", runs=2, kills=7, ended={"after fold": 7}, findings=9)
BAD = Outcome("power cut", "PostgreSQL", runs=1, wrong=["session arn was lost"], notes=["it was dark"])


def rendered(*outcomes: Outcome) -> str:
    return page.render(
        Results(Machine("3.11", 2, "Linux"), {one.name: one for one in outcomes}, {"floods": "Not tried: floods."})
    )


def test_the_page_shows_what_the_results_render(golden: Golden) -> None:
    kept = msgspec.json.decode((ROOT / "reliability/results.json").read_bytes(), type=Results)
    golden("docs/reliability.md", page.published((ROOT / "docs/reliability.md").read_text(), kept))


def test_what_the_page_shows_holds() -> None:
    kept = msgspec.json.decode((ROOT / "reliability/results.json").read_bytes(), type=Results)
    assert [one.name for one in kept.outcomes.values() if not one.holds] == []


def test_equal_is_said_only_where_all_are() -> None:
    assert "all are equal, byte for byte" in rendered(FINE)
    assert "**not all are equal**" in rendered(FINE, BAD)


@pytest.mark.parametrize(
    "part",
    [
        "| kill -9 | SQLite | 2 | 7 | 0 | yes |",
        "| power cut | PostgreSQL | 1 | 0 | 0 | **no** |",
        "| after fold | 7 |",
        "* power cut, PostgreSQL: session arn was lost",
        "* power cut, PostgreSQL: it was dark",
        "* Not tried: floods.",
    ],
)
def test_the_page_tells_every_part(part: str) -> None:
    assert part in rendered(FINE, BAD)
