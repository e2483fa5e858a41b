"""Which role session a record belongs to.

The session, not the key, is the unit: EC2 hands out two keys in one second where IMDSv1 is allowed, and the
stolen one is often never used by the instance.
"""

import re

import msgspec

from straykey.core.cache import remembered

# Roles that EC2 owns.  The first is never a workload's: KMS grants act under it.  The second is every instance's own
# identity, and its keys can be stolen like any other.
INFRASTRUCTURE_ROLE = "aws:ec2-infrastructure"
IDENTITY_ROLE = "aws:ec2-instance"

EC2_SERVICES = frozenset({"ec2.amazonaws.com", "ec2.amazonaws.com.cn"})

_INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})", re.IGNORECASE)
_SESSION_ARN = re.compile(r"arn:([a-z0-9-]+):sts::([0-9]*):assumed-role/([^/]+)/(.+)", re.DOTALL)
_ROLE_ARN = re.compile(r"arn:([a-z0-9-]+):iam::([0-9]*):role/(?:.*/)?([^/]+)", re.DOTALL)
_USER_ARN = re.compile(r"arn:([a-z0-9-]+):(?:iam|sts)::([0-9]*):(?:user/|federated-user/)?(.+)", re.DOTALL)
_INSTANCE_ARN = re.compile(r"arn:[a-z0-9-]+:ec2:([a-z0-9-]+):[0-9]*:instance/(i-[0-9a-f]+)", re.IGNORECASE)


class Session(msgspec.Struct, frozen=True, order=True, array_like=True):
    """The parts of `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/NAME`.  The role's path is not among them.

    Users too may use a key that a thief made: their `role` is empty, their `name` what follows the account.
    """

    arn: str
    partition: str
    account: str
    role: str
    name: str


def parse_session(arn: str) -> Session | None:
    """Read a session ARN of any partition; None for what is none."""
    match = _SESSION_ARN.fullmatch(arn)
    if match is None:
        return None
    partition, account, role, name = match.groups()
    return Session(arn, partition, account, role, name)


@remembered(16384)
def parse_principal(arn: str) -> Session | None:
    """Read the ARN of a role session, an IAM user, a federated user or the root user."""
    session = parse_session(arn)
    if session is not None:
        return session
    match = _USER_ARN.fullmatch(arn)
    return Session(arn, match[1], match[2], "", match[3]) if match else None


def session_of_role(role_arn: str, name: str) -> Session | None:
    """The session that a service gets which assumes `role_arn` under `name`.

    A role's ARN holds its path, a session's does not.
    """
    match = _ROLE_ARN.fullmatch(role_arn)
    if match is None or not name:
        return None
    partition, account, role = match.groups()
    return Session(f"arn:{partition}:sts::{account}:assumed-role/{role}/{name}", partition, account, role, name)


def is_instance_id(text: str) -> bool:
    """True for `i-` and 8 or 17 hex digits, the two lengths EC2 has used."""
    return _INSTANCE_ID.fullmatch(text) is not None


def parse_instance_arn(arn: str) -> tuple[str, str] | None:
    """Region and instance id of an instance's ARN."""
    match = _INSTANCE_ARN.fullmatch(arn)
    return (match[1], match[2]) if match else None
