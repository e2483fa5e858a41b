"""Judging where it could be slow: each crowd in three sizes, so that a table shows whether time grows faster than it.

`python -m benchmarks.corners [crowd …]` prints the seconds of judging, `--of crowd size` those of one size, as JSON.
Ledgers are built directly, without files, and only judging is timed.
"""

import gc
import sys
import time
from collections.abc import Iterator

import msgspec
from tests import crowds

from benchmarks.results import Corner
from straykey.core.judge import judge
from straykey.core.settings import Settings

# What could be quadratic, at sizes that nobody reaches, and at a quarter of them.
WORST = {
    "single": 1_000_000,
    "mixed": 200_000,
    "one_address": 100_000,
    "many_networks": 100_000,
    "pivot_chain": 100_000,
    "all_grants": 1_000_000,
}


def judged(name: str, size: int) -> Corner:
    """One crowd of one size."""
    make, _ = crowds.CROWDS[name]
    ledger, copy = make(size), crowds.ranges()
    ledger.settle()
    gc.collect()
    began = time.perf_counter()
    findings = judge(ledger, Settings(), copy)
    what = (make.__doc__ or name).partition(".")[0]
    return Corner(what, size, time.perf_counter() - began, len(findings))


def grown(name: str) -> Iterator[Corner]:
    """n, 2n and 4n."""
    _, least = crowds.CROWDS[name]
    return (judged(name, size) for size in (least, 2 * least, 4 * least))


def main() -> None:
    if sys.argv[1:2] == ["--of"]:
        print(msgspec.json.encode(judged(sys.argv[2], int(sys.argv[3]))).decode())
        return
    print(f"{'crowd':16}{'n':>9}{'seconds':>10}{'µs each':>10}{'findings':>10}")
    for name in sys.argv[1:] or crowds.CROWDS:
        for one in grown(name):
            each = one.seconds / one.size * 1e6
            print(f"{name:16}{one.size:9,}{one.seconds:10.3f}{each:10.1f}{one.findings:10,}", flush=True)


if __name__ == "__main__":
    main()
