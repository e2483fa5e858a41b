"""Which SDKs can ask for a token."""

import pytest

from straykey.harden.sdk import asks_for_tokens


@pytest.mark.parametrize(
    ("agent", "can"),
    [
        ("aws-cli/1.16.288 Python/3.7", False),
        ("aws-cli/1.16.289 Python/3.7", True),
        ("[aws-cli/1.9.0]", False),
        ("aws-cli/2.0.0", None),
        ("Boto3/1.12.5 Python/3.6 Botocore/1.15.5", False),
        ("Boto3/1.34.0 md/Botocore#1.34.0", True),
        ("aws-sdk-java/1.11.677 Linux", False),
        ("aws-sdk-java/2.10.21 Linux", True),
        ("aws-sdk-go-v2/0.18.0", False),
        ("aws-sdk-go-v2/1.30.0", None),
        ("curl/8.1", None),
        ("", None),
    ],
)
def test_by_the_version_in_the_user_agent(agent: str, can: bool | None) -> None:
    assert asks_for_tokens(agent) is can
