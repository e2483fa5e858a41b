"""The hourly digest files CloudTrail writes beside the logs: lists of files, not of records.

A reader that takes them for logs finds no `Records` in them.  The chain of hashes is real; the
signatures live in object metadata, which a folder does not have.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BUCKET = "example-trail-bucket"
_TRAIL, _HOME_REGION = "org-trail", "us-east-1"
_FINGERPRINT = "00000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Logged:
    """A log file that was written; `sha256` is that of the body before compression."""

    account: str
    region: str
    at: datetime
    path: Path
    sha256: str
    oldest: str
    newest: str


class Digests:
    """Collects what was logged, and writes one digest per account, region and hour."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._logged: dict[tuple[str, str], dict[datetime, list[Logged]]] = defaultdict(lambda: defaultdict(list))

    def add(self, log: Logged) -> None:
        hour = log.at.replace(minute=0, second=0) + timedelta(hours=1)
        self._logged[log.account, log.region][hour].append(log)

    def write(self) -> int:
        """Write them all; how many there are."""
        for (account, region), hours in sorted(self._logged.items()):
            previous: tuple[str, str] | None = None
            for hour, logs in sorted(hours.items()):
                path = self._path(account, region, hour)
                body = json.dumps(self._document(path, account, hour, logs, previous), separators=(",", ":")).encode()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(gzip.compress(body, mtime=0))
                previous = (self._key(path), hashlib.sha256(body).hexdigest())
        return sum(map(len, self._logged.values()))

    def _path(self, account: str, region: str, hour: datetime) -> Path:
        name = f"{account}_CloudTrail-Digest_{region}_{_TRAIL}_{_HOME_REGION}_{hour:%Y%m%dT%H%M%SZ}.json.gz"
        return self._root / account / "CloudTrail-Digest" / region / f"{hour:%Y/%m/%d}" / name

    def _key(self, path: Path) -> str:
        return str(Path("AWSLogs", self._root.name) / path.relative_to(self._root))

    def _document(
        self, path: Path, account: str, hour: datetime, logs: list[Logged], previous: tuple[str, str] | None
    ) -> dict[str, Any]:
        key, digest = previous or (None, None)
        return {
            "awsAccountId": account,
            "digestStartTime": f"{hour - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{hour:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": self._key(path),
            "digestPublicKeyFingerprint": _FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": max(log.newest for log in logs),
            "oldestEventTime": min(log.oldest for log in logs),
            "previousDigestS3Bucket": BUCKET if key else None,
            "previousDigestS3Object": key,
            "previousDigestHashValue": digest,
            "previousDigestHashAlgorithm": "SHA-256" if key else None,
            "previousDigestSignature": None,
            "logFiles": [self._listed(log) for log in logs],
        }

    def _listed(self, log: Logged) -> dict[str, str]:
        return {
            "s3Bucket": BUCKET,
            "s3Object": self._key(log.path),
            "hashValue": log.sha256,
            "hashAlgorithm": "SHA-256",
            "newestEventTime": log.newest,
            "oldestEventTime": log.oldest,
        }
