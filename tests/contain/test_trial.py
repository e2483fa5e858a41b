"""A policy document put to calls, without a theft and without a plan."""

import json

import pytest
from msgspec.structs import replace

from straykey.contain.policy import Answer, Verdict
from straykey.contain.request import request_of
from straykey.contain.theft import Called, Caller
from straykey.contain.trial import Trial, together
from straykey.errors import PolicyError
from tests.contain.plans import document
from tests.contain.thefts import NAT, THIEF, called, caller

DENIED, ALLOWED = Verdict(Answer.DENIED), Verdict(Answer.ALLOWED)
NOT_HOME = document({"NotIpAddress": {"aws:SourceIp": f"{NAT.address}/32"}})


def verdict(trial: Trial, call: Called, who: Caller | None = None) -> Verdict:
    who = who or caller()
    return trial.verdict(request_of(who, call, "aws"), who, call, "aws")


def test_a_document_is_put_to_calls_of_whatever_role() -> None:
    trial = Trial(NOT_HOME)
    for who in (caller(), caller("other"), caller("", "bob")):
        assert verdict(trial, called("s3:GetObject", THIEF), who) == DENIED
        assert verdict(trial, called("s3:GetObject", NAT), who) == ALLOWED


def test_a_key_that_the_asker_knows_of_is_believed() -> None:
    trial, call, who = (
        Trial(document({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})),
        called("s3:Get", NAT),
        caller(),
    )
    request = request_of(who, call, "aws")
    assert trial.verdict(request, who, call, "aws") == Verdict(Answer.UNKNOWN, ("aws:PrincipalOrgID",))
    for said, answer in (("o-1", ALLOWED), ("o-2", DENIED)):
        known = replace(request, context={**request.context, "aws:principalorgid": said})
        assert trial.verdict(known, who, call, "aws") == answer


def test_calls_on_two_resources_are_two_questions() -> None:
    statement = {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::ours/*"}
    trial = Trial(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    call, who = called("s3:GetObject", NAT), caller()
    request = request_of(who, call, "aws")
    for bucket, answer in (("ours", DENIED), ("theirs", ALLOWED)):
        assert trial.verdict(replace(request, resources=(f"arn:aws:s3:::{bucket}/k",)), who, call, "aws") == answer


def test_a_document_that_is_not_understood_is_refused_when_it_is_read() -> None:
    with pytest.raises(PolicyError):
        Trial(document({"Unheard": {"aws:SourceIp": "198.18.0.10/32"}}))


def test_of_several_documents_one_that_denies_is_enough() -> None:
    unsure = Verdict(Answer.UNKNOWN, ("action",))
    assert together([]) == ALLOWED
    assert together([ALLOWED, unsure]) == unsure
    assert together([unsure, DENIED, ALLOWED]) == DENIED
