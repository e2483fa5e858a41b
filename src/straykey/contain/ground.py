"""What every option starts from: the theft, the account, and names that are what they say they are.

Names of roles, sessions, regions and endpoints come from logs, and so from whoever wrote those.  None goes into a
policy or a call before it has the form that IAM or EC2 gives it; a plan that needs one without is not made.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from straykey.contain.account import Account, Instance, Role
from straykey.contain.plan import Call, Deny, Option, Plan, Rerouted, Step, Trouble, Value
from straykey.contain.theft import Theft
from straykey.core.network import is_account
from straykey.core.session import IDENTITY_ROLE, is_instance_id
from straykey.formats.text import bounded

_SHOWN = 80  # characters of a name that is none
_SHORT = 12  # of a finding's id
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}")
_ROLE = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")  # so says IAM's API, as of a session's name
_SESSION = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}")
_USER_ID = re.compile(r"[A-Z0-9]{16,128}:[A-Za-z0-9_+=,.@-]{2,64}")
_ENDPOINT = re.compile(r"vpce-[0-9a-f]{8,17}")
_FINDING = re.compile(r"[0-9a-f]{12,64}")
_OURS = re.compile(rf"straykey-({'|'.join(Option)})-[0-9a-f]{{{_SHORT}}}")
_SERVICE_LINKED = "/aws-service-role/"


class Ground(msgspec.Struct, frozen=True):
    """`at` is the time of planning, `2026-05-04T10:41:00Z`."""

    theft: Theft
    account: Account | None
    at: str

    @property
    def role(self) -> Role | None:
        return self.account.role if self.account else None

    @property
    def instance(self) -> Instance | None:
        return self.account.instance if self.account else None

    @property
    def role_name(self) -> str:
        return self.theft.workload.role

    @property
    def session(self) -> str:
        """The session's name; of an instance its id."""
        return self.theft.workload.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        return self.theft.workload.region

    @property
    def mark(self) -> str:
        """What tells all that is made for this finding."""
        return mark_of(self.theft.finding)

    @property
    def cutoff(self) -> str:
        """The next whole second: no key that was handed out by the time of planning was issued later."""
        second = datetime.fromisoformat(self.at).astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        return second.strftime("%Y-%m-%dT%H:%M:%SZ")

    def name(self, option: Option) -> str:
        """What the option's policy is called, and whatever else it makes."""
        return name_of(option, self.theft.finding)

    def iam_arn(self, resource: str) -> str:
        return f"arn:{self.theft.partition}:iam::{self.theft.workload.account}:{resource}"

    def aws_policy(self, name: str) -> str:
        """The ARN of one of AWS's own managed policies."""
        return f"arn:{self.theft.partition}:iam::aws:policy/{name}"

    def ec2(self, operation: str, **parameters: Value) -> Call:
        return Call("ec2", operation, parameters, self.region)

    def denies(self, option: Option, document: str) -> Deny:
        return Deny(document, self.theft.workload.account, self.role_name, self.name(option))


def mark_of(finding: str) -> str:
    """What tells all that is made for a finding, of its id."""
    return finding[:_SHORT]


def name_of(option: Option, finding: str) -> str:
    """What an option makes for a finding is called so: its policy, and the copy of the role."""
    return f"straykey-{option.value}-{mark_of(finding)}"


class Draft(msgspec.Struct, frozen=True):
    """What one option adds to its plan; what goes for every plan is added to it."""

    denies: tuple[Deny, ...] = ()
    steps: tuple[Step, ...] = ()
    limits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    rerouted: Rerouted | None = None
    covers: tuple[str, ...] = ()

    def plan(self, option: Option, limits: tuple[str, ...]) -> Plan:
        return Plan(
            option,
            self.denies,
            self.steps,
            limits + self.limits,
            self.notes,
            self.manual,
            self.troubles,
            self.rerouted,
            self.covers,
        )


def iam(operation: str, **parameters: Value) -> Call:
    """A call of IAM, which has no region."""
    return Call("iam", operation, parameters)


def cannot(text: str, hint: str = "", *denies: Deny) -> Draft:
    """A plan that cannot be applied, and why; with `denies` it can be rehearsed all the same."""
    return Draft(denies, troubles=(Trouble(text, hint),))


def wrong_names(ground: Ground) -> tuple[Trouble, ...]:
    """One for each name without which nothing can be planned, and which is none."""
    workload = ground.theft.workload
    said = (
        ("partition", ground.theft.partition, _PARTITION.fullmatch(ground.theft.partition) is not None),
        ("account", workload.account, is_account(workload.account)),
        ("role", workload.role, is_role_name(workload.role) or workload.role == IDENTITY_ROLE),
        ("session", ground.session, is_session_name(ground.session)),
        ("region", workload.region, not workload.region or _REGION.fullmatch(workload.region) is not None),
        ("instance", workload.instance, not workload.instance or is_instance_id(workload.instance)),
        ("finding", ground.theft.finding, _FINDING.fullmatch(ground.theft.finding) is not None),
    )
    return tuple(
        Trouble(f"The log names no {what} that AWS could have: {bounded(name, _SHOWN) or 'nothing'}")
        for what, name, is_right in said
        if not is_right
    )


def is_role_name(text: str) -> bool:
    return _ROLE.fullmatch(text) is not None


def is_session_name(text: str) -> bool:
    return _SESSION.fullmatch(text) is not None


def is_user_id(text: str) -> bool:
    """True for `AROA…:` and the session's name."""
    return _USER_ID.fullmatch(text) is not None


def is_endpoint_id(text: str) -> bool:
    return _ENDPOINT.fullmatch(text) is not None


def other_account(ground: Ground) -> tuple[Trouble, ...]:
    """Whether another account was read than the one that was robbed."""
    theirs = ground.theft.workload.account
    if ground.account is None or ground.account.id == theirs:
        return ()
    text = f"The account read is {ground.account.id}; the stolen keys are of {theirs}"
    return (Trouble(text, f"use credentials of {theirs}"),)


def standing(ground: Ground, option: Option) -> tuple[str, ...]:
    """Whether the role has policies of ours from before; that of the option's own name is replaced by its plan."""
    if ground.role is None:
        return ()
    there = {one.name for one in ground.role.inline} | {arn.rpartition("/")[2] for arn in ground.role.attached}
    ours = sorted(name for name in there - {ground.name(option)} if _OURS.fullmatch(name))
    if not ours:
        return ()
    return (f"On the role stands what was applied before, and the rehearsal leaves it out: {', '.join(ours)}.",)


def undeniable(ground: Ground) -> tuple[Trouble, ...]:
    """What makes every policy useless for this role."""
    if ground.role_name == IDENTITY_ROLE:
        text = "These are keys of the instance's own identity, `aws:ec2-instance`: no IAM policy applies to them"
        hint = "`stop` the instance or turn its metadata service off, so that no new ones are had; the old ones expire"
        return (Trouble(text, hint),)
    arn, role = ground.theft.role_arn, ground.role
    if f":role{_SERVICE_LINKED}" in arn or (role is not None and role.path.startswith(_SERVICE_LINKED)):
        text = "A service-linked role takes no policy of yours: IAM would answer UnmodifiableEntity"
        return (
            Trouble(text, "take what the service runs on away from the thief, or delete the role with its service"),
        )
    return ()
