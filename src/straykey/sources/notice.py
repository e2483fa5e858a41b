"""What one message of a queue says of new logs: text in, value out.

Every body that a deployment of CloudTrail brings about is known here: S3's event notifications, CloudTrail's own
messages, EventBridge's events of either, each as it is or in SNS's envelope.

A body is written by whoever may send to the queue.  So the one rule: no body makes this fail, and every body gives
something, so that none is dropped in silence.  Parts stand alone: one that is broken does not cost its neighbours.
Nothing is fetched that a body names, and no reason quotes one.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Literal, TypeVar
from urllib.parse import unquote_plus

import msgspec

from straykey.core.envelope import DECODE_ERRORS
from straykey.core.scan import end_of_value, members


class Passed(StrEnum):
    """What a message said that is sound and names no new log."""

    TEST = "S3's test event"
    VALIDATION = "CloudTrail's validation message"
    SUBSCRIPTION = "SNS asks to confirm a subscription: nothing comes by it until that is done"
    UNSUBSCRIPTION = "SNS tells of the end of a subscription"
    OTHER_CHANGE = "S3 tells of something else than a new object"
    OTHER_EVENT = "an EventBridge event of another kind"
    EMPTY = "names no object"


class Broken(StrEnum):
    """What makes a message, or a part of one, one that must be looked at."""

    NO_OBJECT = "no JSON object"
    BAD_JSON = "broken JSON"
    TWICE = "a name stands twice in one JSON object"
    UNKNOWN = "no message of S3, CloudTrail, SNS or EventBridge"
    WRONG_TYPE = "a field is missing or has the wrong type"
    FORGED = "an EventBridge event that claims to be of S3 or CloudTrail, from a source that is not AWS"
    BAD_BUCKET = "no possible bucket name"
    BAD_KEY = "no possible object key"


class Refusal(StrEnum):
    """Why an object is not fetched, though a sound message names it."""

    OTHER_BUCKET = "in a bucket that was not allowed"
    DIGEST = "CloudTrail digest file"
    FOLDER = "a folder's placeholder"
    OTHER_KEY = "outside the layout of a trail's logs"

    @property
    def is_expected(self) -> bool:
        """True for what stands beside the logs of every trail."""
        return self in (Refusal.DIGEST, Refusal.FOLDER)


class ObjectRef(msgspec.Struct, frozen=True):
    """An object of S3; `key` as GetObject takes it, whatever way it was written.

    To get a `version` by its name takes a permission of its own, s3:GetObjectVersion.
    """

    bucket: str
    key: str
    size: int | None = None
    version: str | None = None


class Notice(msgspec.Struct, frozen=True):
    """All that one body says; `records` are CloudTrail records as they were written, for `core.reading`."""

    objects: tuple[ObjectRef, ...] = ()
    records: tuple[bytes, ...] = ()
    passed: tuple[Passed, ...] = ()
    broken: tuple[Broken, ...] = ()


_Part = ObjectRef | bytes | Passed | Broken
_T = TypeVar("_T")
_Size = Annotated[int, msgspec.Meta(ge=0)]
_Version = Annotated[str, msgspec.Meta(max_length=1024)]


class _Object(msgspec.Struct):
    """A JSON object and its members, all as they were written."""

    text: bytes
    of: dict[str, bytes]


_Form = Callable[[_Object], Iterator[_Part]]


class _Bucket(msgspec.Struct):
    name: str


class _S3Object(msgspec.Struct, rename="camel"):
    key: str
    size: _Size | None = None
    version_id: _Version | None = None


class _S3(msgspec.Struct):
    bucket: _Bucket
    object: _S3Object


class _S3Record(msgspec.Struct, rename={"source": "eventSource", "name": "eventName"}):
    source: Literal["aws:s3"]
    name: str
    s3: msgspec.Raw


class _EventObject(msgspec.Struct, rename="kebab"):
    key: str
    size: _Size | None = None
    version_id: _Version | None = None


class _ObjectCreated(msgspec.Struct):
    bucket: _Bucket
    object: _EventObject


_NO_VERSION = ("", "null", None)  # "null": the bucket kept no versions when it was written
_VALIDATION = b"CloudTrail validation message"
_CREATED = ("ObjectCreated:", "s3:ObjectCreated:")  # notifications leave out what their configuration writes
_VIA_CLOUDTRAIL = " via CloudTrail"  # API calls, sign-ins, service events, insights
_PARTNERS = "aws.partner/"

_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}")  # old ones have capitals, underscores and up to 255 characters
_LONGEST_KEY = 1024  # in bytes of UTF-8
_IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f]|(?:\A|/)\.\.?(?:/|\Z)")

_LIST_OPENS = re.compile(rb"\[\s*+(\])?")
_NEXT = re.compile(rb"\s*+(?:,\s*+|(\])\s*+\Z)")


def notice_of(body: str) -> Notice:
    """Read one body.  It says at least one thing: there is no empty notice."""
    parts = list(_parts(body.encode("utf-8", "surrogatepass"), _BODIES)) or [Passed.EMPTY]
    return Notice(
        objects=tuple(part for part in parts if isinstance(part, ObjectRef)),
        records=tuple(part for part in parts if isinstance(part, bytes)),
        passed=tuple(part for part in parts if isinstance(part, Passed)),
        broken=tuple(part for part in parts if isinstance(part, Broken)),
    )


def refused(ref: ObjectRef, buckets: frozenset[str], is_log_key: Callable[[str], bool]) -> Refusal | None:
    """Why `ref` must not be fetched; None if it may be.  No buckets allow none."""
    if ref.bucket not in buckets:
        return Refusal.OTHER_BUCKET
    if is_log_key(ref.key):
        return None
    *folders, name = ref.key.split("/")
    if "CloudTrail-Digest" in folders and "_CloudTrail-Digest_" in name:
        return Refusal.DIGEST
    return Refusal.FOLDER if not name else Refusal.OTHER_KEY


def _parts(text: bytes, forms: dict[str, _Form]) -> Iterator[_Part]:
    """Read `text` as each form whose telling name it has, that none can hide another."""
    text = text.strip()
    if text.startswith(_VALIDATION):
        yield Passed.VALIDATION
        return
    found = _object(text)
    if isinstance(found, Broken):
        yield found
        return
    readers = [read for name, read in forms.items() if name in found.of]
    if not readers:
        yield Broken.UNKNOWN
    for read in readers:
        yield from read(found)


def _sns(found: _Object) -> Iterator[_Part]:
    kind = _typed(found.of["Type"], str)
    if kind == "SubscriptionConfirmation":
        yield Passed.SUBSCRIPTION
    elif kind == "UnsubscribeConfirmation":
        yield Passed.UNSUBSCRIPTION
    elif kind == "Notification":
        message = _typed(found.of.get("Message"), str)
        # SNS does not put an envelope into another.
        yield from (message,) if isinstance(message, Broken) else _parts(message.encode(), _MESSAGES)
    else:
        yield kind if isinstance(kind, Broken) else Broken.UNKNOWN


def _records(found: _Object) -> Iterator[_Part]:
    for element in _elements(found.of["Records"]):
        record = element if isinstance(element, Broken) else _object(element)
        if isinstance(record, Broken):
            yield record
        elif "s3" in record.of:
            yield _s3_record(record.text)
        else:
            yield record.text if "eventTime" in record.of else Broken.UNKNOWN


def _s3_record(text: bytes) -> _Part:
    record = _typed(text, _S3Record)
    if isinstance(record, Broken):
        return record
    if not record.name.startswith(_CREATED):
        return Passed.OTHER_CHANGE
    s3 = _typed(bytes(record.s3), _S3)
    if isinstance(s3, Broken):
        return s3
    try:
        key = unquote_plus(s3.object.key, errors="strict")
    except UnicodeDecodeError:
        return Broken.BAD_KEY
    return _reference(s3.bucket.name, key, s3.object.size, s3.object.version_id)


def _s3_test(found: _Object) -> Iterator[_Part]:
    yield Passed.TEST if _typed(found.of["Event"], str) == "s3:TestEvent" else Broken.UNKNOWN


def _cloudtrail(found: _Object) -> Iterator[_Part]:
    bucket = _typed(found.of.get("s3Bucket"), str)
    if isinstance(bucket, Broken):
        yield bucket
        return
    for element in _elements(found.of["s3ObjectKey"]):
        key = element if isinstance(element, Broken) else _typed(element, str)
        yield key if isinstance(key, Broken) else _reference(bucket, key)


def _event(found: _Object) -> Iterator[_Part]:
    kind = _typed(found.of["detail-type"], str)
    source = _typed(found.of.get("source"), str)
    detail = found.of.get("detail", b"")
    if isinstance(kind, Broken) or isinstance(source, Broken):
        yield Broken.WRONG_TYPE
    elif not (kind.endswith(_VIA_CLOUDTRAIL) or kind == "Object Created"):
        yield Passed.OTHER_EVENT
    elif not source.startswith("aws.") or source.startswith(_PARTNERS):
        yield Broken.FORGED  # PutEvents takes any kind, but lets no one call himself "aws."
    elif kind == "Object Created":
        yield _created(detail)
    else:
        yield detail if detail.startswith(b"{") else Broken.WRONG_TYPE


def _created(detail: bytes) -> _Part:
    created = _typed(detail, _ObjectCreated)
    if isinstance(created, Broken):
        return created
    # EventBridge writes keys as they are.
    return _reference(created.bucket.name, created.object.key, created.object.size, created.object.version_id)


def _reference(bucket: str, key: str, size: int | None = None, version: str | None = None) -> _Part:
    if not _BUCKET.fullmatch(bucket):
        return Broken.BAD_BUCKET
    if not key or len(key.encode()) > _LONGEST_KEY or _IMPOSSIBLE.search(key):
        return Broken.BAD_KEY
    return ObjectRef(bucket, key, size, None if version in _NO_VERSION else version)


def _record(found: _Object) -> Iterator[_Part]:
    """A rule of EventBridge may send `detail` alone."""
    yield found.text


def _typed(text: bytes | None, shape: type[_T]) -> _T | Broken:
    try:
        return msgspec.json.decode(text or b"null", type=shape)
    except msgspec.ValidationError:
        return Broken.WRONG_TYPE
    except DECODE_ERRORS:
        return Broken.BAD_JSON


def _object(text: bytes) -> _Object | Broken:
    """Take an object apart without parsing its values: what is odd in one is left to who reads it."""
    if not text.startswith(b"{"):
        return Broken.NO_OBJECT
    of: dict[str, bytes] = {}
    try:
        for written, value in members(text):
            name = msgspec.json.decode(written, type=str)
            if name in of:
                return Broken.TWICE
            of[name] = value
    except (ValueError, *DECODE_ERRORS):
        return Broken.BAD_JSON
    return _Object(text, of)


def _elements(text: bytes) -> Iterator[bytes | Broken]:
    """The values of a list as they were written, up to what is broken."""
    opening = _LIST_OPENS.match(text)
    if opening is None:
        yield Broken.WRONG_TYPE
        return
    if opening[1]:
        return
    position = opening.end()
    while end := end_of_value(text, position):
        yield text[position:end]
        following = _NEXT.match(text, end)
        if following is None:
            break
        if following[1]:
            return
        position = following.end()
    yield Broken.BAD_JSON


# By the name that tells a form.
_MESSAGES: dict[str, _Form] = {
    "Records": _records,
    "s3ObjectKey": _cloudtrail,
    "Event": _s3_test,
    "detail-type": _event,
    "eventTime": _record,
}
_BODIES = _MESSAGES | {"Type": _sns}
