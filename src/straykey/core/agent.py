"""Which program a user agent names, and whether it is one that AWS publishes."""

import re

from straykey.core.cache import remembered

_COMMENT = re.compile(r"\([^()]*\)")
_PRODUCT = re.compile(r"[^\s()\[\];,]+")
# SDKs and agents name themselves anywhere; a service or a console is the caller itself, and comes first.
_SDK = re.compile(
    r"aws-(?:cli|sdk|iot|chalice|amplify|internal|crt|xray)[-._].*|aws-cli|aws-internal|boto3?|botocore|cwagent"
)
_AGENT = re.compile(r"amazon-[a-z-]*agent|amazon-ssm.*|s3transfer|awscrt")
_CALLER = re.compile(
    r"aws[-_. ].*|amazon[-_. ].*|boto-.*|ec2-(?:instance|net|macos|hibinit).*|ec2launch.*|ecs-(?:agent|init)"
    r"|s3console|console|signin|cloudformation|greengrass.*|sam-cli"
    r"|(?:.+\.)?amazonaws\.com(?:\.cn)?|(?:.+\.)?amazon\.com|(?:.+\.)?api\.aws"
)

# What the call at boot bears that `straykey harden` sets up: as a program's own name, or as the application id that
# AWS's command line and SDKs append (https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html).
BEACON = "straykey-beacon"
_BEACON = re.compile(rf"(?:app/)?{BEACON}(?:/[0-9.]+)?")


@remembered(8192)
def is_beacon(agent: str) -> bool:
    """True for the beacon's call at boot.  Anybody can write such a name: `core.beacon` says when it counts."""
    return BEACON in agent and any(map(_BEACON.fullmatch, agent.strip("[]").split()))


@remembered(8192)
def family(agent: str) -> str:
    """The program without its version: `[aws-cli/2.17.0 md/…]` is `aws-cli`."""
    return agent.lstrip("[").split("/", 1)[0].split(" ", 1)[0].rstrip("]").lower()


@remembered(8192)
def is_aws_program(agent: str) -> bool:
    """True for AWS's command line, SDKs, agents, console and services, and for programs that name the SDK they use.

    Anybody can write such a name: this finds who did not take the trouble.
    """
    if agent.startswith("AWS Internal"):
        return True
    products = [one.split("/", 1)[0].lower() for one in _PRODUCT.findall(_COMMENT.sub(" ", agent))]
    if not products:
        return False
    return bool(_CALLER.fullmatch(products[0])) or any(_SDK.fullmatch(one) or _AGENT.fullmatch(one) for one in products)
