"""Where the time of a scan goes: the same files read again and again, each time one stage further.

python -m benchmarks.stages FOLDER
"""

import gc
import json
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from time import process_time

from straykey.core.evidence import Bounds
from straykey.core.folding import Folding
from straykey.core.judge import judge
from straykey.core.ledger import PackedLedger
from straykey.core.reading import portions
from straykey.core.settings import Settings
from straykey.pipeline import Period, fold
from straykey.sources.compression import PACKING, Unpacking


def unpack(contents: list[bytes]) -> None:
    for content in contents:
        for _ in Unpacking(BytesIO(content).read):
            pass


def decode(contents: list[bytes]) -> None:
    for content in contents:
        for _ in portions(iter(Unpacking(BytesIO(content).read))):
            pass


def folded(contents: list[bytes]) -> PackedLedger:
    folding = Folding(Bounds(), PACKING)
    for content in contents:
        fold(portions(iter(Unpacking(BytesIO(content).read))), folding, Period())
    return folding.ledger()


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = process_time()
    work()
    return process_time() - began


def measured(folder: Path) -> dict[str, float]:
    """Seconds of CPU of each stage."""
    contents = [path.read_bytes() for path in sorted(folder.rglob("*.json.gz"))]
    unpacking = seconds(lambda: unpack(contents))
    decoding = seconds(lambda: decode(contents))
    folding = seconds(lambda: folded(contents))
    ledger = folded(contents)
    merging = seconds(lambda: sum(1 for _ in ledger.sessions.values()))
    return {
        "unpack": unpacking,
        "decode": decoding - unpacking,
        "fold": folding - decoding,
        "settle": merging,
        "judge": seconds(lambda: judge(ledger, Settings(), None)) - merging,
    }


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
