"""From a message to what can be folded: the records it holds, and the objects it names.

Whoever may send to a queue can name any object.  So the one rule: nothing is fetched but logs of buckets that were
allowed.

An object that cannot be had and one that is damaged are two things.  Damage stays: what can be read is read, and the
rest is counted by reason, as in a scan.  What cannot be had raises `UnavailableError`, and is to be asked for later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from straykey import aws
from straykey.core.envelope import Decoded
from straykey.core.reading import decode
from straykey.core.salvage import joined
from straykey.errors import SourceError, StraykeyError
from straykey.formats.text import printable
from straykey.sources import layout, s3
from straykey.sources.ahead import ahead
from straykey.sources.compression import Limit
from straykey.sources.notice import Broken, ObjectRef, Passed, Refusal, notice_of, refused
from straykey.sources.queue import Message

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PERMISSION = "s3:GetObject"


class Delivery(msgspec.Struct, frozen=True):
    """A message and all that it brings; every part of it is in one of these.

    `objects` are to be fetched, each once.  `records` are those in the message itself, decoded.  `passed` is sound, and
    nothing to do; `refused` are objects that are not fetched, and why.  `broken` is what must be looked at.
    """

    message: Message
    objects: tuple[ObjectRef, ...]
    records: Decoded
    passed: tuple[Passed | Refusal, ...]
    refused: tuple[tuple[ObjectRef, Refusal], ...]
    broken: tuple[Broken, ...]

    @property
    def name(self) -> str:
        """What records and losses of the message itself are told to be of."""
        return f"message {self.message.id}"


def delivery_of(message: Message, buckets: frozenset[str]) -> Delivery:
    """Read a message; only logs that lie in one of `buckets` are to be fetched, so none if there are no buckets.

    What always lies beside a trail's logs passes: its digests, and placeholders of folders.
    """
    notice = notice_of(message.body)
    objects = _once(notice.objects)
    reasons = [refused(one, buckets, _is_log_key) for one in objects]
    judged = [(one, reason) for one, reason in zip(objects, reasons, strict=True) if reason]
    return Delivery(
        message=message,
        objects=tuple(one for one, reason in zip(objects, reasons, strict=True) if reason is None),
        records=joined(decode(record) for record in notice.records),
        passed=notice.passed + tuple(reason for _, reason in judged if reason.is_expected),
        refused=tuple((one, reason) for one, reason in judged if not reason.is_expected),
        broken=notice.broken,
    )


def _once(objects: Iterable[ObjectRef]) -> list[ObjectRef]:
    return list({(one.bucket, one.key, one.version): one for one in objects}.values())


def _is_log_key(key: str) -> bool:
    return layout.parse(key) is not None


def name_of(ref: ObjectRef) -> str:
    """An object as a person names it; as hostile as its key."""
    version = f"?versionId={ref.version}" if ref.version else ""
    return f"{s3.SCHEME}{ref.bucket}/{ref.key}{version}"


class Unavailable(StrEnum):
    """Why an object cannot be had."""

    UNANSWERED = "AWS does not answer, or breaks off"
    LOCKED_OUT = "the AWS credentials open nothing at present"
    GONE = "there is no such object"
    DENIED = "access denied: it takes s3:GetObject (of a bucket with versions: s3:GetObjectVersion), and kms:Decrypt"
    ARCHIVED = "in an archive: restore it first"
    REFUSED = "AWS does not give it"

    @property
    def is_passing(self) -> bool:
        """True for what has nothing to do with the object: others cannot be had either, and later all can."""
        return self in (Unavailable.UNANSWERED, Unavailable.LOCKED_OUT)


_REASONS = {
    "NoSuchKey": Unavailable.GONE,
    "NoSuchVersion": Unavailable.GONE,
    "NoSuchBucket": Unavailable.GONE,
    "MethodNotAllowed": Unavailable.GONE,  # the version is the mark of a deletion
    "InvalidObjectState": Unavailable.ARCHIVED,
}


class UnavailableError(StraykeyError):
    """An object cannot be had now, in whole or from some point on.

    Nothing tells that it never will be: permissions are mended, archives restored.  But where the reason is not
    passing, that takes a person: to be tried a few times and then put aside.
    """

    def __init__(self, ref: ObjectRef, reason: Unavailable, code: str) -> None:
        super().__init__(f"{printable(name_of(ref))}: {reason} ({printable(code)})")
        self.ref = ref
        self.reason = reason

    @property
    def is_passing(self) -> bool:
        return self.reason.is_passing


class Objects:
    """Fetches objects; may be used by several threads at once, each with its own iterators.

    What it gives out for an object is read as it is asked for.  It may raise half-way, at any time: `UnavailableError`,
    or `SourceError` for credentials that open nothing.  What came before is then a part of the object, and to be thrown
    away: so an object is folded by itself, and what is folded is kept only once all of it was read.
    """

    def __init__(self, limit: Limit | None = None) -> None:
        self._client = s3.connected()
        self._limit = limit or Limit()

    def open(self, ref: ObjectRef) -> Iterator[Decoded]:
        """What one object holds; it is fetched when the first portion is asked for."""
        yield from self._read(ref, _fetched(self._client, ref))

    def fetch_all(self, refs: Iterable[ObjectRef]) -> Iterator[tuple[ObjectRef, int, Iterator[Decoded]]]:
        """Each object, its size in bytes before unpacking, and what it holds: in order, and fetched a little ahead.

        The size is 0 if the object cannot be had.  Each must be read before the next is asked for; what was not is
        dropped, which an error half-way makes right.
        """
        for ref, fetched in ahead(refs, lambda ref: _fetched(self._client, ref), lambda ref: s3.weight(ref.size)):
            try:
                yield ref, fetched.size, self._read(ref, fetched)
            finally:
                fetched.close()

    def _read(self, ref: ObjectRef, fetched: s3.Fetched) -> Iterator[Decoded]:
        try:
            yield from s3.decoded(fetched, self._limit)
        except s3.LostError as lost:
            raise _refusal(ref, lost) from lost


def _fetched(client: S3Client, ref: ObjectRef) -> s3.Fetched:
    return s3.fetch(client, ref.bucket, ref.key, ref.version)


def _refusal(ref: ObjectRef, lost: s3.LostError) -> UnavailableError | SourceError:
    error = lost.__cause__
    if not isinstance(error, Exception):
        return UnavailableError(ref, Unavailable.UNANSWERED, str(lost.reason))
    if aws.is_of_credentials(error):
        return aws.refusal(error, printable(name_of(ref)), _PERMISSION)
    return UnavailableError(ref, _reason(error), aws.code_of(error))


def _reason(error: Exception) -> Unavailable:
    if aws.is_throttling(error) or aws.is_passing(error):
        return Unavailable.UNANSWERED
    if aws.is_denial(error):
        return Unavailable.DENIED
    return _REASONS.get(aws.code_of(error), Unavailable.REFUSED)
