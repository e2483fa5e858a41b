"""What a trail's selectors take, and how they would have to read to take more.

Basic selectors are put as advanced ones that take the same, so there is one way to ask, and one to mend.
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum

from straykey.harden.posture import BasicSelector, DataResource, Field, Selector, Trail

CATEGORY, READ_ONLY, SOURCE, TYPE, ARN = "eventCategory", "readOnly", "eventSource", "resources.type", "resources.ARN"
MANAGEMENT, DATA, NETWORK = "Management", "Data", "NetworkActivity"
_EVERYTHING = re.compile(r"arn:[a-z-]+:(?:s3(?::::)?|lambda|dynamodb)")
_S3 = "AWS::S3::Object"
_ALL_MANAGEMENT = (BasicSelector(),)


class Takes(IntEnum):
    """How much of a kind of events."""

    NONE = 0
    SOME = 1
    ALL = 2


def takes(trail: Trail, event: Mapping[str, str]) -> Takes | None:
    """How much of the events with these fields a trail records; None if its selectors were not read."""
    selectors = selectors_of(trail)
    if selectors is None:
        return None
    return max((_takes(one, event) for one in selectors), default=Takes.NONE)


def _takes(selector: Selector, event: Mapping[str, str]) -> Takes:
    return min((_holds(one, event.get(one.name)) for one in selector.fields), default=Takes.NONE)


def _holds(field: Field, value: str | None) -> Takes:
    if value is None:  # of some such events it may hold
        return Takes.SOME
    wanted = field.equals or field.starts or field.ends
    is_wanted = value in field.equals or value.startswith(field.starts) or value.endswith(field.ends)
    is_refused = value in field.not_equals or value.startswith(field.not_starts) or value.endswith(field.not_ends)
    return Takes.NONE if is_refused or (wanted and not is_wanted) else Takes.ALL


def selectors_of(trail: Trail) -> tuple[Selector, ...] | None:
    """As advanced selectors, whatever it has; None if they were not read."""
    if trail.basic is None or trail.advanced is None:
        return None
    if trail.advanced:
        return trail.advanced
    return tuple(made for one in trail.basic or _ALL_MANAGEMENT for made in _advanced(one))


def _advanced(basic: BasicSelector) -> Iterator[Selector]:
    reading = {"ReadOnly": ("true",), "WriteOnly": ("false",)}.get(basic.read_write)
    half = (Field(READ_ONLY, reading),) if reading else ()
    if basic.has_management:
        but = (Field(SOURCE, not_equals=basic.excluded),) if basic.excluded else ()
        yield Selector("", (Field(CATEGORY, (MANAGEMENT,)), *half, *but))
    for one in basic.data:
        if one.values:
            yield Selector("", (Field(CATEGORY, (DATA,)), Field(TYPE, (one.type,)), *half, *_arns(one)))


def _arns(data: DataResource) -> tuple[Field, ...]:
    if any(_EVERYTHING.fullmatch(one) for one in data.values):
        return ()
    # Of objects the values are beginnings of names, of functions and tables whole names.
    return (Field(ARN, starts=data.values),) if data.type == _S3 else (Field(ARN, data.values),)


def all_management() -> Selector:
    return Selector("All management events", (Field(CATEGORY, (MANAGEMENT,)),))


def all_data(kind: str) -> Selector:
    return Selector(f"All data events of {kind}", (Field(CATEGORY, (DATA,)), Field(TYPE, (kind,))))


def all_network(source: str) -> Selector:
    return Selector(f"Network activity of {source}", (Field(CATEGORY, (NETWORK,)), Field(SOURCE, (source,))))


def with_all(selectors: Iterable[Selector], wanted: Sequence[Selector]) -> tuple[Selector, ...]:
    """These, and the wanted ones in the place of what takes only a part of the same."""
    kept = [one for one in selectors if not any(_is_part_of(one, whole) for whole in wanted)]
    return (*kept, *wanted)


def _is_part_of(selector: Selector, whole: Selector) -> bool:
    """Whether it has all that `whole` asks for, and more."""
    return set(whole.fields) <= set(selector.fields)


def as_said(selectors: Iterable[Selector]) -> list[dict[str, object]]:
    """As PutEventSelectors takes them."""
    return [
        ({"Name": one.name} if one.name else {}) | {"FieldSelectors": [_as_said(field) for field in one.fields]}
        for one in selectors
    ]


def _as_said(field: Field) -> dict[str, object]:
    said = {
        "Equals": field.equals,
        "StartsWith": field.starts,
        "EndsWith": field.ends,
        "NotEquals": field.not_equals,
        "NotStartsWith": field.not_starts,
        "NotEndsWith": field.not_ends,
    }
    return {"Field": field.name} | {operator: list(values) for operator, values in said.items() if values}
