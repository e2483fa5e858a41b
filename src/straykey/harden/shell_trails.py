"""What trails do not record, as the part `trails` of the script: each gap by its number, never all at once.

A trail that records more costs more, and another may record it already: whoever runs it has read that in the list.
"""

import re
from collections.abc import Iterator, Sequence

from straykey.harden.blindness import Gap, listed
from straykey.harden.command import Argv
from straykey.harden.shell_frame import when, word
from straykey.harden.trail_gap import BUCKET

# What tells how a trail is set, and its word for the trail.
_ASKED = {"update-trail": ("get-trail", "--name"), "put-event-selectors": ("get-event-selectors", "--trail-name")}


def mended(gaps: Sequence[Gap]) -> Iterator[str]:
    """Each waits for its number; what has no command fails, with what is to be done by hand."""
    for number, gap in enumerate(gaps, 1):
        lines = _lines(gap) if gap.command else ["has_failed=1"]
        yield from when(gap.owner or gap.account, str(number), f"trails {number}. {listed(gap)}", lines)


def _lines(gap: Gap) -> Iterator[str]:
    command = " ".join('"${BUCKET:?}"' if one == BUCKET else word(one) for one in gap.command)
    operation = gap.command[2]
    if operation not in _ASKED:
        yield f"attempt {command}"
        return
    asked, option = _ASKED[operation]
    words = ["aws", "cloudtrail", asked, *_with(gap.command, option), *_with(gap.command, "--region")]
    name = re.sub(r"[^0-9A-Za-z_.-]", "_", f"trail-{gap.owner or gap.account}-{gap.trail}-{operation}")
    kept = " ".join(map(word, [name, *words[1:], "--query", "to_string(@)"]))
    yield from (f"if keep {kept}; then", f"  attempt {command}", "else", "  has_failed=1", "fi")


def _with(argv: Argv, option: str) -> Argv:
    at = argv.index(option) if option in argv else len(argv)
    return argv[at : at + 2]
