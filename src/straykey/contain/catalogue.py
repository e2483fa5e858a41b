"""What each option does, breaks and does not stop: one table, for the plans and for docs/contain.md.

Short sentences for somebody who was woken up.  What is known of one theft only stands in its plan.
"""

from collections.abc import Mapping

import msgspec

from straykey.contain.plan import Option


class About(msgspec.Struct, frozen=True):
    """`limits` is what it does not stop, a sentence each."""

    does: str
    breaks: str
    limits: tuple[str, ...]
    undo: str


_CHAINED = "Sessions of other roles that the thief made with the stolen keys go on: see pin-everywhere."
_TOKENS = (
    "Tokens minted already go on until they expire (ECR 12 hours, EKS, RDS, CodeArtifact, web identity), "
    "and so do sessions open by SSM or SSH."
)
_MADE = "Users, access keys and roles the thief made go on."
AFTER_A_DENY = (_CHAINED, _TOKENS, _MADE)
_FRESH = "A thief who can still reach the instance's metadata gets new keys, and those work."
_PATH = "A thief on the instance itself, or behind the same address, is not told apart from the workload."
_OUT = "The key that is out already goes on working, from anywhere, until it expires: this stops no theft."
_REMOVE = "Delete the policy."

ABOUT: Mapping[Option, About] = {
    Option.PIN: About(
        "Denies this one instance's keys everything, unless the call comes from where the workload is known to be "
        "at home, or a service acts for it.",
        "The workload from an address nobody has seen yet; calls that CloudTrail does not write down and that reach a "
        "service inside the VPC without an endpoint (OpenSearch, DAX, Neptune, MSK, EFS, RDS by IAM). Of recorded "
        "calls, those that the rehearsal names.",
        (_PATH, *AFTER_A_DENY),
        _REMOVE,
    ),
    Option.PIN_EVERYWHERE: About(
        "Pin, and for each role session the thief made: denied, where it was issued before now. Lists what else he "
        "made, with the commands that delete it.",
        "As pin. A session of another role that rightly has the same name and was issued before now, until it is "
        "assumed anew.",
        (_PATH, _TOKENS, "What is listed for you to delete works until you have deleted it."),
        "Delete the policies. What you deleted by hand is gone.",
    ),
    Option.VPC_ENDPOINT: About(
        "Makes VPC endpoints for the services the workload uses, then denies the role whatever does not come "
        "through the home VPC.",
        "Services without an endpoint there (IAM, Organizations, Route 53 and others that are global), and those whose "
        "calls CloudTrail does not record, such as log lines to CloudWatch Logs; other regions; other instances with "
        "this role that live in other VPCs.",
        ("A thief inside the home VPC is not stopped.", *AFTER_A_DENY),
        "Delete the policy, the endpoints and their security group.",
    ),
    Option.REVOKE: About(
        "Denies all keys of the role that were issued before now.",
        "The workload, and all that share the role, until they get new keys: the metadata service hands out the "
        "revoked ones until it rotates them (about hourly), and SDKs keep theirs until 15 minutes before they "
        "expire. Restarting the program helps only after the rotation.",
        (_FRESH, *AFTER_A_DENY),
        "Delete the policy, but not within 7 hours: the stolen keys would work again.",
    ),
    Option.SWAP_ROLE: About(
        "Copies the role under a new name, gives the instance the copy, and denies the old role everything.",
        "The workload until its SDK asks for new keys, 15 minutes before the old expire: restart it. All others with "
        "the old role, for good. Whatever names the old role: bucket and key policies, trust policies, KMS grants.",
        (
            "Taking the role off the instance's profile alone would stop nothing: it is the Deny that stops the key.",
            _FRESH,
            *AFTER_A_DENY,
        ),
        "Take the Deny off, give the instance its old profile back, delete the copy.",
    ),
    Option.DENY_ALL: About(
        "Denies the role everything.",
        "The workload and all that share the role, until it is undone.",
        AFTER_A_DENY,
        "Delete the policy, or put back what stood in its place.",
    ),
    Option.ISOLATE: About(
        "Gives each network interface of the instance a security group without rules.",
        "All traffic of the instance that is not open yet, and your own way in (SSH, SSM).",
        (
            _OUT,
            "Connections that are open may stay open: security groups follow a connection once it is there.",
            "The metadata service still answers on the instance: no security group stands before it.",
        ),
        "Give each interface its groups back, delete the group.",
    ),
    Option.IMDSV2: About(
        "Makes the instance's metadata service ask for a session token (IMDSv2).",
        "Programs that know IMDSv1 only: they get no new keys.",
        (_OUT, "Who can run programs on the instance, or forge whole requests with headers, still gets keys."),
        "Set what was set before.",
    ),
    Option.STOP: About(
        "Stops the instance.",
        "The workload. What is in memory is lost as evidence, and all on instance store; a public address that is no "
        "Elastic IP changes.",
        (_OUT, "A group that replaces stopped instances (Auto Scaling) starts another, which may be as easy to rob."),
        "Start the instance; it gets new keys, and may get a new address.",
    ),
}
