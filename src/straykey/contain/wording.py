"""How the policies that deny are worded: statements, and the document as it is sent.

Every statement is a Deny on everything.  What it spares is said by its condition, never by leaving actions out: a
thief may use any.
"""

import json
from collections.abc import Mapping, Sequence

from straykey.contain.document import VERSION

# Characters.  https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE_ROOM = 10_240  # of all inline policies of a role together
MANAGED_ROOM = 6_144
ATTACHMENTS = 10  # managed policies of a role, unless the account asked for more

Condition = Mapping[str, Mapping[str, str | Sequence[str]]]


def deny(sid: str, condition: Condition | None = None) -> dict[str, object]:
    """One statement; without a condition it denies everything."""
    said: dict[str, object] = {"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"}
    return said | {"Condition": condition} if condition else said


def document_of(*statements: Mapping[str, object]) -> str:
    """The policy as JSON without white space, in ASCII."""
    return json.dumps({"Version": VERSION, "Statement": statements}, separators=(",", ":"))


def length_of(document: str) -> int:
    """Characters that count towards IAM's limits: all but white space."""
    return sum(not char.isspace() for char in document)


DENY_ALL = document_of(deny("Everything"))
