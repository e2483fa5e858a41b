"""What a finding tells in the terms that AWS's formats and OCSF share.

What is not known is left out, never made up: playbooks act on what stands here.  So an instance is named only by a
finding about that very instance, not by one about its role, nor by one about somebody who took its name.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from straykey.core.finding import Finding, FindingType
from straykey.core.network import IPAddress, Lane, is_account, parse_address
from straykey.core.session import is_instance_id

# About a role or a fleet: the session they show is one of several, and no more to blame than the others.
_OF_MANY = frozenset({FindingType.V1_DELIVERY, FindingType.EGRESS_MOVED})
NO_ACCOUNT = "000000000000"
LONGEST_TITLE = 256
_PARTITION = re.compile(r"aws(?:-[a-z]{1,5}){0,3}")
_REGION = re.compile(r"(?=.{8,16}$)[a-z]{2,5}(?:-[a-z]{1,9}){1,2}-[0-9]{1,2}")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_FIRST_REGIONS = {
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-us-iso": "us-iso-east-1",
    "aws-us-iso-b": "us-isob-east-1",
}


class Kind(StrEnum):
    """Kinds of resource, by CloudFormation's names or in their manner."""

    INSTANCE = "AWS::EC2::Instance"
    ROLE = "AWS::IAM::Role"
    KEY = "AWS::IAM::AccessKey"
    SESSION = "AWS::STS::AssumedRole"


class Resource(Struct, frozen=True):
    kind: Kind
    id: str


class Call(Struct, frozen=True):
    service: str
    api: str


def only(fields: Mapping[str, object]) -> dict[str, object]:
    """Those of the fields that hold something; zero and False are something, blanks are nothing."""
    return {name: value for name, value in fields.items() if _holds(value)}


def _holds(value: object) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None and value not in ([], {})


def millis(time: str) -> str:
    """A time of a finding with milliseconds: `2026-05-04T10:31:12.000Z`."""
    return f"{time.removesuffix('Z')}.000Z"


def updated(finding: Finding, at: str | None) -> str:
    """When it last changed: the last record it tells of, or `at` if that is later."""
    pivots = (time for pivot in finding.pivots for time in (pivot.time, pivot.last_used))
    return max(filter(None, (finding.stray.last_seen, at, *pivots)))


def partition_of(finding: Finding) -> str:
    stated = finding.session.arn.split(":", 2)[1:2]
    return stated[0] if stated and _PARTITION.fullmatch(stated[0]) else "aws"


def account_of(finding: Finding) -> str:
    """Its account; zeros where the session's ARN names none, for no format does without."""
    return finding.session.account if is_account(finding.session.account) else NO_ACCOUNT


def region_of(finding: Finding) -> str:
    """Where to tell of it: the session's region, else that of its first call, else the first of its partition."""
    regions = (finding.session.region, *(event.region for event in finding.events))
    stated = (region for region in regions if region and _REGION.fullmatch(region))
    return next(stated, _FIRST_REGIONS.get(partition_of(finding), "us-east-1"))


def stated_region_of(finding: Finding) -> str | None:
    """The session's region, if it is known and written as one."""
    region = finding.session.region or ""
    return region if _REGION.fullmatch(region) else None


def is_about_many(finding: Finding) -> bool:
    return finding.type in _OF_MANY


def session_name_of(finding: Finding) -> str | None:
    """The session's name, if it is about that one session and its name is one that AWS allows."""
    name = finding.session.arn.rpartition("/")[2]
    return name if not is_about_many(finding) and _SESSION_NAME.fullmatch(name) else None


def instance_of(finding: Finding) -> str | None:
    """The instance whose keys these are; None where it is not one, or where only its name was taken."""
    instance = finding.session.instance_id or ""
    is_its_own = finding.type is not FindingType.SPOOFED_NAME and not is_about_many(finding)
    return instance if is_its_own and is_instance_id(instance) else None


def address_of(finding: Finding) -> IPAddress | None:
    return parse_address(finding.stray.address or "")


def domain_of(finding: Finding) -> str | None:
    """The AWS service that called in the session's stead."""
    return finding.stray.address if finding.stray.lane == Lane.SERVICE else None


def call_of(finding: Finding) -> Call | None:
    """The first call that proves it."""
    calls = (*(event.call for event in finding.events[:1]), *sorted(finding.stray.calls)[:1])
    return next(map(as_call, calls), None)


def as_call(text: str) -> Call:
    service, _, api = text.partition(":")
    return Call(service, api)


def resources_of(finding: Finding) -> list[Resource]:
    """What it is about, the nearest first: instance, role, keys; of a role or a fleet each session."""
    session = finding.session
    found = [Resource(Kind.INSTANCE, _instance_name(finding, one)) for one in filter(None, [instance_of(finding)])]
    if session.role_arn and _is_of_one_role(finding.sessions):
        found.append(Resource(Kind.ROLE, session.role_arn))
    found += [Resource(Kind.KEY, key) for key in finding.access_keys]
    if is_about_many(finding) or not found:
        found += [Resource(Kind.SESSION, arn) for arn in finding.sessions or [session.arn]]
    return found


def _instance_name(finding: Finding, instance: str) -> str:
    """Its ARN where its region is known; else its id alone."""
    region = stated_region_of(finding)
    if not region or not is_account(finding.session.account):
        return instance
    return f"arn:{partition_of(finding)}:ec2:{region}:{finding.session.account}:instance/{instance}"


def _is_of_one_role(sessions: Iterable[str]) -> bool:
    return len({arn.rpartition("/")[0] for arn in sessions}) <= 1
