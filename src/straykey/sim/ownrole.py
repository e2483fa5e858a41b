"""The two roles EC2 itself owns, with instance ids for session names.

`aws:ec2-infrastructure` is EC2 at work on encrypted disks and has no keys to steal;
`aws:ec2-instance` has keys any process on the instance can take, so its sessions count.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier, identity, operation, storage
from straykey.sim.address import Network
from straykey.sim.company import Company, Instance, Role, Window
from straykey.sim.record import Document, Sender, written
from straykey.sim.workload import SSM_AGENT, scene_of

_MANAGED_SHARE = 0.4
_TOKEN_SECONDS = 1800
_KEY_LIFE = timedelta(hours=6)
_INTERNAL = "AWS Internal"


def _own(account: str, kind: str) -> Role:
    return Role(account, f"aws:{kind}", "/", f"{account}:aws:{kind}")


def host_management(rng: Random, instance: Instance, window: Window) -> Iterator[Document]:
    """On some instances the SSM agent asks for a host management key, as the instance itself."""
    if rng.random() >= _MANAGED_SHARE:
        return
    begin = max(window.start, instance.launched)
    at = begin + timedelta(seconds=rng.randint(60, _TOKEN_SECONDS))
    sender, until = _as_instance(rng, instance, begin), begin + _KEY_LIFE
    while at < window.end:
        if at >= until:
            sender, until = _as_instance(rng, instance, at), at + _KEY_LIFE
        yield written(rng, at, sender, operation.REQUEST_HOST_TOKEN, scene_of(instance))
        at += timedelta(seconds=_TOKEN_SECONDS)


def _as_instance(rng: Random, instance: Instance, issued: datetime) -> Sender:
    role = _own(instance.vpc.account, "ec2-instance")
    who = identity.session(role, instance.id, identifier.access_key(rng), issued)
    who["sessionContext"]["ec2RoleDelivery"] = "2.0"
    return Sender(who, instance.network("ssm"), SSM_AGENT)


def infrastructure(rng: Random, company: Company) -> Iterator[Document]:
    """At each launch, EC2 opens the encrypted disk with a session that bears the instance's id."""
    for instance in company.instances:
        if instance.launched < company.window.start:
            continue
        role = _own(instance.vpc.account, "ec2-infrastructure")
        who = identity.session(role, instance.id, identifier.access_key(rng), instance.launched)
        who["inScopeOf"] = identity.in_scope_of("AWS::EC2::Instance", instance.arn)
        sender = Sender(identity.for_service(who, _INTERNAL), Network(_INTERNAL, "service"), _INTERNAL)
        for second, call in ((1, storage.GENERATE_DATA_KEY), (2, storage.DECRYPT)):
            at = instance.launched + timedelta(seconds=second)
            yield written(rng, at, sender, call, scene_of(instance))
