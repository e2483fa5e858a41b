"""The documents as they are sent, for reviewers; each fits, and parliament finds nothing wrong with a policy."""

import json
import warnings

import pytest

from straykey.errors import UsageError
from straykey.harden.imds_document import (
    Document,
    Kind,
    declarative_policy,
    keys_policy,
    keys_scp,
    launch_policy,
)
from tests.conftest import Golden

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it finds its data with pkg_resources
    import parliament

EXEMPT = ("arn:aws:iam::*:role/app/old-role", "arn:aws:iam::111122223333:role/batch")
DOCUMENTS: dict[str, Document] = {
    "declarative": declarative_policy(),
    "declarative-enforced": declarative_policy(2, is_enforced=True),
    "keys-role": keys_policy(),
    "keys-scp": keys_scp(),
    "keys-scp-exempt": keys_scp(EXEMPT),
    "launch": launch_policy(),
    "launch-china": launch_policy(partition="aws-cn"),
    "launch-hops-exempt": launch_policy(2, exempt=EXEMPT),
}
POLICIES = {name: one for name, one in DOCUMENTS.items() if one.kind is not Kind.DECLARATIVE}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_these(name: str, golden: Golden) -> None:
    golden(f"tests/golden/harden/imds.{name}.json", json.dumps(json.loads(DOCUMENTS[name].text), indent=1) + "\n")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_sent_without_white_space(name: str) -> None:
    text = DOCUMENTS[name].text
    assert text == json.dumps(json.loads(text), separators=(",", ":"))
    assert text.isascii()


@pytest.mark.parametrize("name", POLICIES)
def test_parliament_finds_nothing_wrong(name: str) -> None:
    assert parliament.analyze_policy_string(POLICIES[name].text).findings == []


def test_parliament_would_find_what_is_wrong() -> None:
    wrong = keys_scp().text.replace("NumericLessThan", "NumericLesThan")
    assert parliament.analyze_policy_string(wrong).findings


def test_every_statement_only_denies() -> None:
    statements = [one for document in POLICIES.values() for one in json.loads(document.text)["Statement"]]
    assert {one["Effect"] for one in statements} == {"Deny"}
    assert all("Condition" in one for one in statements)


def test_what_does_not_fit_is_refused_and_not_cut() -> None:
    few = [f"arn:aws:iam::111122223333:role/{number:04}" for number in range(200)]
    assert len(keys_scp(few).text) < 10_240
    with pytest.raises(UsageError, match="takes 10240") as refused:
        keys_scp([f"arn:aws:iam::111122223333:role/{number:04}" for number in range(400)])
    assert "one pattern" in refused.value.hint


@pytest.mark.parametrize("hops", [-1, 65])
def test_a_hop_limit_that_ec2_does_not_take_is_refused(hops: int) -> None:
    with pytest.raises(UsageError):
        declarative_policy(hops)
    with pytest.raises(UsageError):
        launch_policy(hops)
