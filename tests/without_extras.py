"""Run by `make check-core` where no extra is installed: the core alone must scan, and say what it misses."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def straykey(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "straykey", *arguments], capture_output=True, text=True, check=False)


def main() -> None:
    assert not any(map(find_spec, ("zstandard", "boto3"))), "an extra is installed: this environment proves nothing"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = straykey("demo", str(folder / "company"))
        assert demo.returncode == 0, demo.stderr
        assert demo.stdout.count("Keys of i-") == 2, demo.stdout
        packed = folder / "trail.json.zst"
        packed.write_bytes(ZSTD_MAGIC + bytes(8))
        scan = straykey("scan", "--offline", str(packed))
        assert scan.returncode == 3, scan.stderr
        assert "pip install 'straykey[zstd]'" in scan.stderr, scan.stderr
    for path in ("history:", "s3://example-trail-bucket/AWSLogs/"):
        aws = straykey("scan", "--offline", path)
        assert aws.returncode == 2, aws.stderr
        assert "pip install 'straykey[aws]'" in aws.stderr, aws.stderr
    print("without extras: 4 passed, 0 failed")


main()
