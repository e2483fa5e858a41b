"""Honest sessions that look strange: ended, chained, managed, forwarded, with programs nobody knows."""

from datetime import datetime, timedelta

from straykey.sim import grant, hostrole, identifier, identity, operation, route, spree, storage
from straykey.sim.address import Network
from straykey.sim.assumption import Assumption, assumed
from straykey.sim.company import Instance
from straykey.sim.record import Document, Sender, written
from straykey.sim.spree import Spree
from straykey.sim.stage import Stage
from straykey.sim.workload import BOTO3, Life, Program, scene_of

_TOOLS = ("acme-sync/3.2.1", "ledger-export/0.9 (linux; x86_64)", "harvest/12.0")
_STRAGGLERS = (4, 30, 95, 240)  # seconds after the end at which S3 still asks KMS
_CHAINED_CALLS = (storage.GET_OBJECT, storage.LIST_OBJECTS, storage.PUT_ITEM, operation.GET_PARAMETER)
_TOOL_CALLS = (storage.LIST_OBJECTS, storage.GET_OBJECT, storage.PUT_OBJECT, storage.SEND_MESSAGE)


def terminated(stage: Stage) -> None:
    """Calls end within seconds of the end; what S3 still has to do trails by minutes."""
    it, at = stage.instance(stage.vpc("public")), stage.moment(0.5, 0.75)
    stage.records.append(grant.terminate(stage.builder, at, it))
    stage.live(it, Life(end=at + timedelta(seconds=8)))
    late = [_forwarded(stage, it, at + timedelta(seconds=seconds)) for seconds in _STRAGGLERS]
    stage.worked(it, it.session_arn, late)
    stage.changed([it.session_arn], [], at)


def service_calls(stage: Stage) -> None:
    """An instance that services act for all the time, under their own names."""
    it = stage.instance(stage.vpc("public"))
    stage.live(it)
    moments = sorted(stage.moment(0.05, 0.95) for _ in range(25))
    stage.worked(it, it.session_arn, [_forwarded(stage, it, at) for at in moments])
    stage.changed([it.session_arn], [], moments[0])


def _forwarded(stage: Stage, it: Instance, at: datetime) -> Document:
    service = stage.rng.choice(("s3.amazonaws.com", "AWS Internal", "AWS Internal/3"))
    who = identity.instance_session(it, stage.keys(it).newest("2.0", at), "1.11")
    sender = Sender(identity.for_service(who, service), Network(service, "service"), service)
    return written(stage.rng, at, sender, storage.DECRYPT, scene_of(it))


def role_chaining(stage: Stage) -> None:
    """The instance takes another role under its own id, and goes on from where it is."""
    it, at = stage.instance(stage.vpc("public")), stage.moment(0.2, 0.4)
    stage.live(it)
    role = stage.world.role(it.vpc.account, "export-role", "/data/")
    taken = Assumption(role, it.id, identifier.access_key(stage.rng))
    who = identity.instance_session(it, stage.keys(it).newest("2.0", at), "1.11")
    chaining = assumed(stage.rng, at, Sender(who, it.network("sts"), BOTO3), taken, scene_of(it))
    stage.worked(it, it.session_arn, [chaining])
    chained = spree.as_ever(identity.session(role, it.id, taken.access_key, at))
    work = Spree(who=chained, route=route.of(it), agent=BOTO3, scene=scene_of(it), calls=_CHAINED_CALLS)
    moments = spree.within(stage.rng, at + timedelta(seconds=3), at + timedelta(minutes=55), 30)
    stage.worked(it, taken.arn, spree.made(stage.rng, work, moments))
    stage.changed([it.session_arn, taken.arn], [], at)


def host_management(stage: Stage) -> None:
    """The SSM agent works with the identity role's key, and with the one that Systems Manager gives for it."""
    it = stage.instance(stage.vpc("public"))
    stage.live(it)
    sessions = (hostrole.identity_session(stage, it), hostrole.managed_session(stage, it))
    for who in sessions:
        hostrole.work(stage, it, who, route.of(it))
    stage.changed([it.session_arn, *(who["arn"] for who in sessions)], [], stage.window.start)


def own_tool(stage: Stage) -> None:
    """All instances of a role use a program of the house, which names no SDK, and nothing else."""
    tool = Program(stage.rng.choice(_TOOLS), _TOOL_CALLS, (1, 4, 2, 5), 130, is_long_running=True)
    fleet = stage.fleet(stage.vpc("public"), 3, role=stage.rng.choice(("sync", "ledger")))
    for it in fleet:
        stage.live(it, Life(programs=(tool,)))
    stage.changed([it.session_arn for it in fleet], [], stage.window.start)
