"""Judging where it could be slow: each crowd in three sizes, so that a table shows whether time grows faster than it.

`python -m benchmarks.corners [crowd …]` prints the seconds of judging.  Ledgers are built directly, without files,
and only judging is timed.
"""

import gc
import sys
import time
from collections.abc import Iterator

from tests import crowds

from straykey.core.judge import judge
from straykey.core.settings import Settings


def grown(name: str) -> Iterator[tuple[int, float, int]]:
    """n, seconds of judging and the number of findings, for n, 2n and 4n."""
    make, least = crowds.CROWDS[name]
    copy = crowds.ranges()
    for n in (least, 2 * least, 4 * least):
        ledger = make(n)
        ledger.settle()
        gc.collect()
        began = time.perf_counter()
        findings = judge(ledger, Settings(), copy)
        yield n, time.perf_counter() - began, len(findings)


def main() -> None:
    print(f"{'crowd':16}{'n':>9}{'seconds':>10}{'µs each':>10}{'findings':>10}")
    for name in sys.argv[1:] or crowds.CROWDS:
        for n, seconds, findings in grown(name):
            print(f"{name:16}{n:9,}{seconds:10.3f}{seconds / n * 1e6:10.1f}{findings:10,}", flush=True)


if __name__ == "__main__":
    main()
