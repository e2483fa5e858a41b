"""What AWS is asked for is what docs/contain.md lists: seen on the wire, for each option."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from botocore.model import OperationModel

from straykey.contain.check import check
from straykey.contain.needs import CHECKS
from straykey.contain.reading import read_account
from straykey.contain.verify import Verification
from straykey.containment import verification, watched
from straykey.permissions import FEATURES
from straykey.pipeline import Period
from straykey.sources import history
from straykey.sources.history import Window
from straykey.stores.journal import SqlJournal
from tests.aws import Aws
from tests.contain.applying import ORDER, Time, applied, taken_back
from tests.contain.grounds import ACCOUNT, REGION, ROLE, Scene, clients
from tests.contain.real import REAL, stolen_from

LISTED = {feature.name: feature.actions for feature in FEATURES}


def asked(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """What botocore says that it asks for."""
    for record in caplog.records:
        if record.msg.startswith("Making request for ") and isinstance(record.args, tuple):
            (model, _) = record.args
            assert isinstance(model, OperationModel)
            yield f"{model.service_model.service_name}:{model.name}"


def test_reading_asks_for_what_is_listed_and_nothing_else(here: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        read_account(clients(), ACCOUNT, ROLE, here.instance, REGION, Time().clock, ["eu-west-1"])
    assert set(asked(caplog)) == LISTED["contain"]


@pytest.mark.parametrize("name", REAL)
def test_an_option_asks_for_what_it_lists_and_for_what_is_checked_before_all(
    name: str, here: Scene, journal: SqlJournal, caplog: pytest.LogCaptureFixture
) -> None:
    plan = REAL[name](here)
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        check(plan, ORDER, clients(), Time().clock)
        done = applied(plan, journal)
        assert taken_back(done.id, journal).stop is None
    assert set(asked(caplog)) - set(CHECKS) <= set(plan.permissions)
    assert {f"{step.call.service}:{step.call.operation}" for step in plan.steps} <= set(asked(caplog))
    assert {*plan.permissions, *CHECKS} <= LISTED["contain-apply"]


def test_verifying_by_the_history_asks_for_nothing_but_events(
    here: Scene, aws: Aws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.answer("LookupEvents", {"Events": []})
    who = watched(stolen_from(here), "2026-05-04T10:00:00Z")
    with caplog.at_level(logging.DEBUG, "botocore.endpoint"):
        source = history.history([f"history:{REGION}"], Window(), print)
        assert isinstance(verification(source, who, Period()), Verification)
    assert set(asked(caplog)) == LISTED["history"]
