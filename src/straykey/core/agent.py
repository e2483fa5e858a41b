"""Which program a user agent names, and whether it is one that AWS publishes."""

import re
from functools import lru_cache

_AWS_PROGRAM = re.compile(
    r"aws[-_. ].*|amazon.*|boto3?|botocore|boto-.*|cwagent|ec2.*|ecs.*|s3console|s3transfer|console|signin"
    r"|cloudformation|elasticmapreduce|kinesis.*|ssm.*|greengrass.*|elastic-?beanstalk.*|sam-cli|exec-env"
    r"|(?:.+\.)?amazonaws\.com(?:\.cn)?|(?:.+\.)?amazon\.com|(?:.+\.)?api\.aws|resources\.amazonaws\.com"
)
_PRODUCT = re.compile(r"[^\s()\[\];,]+")


@lru_cache(maxsize=65536)
def family(agent: str) -> str:
    """The program without its version: `[aws-cli/2.17.0 md/…]` is `aws-cli`."""
    return agent.lstrip("[").split("/", 1)[0].split(" ", 1)[0].rstrip("]").lower()


@lru_cache(maxsize=65536)
def is_aws_program(agent: str) -> bool:
    """True for AWS's command line, SDKs, agents, console and services, and for programs that name the SDK they use.

    Anybody can write such a name: this finds who did not take the trouble.
    """
    if agent.startswith("AWS Internal"):
        return True
    products = (product.split("/", 1)[0].lower() for product in _PRODUCT.findall(agent))
    return any(_AWS_PROGRAM.fullmatch(product) for product in products)
