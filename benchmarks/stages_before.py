# mypy: ignore-errors
"""`benchmarks.stages` of the last version before the work on speed, whose parts were called otherwise.

PYTHONPATH=SOURCE python -m benchmarks.stages_before FOLDER
"""

import gc
import json
import sys
from pathlib import Path
from time import process_time

from straykey.core.folding import Folding
from straykey.core.judge import judge
from straykey.core.ledger import Ledger
from straykey.core.salvage import portions
from straykey.core.settings import Settings
from straykey.sources.compression import Unpacking


def unpack(path: Path) -> None:
    for _ in Unpacking(path.read_bytes()):
        pass


def decode(path: Path) -> None:
    for _ in portions(iter(Unpacking(path.read_bytes()))):
        pass


def fold(path: Path, folding: Folding) -> None:
    for portion in portions(iter(Unpacking(path.read_bytes()))):
        for record in portion.records:
            folding.take(record)


def measured(folder: Path) -> dict[str, float]:
    """Seconds of CPU of each stage."""
    paths = sorted(folder.rglob("*.json.gz"))
    times = []
    ledger = Ledger()
    folding = Folding(ledger)
    for path in paths:  # read once, so that the files are in memory
        path.read_bytes()
    gc.collect()
    for stage in (unpack, decode, lambda path: fold(path, folding)):
        began = process_time()
        for path in paths:
            stage(path)
        times.append(process_time() - began)
    began = process_time()
    ledger.settle()
    settled = process_time()
    judge(ledger, Settings(), None)
    judged = process_time()
    unpacking, decoding, folded = times
    return {
        "unpack": unpacking,
        "decode": decoding - unpacking,
        "fold": folded - decoding,
        "settle": settled - began,
        "judge": judged - settled,
    }


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
