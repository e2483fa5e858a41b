"""CloudTrail records in the objects of a bucket.

The program must have one thread when it forks, and a share is sent from process to process.  So a `Bucket` is plain
values: what connects, and what runs threads, is made where batches are read, and is gone when they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from straykey import aws
from straykey.core.envelope import Decoded, nothing
from straykey.core.reading import portions
from straykey.core.record import Skipped
from straykey.errors import UsageError
from straykey.ports import Batch, Source
from straykey.sources.ahead import THREADS, ahead
from straykey.sources.compression import Limit, Unpacking
from straykey.sources.layout import Days, Object, Page, logs
from straykey.sources.share import cut

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

SCHEME = "s3://"
# How much of an object is fetched before its turn: all of it, if a trail wrote it.
_HELD = 8 << 20
_STEP = 1 << 16
# A body that breaks off is fetched anew; botocore repeats only what brought no answer.
_ATTEMPTS = 3
# In bytes: to ask for an object takes as long as to read so much of it.
_LEAST_COST = 1 << 14
_REASONS = {"AccessDenied": Skipped.DENIED, "InvalidObjectState": Skipped.ARCHIVED}


def find(urls: Iterable[str], days: Days) -> list[Bucket]:
    """The logs of `days` that lie under `urls`, each once however often it is named.

    Raises `SourceError` for a bucket that cannot be listed, and `UsageError` for a prefix that no key has.
    """
    found: dict[str, dict[str, Object]] = {}
    for url in urls:
        name, _, prefix = url.removeprefix(SCHEME).partition("/")
        if not name:
            raise UsageError(f"{url}: names no bucket", hint="name it as s3://bucket/prefix")
        objects = found.setdefault(name, {})
        for one in _listed(name, prefix, days):
            if one.is_log or one.key not in objects:
                objects[one.key] = one
    return [Bucket(name, list(objects.values())) for name, objects in found.items()]


def _listed(name: str, prefix: str, days: Days) -> Iterator[Object]:
    where = f"{SCHEME}{name}/{prefix}"
    with aws.reaching(where, "s3:ListBucket"):
        client = connected()

        def page_behind(key: str) -> Page:
            page = _page(client, name, prefix, key)
            if prefix and not key and not page.objects:
                raise UsageError(f"{where}: no object's key begins so", hint=f"aws s3 ls {SCHEME}{name}/ shows what is")
            return page

        yield from logs(page_behind, prefix, days)


def _page(client: S3Client, name: str, prefix: str, behind: str) -> Page:
    """What a listing gives next; a part of it may be empty and not the last."""
    answer = client.list_objects_v2(Bucket=name, Prefix=prefix, StartAfter=behind)
    while answer["IsTruncated"] and not answer.get("Contents"):
        answer = client.list_objects_v2(Bucket=name, Prefix=prefix, ContinuationToken=answer["NextContinuationToken"])
    return Page([(one["Key"], one["Size"]) for one in answer.get("Contents", ())], not answer["IsTruncated"])


def put(url: str, key: str, body: bytes) -> Callable[[], None]:
    """Put an object under a prefix, for a drill; gives what takes it away again."""
    name, _, prefix = url.removeprefix(SCHEME).partition("/")
    whole = f"{prefix.partition('AWSLogs/')[0]}{key}"
    with aws.reaching(f"{SCHEME}{name}/{whole}", "s3:PutObject"):
        connected().put_object(Bucket=name, Key=whole, Body=body)

    def take_back() -> None:
        with aws.reaching(f"{SCHEME}{name}/{whole}", "s3:DeleteObject"):
            connected().delete_object(Bucket=name, Key=whole)

    return take_back


def connected() -> S3Client:
    """A client that many threads may use."""
    try:
        return aws.session().client("s3", config=aws.pooled(2 * THREADS))
    except ValueError as error:
        raise UsageError("AWS_ENDPOINT_URL is no address", hint="unset it, or make it a URL") from error


class Bucket:
    """A source of batches, one for each object; one that cannot be read yields a batch that says why."""

    def __init__(self, name: str, objects: Sequence[Object], *, limit: Limit | None = None) -> None:
        self.name = name
        self.objects = objects
        self._limit = limit or Limit()

    @property
    def is_bound(self) -> bool:
        return False

    @property
    def contents(self) -> list[tuple[str, int]]:
        return [(self._name_of(one), one.size) for one in self.objects]

    def shares(self, jobs: int) -> list[Source]:
        shares = cut(self.objects, lambda one: one.size + _LEAST_COST, jobs)
        return [Bucket(self.name, share, limit=self._limit) for share in shares]

    def batches(self) -> Iterator[Batch]:
        """In the order of the objects.  Each must be read before the next is asked for."""
        client = connected()
        for one, fetched in ahead(self.objects, lambda one: self._fetched(client, one), lambda one: weight(one.size)):
            yield Batch(self._name_of(one), one.size, self._read(fetched))

    def _name_of(self, one: Object) -> str:
        return f"{SCHEME}{self.name}/{one.key}"

    def _fetched(self, client: S3Client, one: Object) -> Fetched:
        if not one.is_log:
            return Fetched(rest=LostError(Skipped.OTHER_FILE))
        return fetch(client, self.name, one.key)

    def _read(self, fetched: Fetched) -> Iterator[Decoded]:
        try:
            yield from decoded(fetched, self._limit)
        except LostError as lost:
            yield nothing(lost.reason)


class LostError(Exception):
    """What was to be read next cannot be had; the cause is AWS's error, if one is to blame."""

    def __init__(self, reason: Skipped, cause: Exception | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.__cause__ = cause


class Fetched:
    """An object's beginning, and then the rest as it is asked for, or what came instead; `size` is the object's."""

    def __init__(self, start: bytes = b"", rest: StreamingBody | LostError | None = None, size: int = 0) -> None:
        self.size = size
        self._start = memoryview(start)
        self._rest = rest

    def read(self, size: int) -> bytes:
        """As a file's.  Raises `LostError`."""
        if self._start:
            given, self._start = bytes(self._start[:size]), self._start[size:]
            return given
        if self._rest is None:
            return b""
        if isinstance(self._rest, LostError):
            raise self._rest
        try:
            return self._rest.read(size)
        except aws.failures() as error:
            raise _lost(error) from error

    def close(self) -> None:
        """Let go of it.  Whoever reads on is told so: to him it must not look like the end."""
        if self._rest is not None and not isinstance(self._rest, LostError):
            self._rest.close()
        self._start = memoryview(b"")
        self._rest = LostError(Skipped.UNREADABLE)


def decoded(fetched: Fetched, limit: Limit) -> Iterator[Decoded]:
    """What an object holds; what is damaged is counted, and what cannot be had raises `LostError`."""
    unpacking = Unpacking(fetched.read, limit, fetched.size)
    try:
        chunks = iter(unpacking)
        first = next(chunks, b"")
        if first or not unpacking.problem:
            yield from portions(chain((first,), chunks))
        if unpacking.problem:
            yield nothing(unpacking.problem)
    finally:
        fetched.close()


def weight(size: int | None) -> int:
    """How many bytes of an object are in memory once it was fetched; at most, where its size is not known."""
    return _HELD if size is None else min(size, _HELD)


def fetch(client: S3Client, bucket: str, key: str, version: str | None = None) -> Fetched:
    """Never raises what AWS refuses: the reason comes when it is the object's turn to be read."""
    lost = LostError(Skipped.UNREADABLE)
    for _ in range(_ATTEMPTS):
        try:
            answer = _asked(client, bucket, key, version)
        except aws.failures() as error:
            return Fetched(rest=_lost(error))
        try:
            return _begun(answer["Body"], answer.get("ContentLength", 0))
        except aws.failures() as error:
            answer["Body"].close()
            lost = _lost(error)
    return Fetched(rest=lost)


def _asked(client: S3Client, bucket: str, key: str, version: str | None) -> GetObjectOutputTypeDef:
    if version is None:
        return client.get_object(Bucket=bucket, Key=key)
    return client.get_object(Bucket=bucket, Key=key, VersionId=version)


def _begun(body: StreamingBody, size: int) -> Fetched:
    """With the beginning of `body` in memory; what a trail wrote has no more than that."""
    parts: list[bytes] = []
    held = 0
    while held < _HELD:
        part = body.read(_STEP)
        if not part:
            body.close()
            return Fetched(b"".join(parts), size=size)
        parts.append(part)
        held += len(part)
    return Fetched(b"".join(parts), body, size)


def _lost(error: Exception) -> LostError:
    return LostError(_REASONS.get(aws.code_of(error), Skipped.UNREADABLE), error)
