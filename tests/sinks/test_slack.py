"""What Slack gets; the rules of the road are the webhook's."""

import json

import pytest

from straykey.errors import UsageError
from straykey.formats.slack import to_message
from straykey.sinks.http import Reach
from straykey.sinks.slack import Slack
from tests.sinks.receiver import Receiver
from tests.sinks.told import notification

HERE = Reach(allow_private=True)


def test_slack_gets_the_message(receiver: Receiver) -> None:
    Slack(receiver.url, arguments=["s3://example-trail-bucket"], reach=HERE).deliver([notification()])
    message = to_message(notification().finding, ["s3://example-trail-bucket"])
    assert json.loads(receiver.posted[0].body) == message


def test_when_slack_asks_for_patience_the_rest_waits_as_long(receiver: Receiver) -> None:
    receiver.answers = [200, 429]
    receiver.headers = {"Retry-After": "30"}
    refused = Slack(receiver.url, reach=HERE).deliver([notification(number) for number in range(3)])
    assert [(one.key, one.retry_after) for one in refused] == [(notification(n).key, 30.0) for n in (1, 2)]


@pytest.mark.parametrize("url", ["http://hooks.slack.com/services/T0/B0/HIDDEN", "HIDDEN"])
def test_a_url_that_would_be_seen_on_its_way_is_an_error_without_it(url: str) -> None:
    with pytest.raises(UsageError, match="the Slack webhook") as raised:
        Slack(url)
    assert "HIDDEN" not in f"{raised.value}{raised.value.hint}"
