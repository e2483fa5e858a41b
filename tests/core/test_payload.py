"""Both forms of a call are read alike."""

from typing import Any

import msgspec
import pytest

from straykey.core.payload import Payload, entries, inside, member, payload_of, text, texts
from straykey.core.record import Record, Skipped


def read(request: bytes, response: bytes, name: str = "CreateNatGateway") -> Payload | Skipped:
    return payload_of(Record(name=name, request=msgspec.Raw(request), response=msgspec.Raw(response)))


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (b'{"subnetId":"subnet-0b"}', b'{"natGateway":1}'),
        (b'{"CreateNatGatewayRequest":{"subnetId":"subnet-0b"}}', b'{"CreateNatGatewayResponse":{"natGateway":1}}'),
        (b'{"createNatGatewayRequest":{"subnetId":"subnet-0b"}}', b'{"natGateway":1}'),
    ],
)
def test_what_is_wrapped_is_unwrapped(request_: bytes, response: bytes) -> None:
    assert read(request_, response) == Payload({"subnetId": "subnet-0b"}, {"natGateway": 1})


def test_what_is_missing_is_nothing() -> None:
    assert payload_of(Record(name="RunInstances")) == Payload(None, None)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"x":1e999}', Skipped.WRONG_TYPE),
        (b'{"x":', Skipped.WRONG_TYPE),
        (b'{"x":"\xff"}', Skipped.BAD_UTF8),
        (b'{"x":' + b"[" * 5000 + b"]" * 5000 + b"}", Skipped.TOO_DEEP),
    ],
)
def test_what_cannot_be_decoded_says_why(raw: bytes, reason: Skipped) -> None:
    assert read(raw, b"{}") is reason
    assert read(b"{}", raw) is reason


@pytest.mark.parametrize("depth", range(880, 1000, 7))
def test_no_depth_raises(depth: int) -> None:
    raw = b'{"items":' * depth + b"1" + b"}" * depth
    found = read(raw, raw)
    assert found is Skipped.TOO_DEEP or (isinstance(found, Payload) and entries(found.request) == [1])


@pytest.mark.parametrize(
    ("response", "is_answered"),
    [
        (b'{"requestId":"r"}', True),
        (b'{"_return":true}', True),
        (b"{}", True),
        (b'{"_return":false}', False),
        (b'{"_return":"False"}', False),
        (b'{"ReleaseAddressResponse":{"return":false}}', False),
        (b"null", False),
        (b'"done"', False),
        (b"[]", False),
    ],
)
def test_a_refused_call_is_not_answered(response: bytes, is_answered: bool) -> None:
    found = read(b"{}", response, "ReleaseAddress")
    assert isinstance(found, Payload)
    assert found.is_answered is is_answered


def test_a_member_is_found_in_any_case_of_letters() -> None:
    assert member({"AllocationId": "eipalloc-0a"}, "allocationId") == "eipalloc-0a"


def test_the_first_name_that_is_there_counts() -> None:
    assert member({"b": 2, "a": None, "c": 3}, "a", "c", "b") == 3


@pytest.mark.parametrize("value", [None, 1, "text", [], [{"a": 1}]])
def test_what_is_no_object_has_no_members(value: object) -> None:
    assert member(value, "a") is None
    assert inside(value, "a", "b") is None


def test_a_path_leads_inside() -> None:
    assert inside({"user": {"Arn": "arn:x"}}, "user", "arn") == "arn:x"
    assert inside({"user": "bob"}, "user", "arn") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2], [1, 2]),
        ({"items": [1, 2]}, [1, 2]),
        ({"item": [1, 2]}, [1, 2]),
        ({"item": {"a": 1}}, [{"a": 1}]),
        ({"items": {"item": [1]}}, [1]),
        ({"own": [1]}, [1]),
        ({"a": 1}, [{"a": 1}]),
        ("one", ["one"]),
        ({"items": []}, []),
        ({}, []),
        ([], []),
        (None, []),
    ],
)
def test_a_list_is_read_in_every_form(value: object, expected: list[Any]) -> None:
    assert entries(value, "own") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("i-0", "i-0"),
        (111122223333, "111122223333"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        ({"tag": 1, "content": "eipalloc-0a"}, "eipalloc-0a"),
        ({"content": {"content": "deeper"}}, ""),
        (None, ""),
        ([], ""),
        ("x" * 128, "x" * 128),
        ("x" * 129, ""),
        (10**4000, ""),
    ],
)
def test_an_id_is_text_whatever_it_was_written_as(value: object, expected: str) -> None:
    assert text(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        ["a", "b"],
        {"items": ["a", "b"]},
        [{"tag": 1, "content": "a"}, {"tag": 2, "content": "b"}],
        {"AllocationId": [{"tag": 1, "content": "a"}, {"tag": 2, "content": "b"}]},
        {"item": [{"allocationId": "a"}, {"allocationId": "b"}]},
        ["a", None, {}, [], {"allocationId": None}, "b"],
    ],
)
def test_ids_are_read_from_every_form_of_list(value: object) -> None:
    assert texts(value, "allocationId") == ["a", "b"]


def test_one_id_is_a_list_of_one() -> None:
    assert texts("a", "allocationId") == texts({"tag": 1, "content": "a"}) == ["a"]
