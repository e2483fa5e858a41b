"""Which versions of AWS's SDKs can ask the metadata service for a token, by the user agents they send.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/use-a-supported-sdk-version-for-imdsv2.html
"""

import re

_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,40})/([0-9]{1,6}(?:\.[0-9]{1,6}){1,3})")
# The first version that can, of each line that could not from its beginning.
_FIRST: dict[tuple[str, int], tuple[int, ...]] = {
    ("aws-cli", 1): (1, 16, 289),
    ("aws-sdk-cpp", 1): (1, 7, 229),
    ("aws-sdk-go", 1): (1, 25, 38),
    ("aws-sdk-go-v2", 0): (0, 19, 0),
    ("aws-sdk-java", 1): (1, 11, 678),
    ("aws-sdk-java", 2): (2, 10, 21),
    ("aws-sdk-nodejs", 2): (2, 722, 0),
    ("aws-sdk-php", 3): (3, 147, 7),
    ("aws-sdk-ruby3", 3): (3, 79, 0),
    ("boto3", 1): (1, 12, 6),
    ("botocore", 1): (1, 13, 25),
}


def asks_for_tokens(agent: str) -> bool | None:
    """Whether the SDKs that a user agent names can; None if it names none of which that is known.

    One that can and was handed a key by IMDSv1 all the same was told to, or could not reach the token: a container
    behind a hop limit of 1, say.
    """
    known = [
        version >= first for name, version in _products(agent) if (first := _FIRST.get((name, version[0]))) is not None
    ]
    return all(known) if known else None


def _products(agent: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(name.lower(), tuple(map(int, text.split(".")))) for name, text in _PRODUCT.findall(agent)]
