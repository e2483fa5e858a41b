"""What a containment needs to know of a theft: whose keys, where they are at home, who called what from where.

Values only.  They come of a finding and of the evidence it was judged from, so a rehearsal knows no more than that:
of a network with very many calls a sample, of every kind of call the first.
"""

import msgspec

from straykey.core.network import Network


class Called(msgspec.Struct, frozen=True, order=True):
    """One recorded call.

    `issued`: when its key was handed out, as the key's session says; `delivery`: by which version of the metadata
    service, "1.0" or "2.0".  Empty where nobody says.
    """

    time: str
    event_id: str
    call: str  # "s3:ListBuckets": the API's name, which is not always IAM's
    region: str
    access_key: str
    issued: str
    network: Network
    error: str
    delivery: str = ""


class Caller(msgspec.Struct, frozen=True):
    """A session, or a user, and its recorded calls.

    `user_id` is `aws:userid` where it is known.  `instance` is empty for what runs on none; only keys that EC2 handed
    out carry `ec2:SourceInstanceARN`: `is_delivered_by_ec2`.  Of keys of a console session nobody says whether they do:
    `is_from_console`.  `role_arn` has the role's path, and is empty where no record tells.  `vpc` and `private_ip`, the
    primary one, are the instance's; empty where neither a record nor the account tells.
    """

    arn: str
    account: str
    role: str  # name without path; empty for a user
    instance: str
    region: str
    is_delivered_by_ec2: bool
    calls: tuple[Called, ...]
    user_id: str = ""
    role_arn: str = ""
    is_from_console: bool = False
    vpc: str = ""
    private_ip: str = ""


class Key(msgspec.Struct, frozen=True, order=True):
    """A key handed to the workload; `expires` is empty where nobody says."""

    access_key: str
    issued: str
    expires: str


class Created(msgspec.Struct, frozen=True, order=True):
    """What was made with stolen keys, or with what was made with them: a session, a key, a user."""

    time: str
    call: str
    made: str  # ARN, or name; empty where the record does not say
    access_key: str
    account: str
    region: str
    event_id: str


class Theft(msgspec.Struct, frozen=True):
    """`workload` holds the calls from home and those of services that act for it, `thief` those from strays.

    `sisters` are other sessions of the same role; `heirs` those of whatever was made with the stolen keys, as far as it
    was used.  One session's calls may be in several: with its own keys, and with keys that somebody made for its name.
    No network is among `homes` and among `strays`.  `as_of` is the time of the newest record of any of them: nothing
    later is known.
    `gone_since`: when the instance was terminated, and some grace; whoever calls after that is the thief, and a network
    he uses then is no home.
    """

    finding: str
    title: str
    partition: str
    role_arn: str  # with its path; made up from the name where no record has it
    is_role_arn_known: bool
    homes: tuple[Network, ...]
    strays: tuple[Network, ...]
    workload: Caller
    thief: Caller
    sisters: tuple[Caller, ...]
    heirs: tuple[Caller, ...]
    keys: tuple[Key, ...]
    created: tuple[Created, ...]
    as_of: str
    sisters_left_out: int = 0
    gone_since: str = ""
