"""Which program a user agent names, and whether AWS publishes it."""

import pytest

from straykey.core.agent import family, is_aws_program

OF_AWS = [
    "aws-cli/2.15.30 md/awscrt#0.19.19 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.8",
    "[aws-cli/2.17.0]",
    "Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#6.1 lang/python#3.11.9 Botocore/1.34.84",
    "aws-sdk-go/1.44.260 (go1.21.5; linux; amd64) amazon-ssm-agent/3.3.380.0",
    "CWAgent/1.300037.1 (go1.22.1; linux; amd64) aws-sdk-go/1.48.6",
    "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 aws-sdk-go-v2/1.26.1 os/linux",
    "aws-sdk-java/2.25.31 Linux/6.1",
    "aws-sdk-js/3.540.0",
    "aws-sdk-ruby3/3.190.0",
    "aws-internal/3 aws-sdk-java/1.12",
    "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11]",
    "console.amazonaws.com",
    "ec2.amazonaws.com.cn",
    "AWS Internal",
    "Botocore/1.34",
    "our-tool/2.0 Boto3/1.34",
]
OF_OTHERS = [
    "curl/8.5.0",
    "curl/8.5.0 (ec2-user)",
    "curl/8 (console)",
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (aws-cli)",
    "Wget/1.21",
    "our-tool/2.0",
    "ec2user-tool/1.0",
    "",
    "()",
]


@pytest.mark.parametrize("agent", OF_AWS)
def test_a_program_of_aws_or_with_its_sdk_is_known(agent: str) -> None:
    assert is_aws_program(agent)


@pytest.mark.parametrize("agent", OF_OTHERS)
def test_a_program_that_names_no_sdk_is_not_known_whatever_its_comments_say(agent: str) -> None:
    assert not is_aws_program(agent)


@pytest.mark.parametrize(
    ("agent", "name"),
    [("aws-cli/2.17.0 md/x", "aws-cli"), ("[aws-cli/2.17.0]", "aws-cli"), ("Boto3/1.34", "boto3"), ("curl", "curl")],
)
def test_the_family_is_the_program_without_its_version(agent: str, name: str) -> None:
    assert family(agent) == name
