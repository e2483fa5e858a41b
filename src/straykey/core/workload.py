"""What runs with keys that AWS hands it, how its sessions are known, and what home means for each.

One table: `WORKLOADS`.  The signs are tried strongest first; a name alone can be chosen by anybody who may assume the
role, so it comes last.  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
"""

import re
from enum import StrEnum
from functools import lru_cache

import msgspec

from straykey.core.session import EC2_SERVICES, IDENTITY_ROLE, Session, is_instance_id

_EKS_PROVIDER = re.compile(r"(?:.*/)?oidc\.eks\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|api\.aws)(?:/.*)?", re.DOTALL)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_POD_SESSION = re.compile(rf"eks-.+-{_UUID}", re.DOTALL)


class Home(StrEnum):
    """What home means."""

    LOCKED = "locked"  # the network it was used from first, and what explains another
    REGION = "region"  # AWS in its region, and the egress of its VPC


class Workload(msgspec.Struct, frozen=True):
    """A kind of workload.

    `type` begins CloudTrail's `inScopeOf.issuerType`; `issuers` are the services that take its keys.  `finding` is
    the word its findings' types carry.
    """

    type: str
    noun: str
    issuers: frozenset[str]
    home: Home
    finding: str


INSTANCE = Workload("AWS::EC2::Instance", "EC2 instance", EC2_SERVICES, Home.LOCKED, "InstanceCredentialExfiltration")
_RESOURCE = "ResourceCredentialExfiltration"
TASK = Workload("AWS::ECS::", "ECS task", frozenset({"ecs-tasks.amazonaws.com"}), Home.LOCKED, _RESOURCE)
FUNCTION = Workload("AWS::Lambda::", "Lambda function", frozenset({"lambda.amazonaws.com"}), Home.REGION, _RESOURCE)
POD = Workload("AWS::EKS::", "EKS pod", frozenset({"pods.eks.amazonaws.com"}), Home.LOCKED, _RESOURCE)

WORKLOADS = (INSTANCE, TASK, FUNCTION, POD)

_HOST_MANAGEMENT = frozenset({"ssm.amazonaws.com"})


@lru_cache(maxsize=4096)
def eks_region(issuer: str) -> str:
    """The region of an EKS cluster's identity provider; empty for any other issuer."""
    match = _EKS_PROVIDER.fullmatch(issuer)
    return match[1] if match else ""


@lru_cache(maxsize=4096)
def by_issuer(issuer: str) -> Workload | None:
    """The workload whose keys this service, or this identity provider, asks for."""
    if eks_region(issuer):
        return POD
    plain = issuer.removesuffix(".cn")
    return next((one for one in WORKLOADS if plain in one.issuers), None)


@lru_cache(maxsize=4096)
def by_scope(scope: str) -> Workload | None:
    """The workload that `inScopeOf` names."""
    return next((one for one in WORKLOADS if scope.startswith(one.type)), None)


def by_name(session: Session) -> Workload | None:
    """The workload whose sessions bear such a name, or such a role."""
    if session.role == IDENTITY_ROLE or (session.role and is_instance_id(session.name)):
        return INSTANCE
    return POD if session.role and _POD_SESSION.fullmatch(session.name) else None


def issues_for_workloads(issuer: str) -> bool:
    """True for those that take keys for a workload."""
    return by_issuer(issuer) is not None


def may_name_instances(issuer: str) -> bool:
    """True for the services that rightly name a session after an instance: EC2, and Systems Manager for its host."""
    return by_issuer(issuer) is INSTANCE or issuer.removesuffix(".cn") in _HOST_MANAGEMENT
