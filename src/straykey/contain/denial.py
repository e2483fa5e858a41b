"""By which kind of policy a call was refused, as far as its error message says.

The wordings are AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.  The thief
names things, and their names stand in the midst of the message.  So only its end counts, and what could be read in two
ways says nothing.
"""

import re
from enum import Enum

# EC2 and a few others put this behind it, for `aws sts decode-authorization-message`.
_ENCODED = "Encoded authorization failure message:"
_LONGEST = 1000  # CloudTrail cuts messages at 1 KB: of a longer one the end is not there
_REASON = re.compile(r"explicit deny in |because (?:no|the) ")
_OURS = re.compile(
    r"with an explicit deny in (?:an|a|the) (?:identity-based policy|permissions boundary)(?:: arn:\S+)?$"
)


class Refusal(Enum):
    """What is written for containment is a policy of the role, or its boundary."""

    OURS = "an explicit deny, by a policy of the kind that contains"
    OTHERS = "by another kind of policy, or because none allows it"
    SILENT = "nobody says by which policy"


def refusal_of(message: str) -> Refusal:
    """Of a refused call; of S3's "Access Denied" and its like nothing can be told."""
    head, is_encoded, _ = message.rpartition(_ENCODED)
    said = (head if is_encoded else message).rstrip(" .")
    is_cut = not is_encoded and len(message) >= _LONGEST
    reasons = _REASON.findall(said)
    if is_cut or len(reasons) != 1:
        return Refusal.SILENT
    return Refusal.OURS if _OURS.search(said) else Refusal.OTHERS
