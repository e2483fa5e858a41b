"""What honest instances do: their programs, each with its own pace, agent and hold on a key.

Every call goes out from a network the instance rightly has, and no program here ever takes a
key by the IMDS version that is not its own.  What a service does for the session carries the
service's name instead of an address.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

from straykey.sim import identity, operation, storage
from straykey.sim.address import Network
from straykey.sim.company import Instance, Window
from straykey.sim.keyring import Keyring
from straykey.sim.record import Call, Document, Fault, Issuance, Scene, Sender, issued, written

_LINUX = "6.1.84-99.169.amzn2023.x86_64"
BOTO3 = f"Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#{_LINUX} lang/python#3.11.9 Botocore/1.34.84"
CLI = f"aws-cli/2.15.30 md/awscrt#0.19.19 ua/2.0 os/linux#{_LINUX} md/arch#x86_64 lang/python#3.11.8"
JAVA = f"aws-sdk-java/2.25.31 md/io#sync md/http#Apache ua/2.1 os/Linux#{_LINUX} lang/java#17.0.10"
GO = "aws-sdk-go-v2/1.26.1 os/linux lang/go#1.22.2 md/GOOS#linux md/GOARCH#amd64"
SSM_AGENT = "aws-sdk-go/1.44.260 (go1.21.5; linux; amd64) amazon-ssm-agent/3.3.380.0"
METRICS_AGENT = "CWAgent/1.300037.1 (go1.22.1; linux; amd64) aws-sdk-go/1.48.6"

# From where a workload calls a service at a time.
Route: TypeAlias = Callable[[datetime, str], Network]

ACCESS_DENIED = Fault("AccessDenied", "Access Denied")
_THROTTLED = Fault("ThrottlingException", "Rate exceeded")
_FAULT_SHARE = 0.025
_SERVICE_CALL_SHARE = 0.15
_HOLD_SECONDS = 18_000  # a long-running SDK keeps its key for hours, but never past its end


@dataclass(frozen=True, slots=True)
class Program:
    """Something that runs on an instance and calls AWS; `weights` go with `calls`."""

    agent: str
    calls: tuple[Call, ...]
    weights: tuple[int, ...]
    per_hour: float
    is_long_running: bool


@dataclass(frozen=True, slots=True)
class Life:
    """How an instance lives, where that differs from the rest.

    `route` replaces its own networks, `programs` those of its role; `begin` and `end` cut the time its programs run.
    """

    route: Route | None = None
    pace: float = 1.0
    programs: tuple[Program, ...] | None = None
    begin: datetime | None = None
    end: datetime | None = None


_AS_EVER = Life()

_AGENTS = (
    Program(
        SSM_AGENT,
        (operation.UPDATE_INSTANCE_INFORMATION, operation.LIST_INSTANCE_ASSOCIATIONS),
        (9, 1),
        14,
        is_long_running=True,
    ),
    Program(
        METRICS_AGENT,
        (operation.DESCRIBE_TAGS, operation.CREATE_LOG_STREAM, operation.LIST_METRICS),
        (3, 2, 1),
        10,
        is_long_running=True,
    ),
)
_WEB = Program(
    BOTO3,
    (
        storage.GET_OBJECT,
        storage.GET_ITEM,
        storage.QUERY,
        storage.PUT_ITEM,
        storage.GET_SECRET_VALUE,
        operation.GET_PARAMETER,
    ),
    (4, 10, 6, 4, 1, 4),
    130,
    is_long_running=True,
)
_WORKER = Program(
    JAVA,
    (
        storage.RECEIVE_MESSAGE,
        storage.DELETE_MESSAGE,
        storage.PUT_OBJECT,
        storage.GET_OBJECT,
        storage.DECRYPT,
        operation.DESCRIBE_ALARMS,
    ),
    (8, 6, 2, 2, 3, 2),
    120,
    is_long_running=True,
)
_BATCH = Program(
    GO,
    (storage.LIST_OBJECTS, storage.GET_OBJECT, storage.PUT_OBJECT, storage.SEND_MESSAGE),
    (1, 4, 2, 5),
    100,
    is_long_running=True,
)
_CRON = Program(
    CLI,
    (
        storage.LIST_OBJECTS,
        storage.PUT_OBJECT,
        operation.GET_CALLER_IDENTITY,
        operation.DESCRIBE_INSTANCES,
        operation.DESCRIBE_SCALING_INSTANCES,
        operation.DESCRIBE_LOG_GROUPS,
    ),
    (2, 4, 1, 2, 2, 1),
    16,
    is_long_running=False,
)
_PROGRAMS = {
    "web": (*_AGENTS, _WEB, _CRON),
    "worker": (*_AGENTS, _WORKER, _CRON),
    "batch": (*_AGENTS, _BATCH, _CRON),
}


def scene_of(instance: Instance) -> Scene:
    app = instance.role.name.removesuffix("-role")
    return Scene(instance.vpc.account, instance.vpc.region, app, instance.id)


def issuances(rng: Random, instance: Instance, keys: Keyring, window: Window) -> Iterator[Document]:
    """One record per key issued in the window; those of the launch carry its requestID."""
    for place, at in enumerate(keys.times):
        if at < window.start:
            continue
        is_launch = at - instance.launched < timedelta(seconds=5)
        for ring in keys.keys.values():
            request_id = instance.launch_request if is_launch else None
            key = ring[place]
            yield issued(
                rng,
                at,
                Issuance(
                    "ec2.amazonaws.com",
                    instance.role,
                    instance.id,
                    instance.vpc.region,
                    key.access_key,
                    request_id,
                ),
            )


def calls(rng: Random, instance: Instance, keys: Keyring, window: Window, life: Life = _AS_EVER) -> Iterator[Document]:
    """All that the instance's own programs do in the window."""
    boot = max(life.begin or window.start, instance.launched + timedelta(seconds=rng.randint(45, 90)))
    for program in life.programs or _PROGRAMS[scene_of(instance).app]:
        yield from _Run(rng, instance, keys, program, life).records(boot, life.end or window.end)


class _Run:
    """One program on one instance, from boot to the end."""

    def __init__(self, rng: Random, instance: Instance, keys: Keyring, program: Program, life: Life) -> None:
        self._rng = rng
        self._instance = instance
        self._keys = keys
        self._program = program
        self._life = life
        self._scene = scene_of(instance)
        self._phase = rng.randrange(_HOLD_SECONDS)
        self._senders: dict[tuple[str, str, Network], Sender] = {}

    def records(self, boot: datetime, end: datetime) -> Iterator[Document]:
        rng, program = self._rng, self._program
        pace = program.per_hour * self._life.pace * rng.uniform(0.8, 1.3) / 3600
        at = boot + timedelta(seconds=rng.expovariate(pace))
        while at < end:
            call = rng.choices(program.calls, program.weights)[0]
            sender = self._sender(call, at)
            fault = _fault(rng)
            yield written(rng, at, sender, call, self._scene, fault)
            if fault is None and call.service == "s3" and rng.random() < _SERVICE_CALL_SHARE:
                yield self._service_call(at, sender, call)
            at += timedelta(seconds=rng.expovariate(pace))

    def _sender(self, call: Call, at: datetime) -> Sender:
        key = self._keys.newest(self._instance.delivery, self._taken_at(at))
        route = self._life.route
        network = self._instance.network(call.service) if route is None else route(at, call.service)
        known = self._senders.get((key.access_key, call.name, network))
        if known is None:
            who = identity.instance_session(self._instance, key, call.version)
            known = Sender(who, network, self._program.agent)
            self._senders[key.access_key, call.name, network] = known
        return known

    def _taken_at(self, at: datetime) -> datetime:
        if not self._program.is_long_running:
            return at
        held = (int(at.timestamp()) - self._phase) % _HOLD_SECONDS
        return at - timedelta(seconds=held)

    def _service_call(self, at: datetime, sender: Sender, call: Call) -> Document:
        # A forward access session: S3 asks KMS with the instance's own session.
        kms = storage.GENERATE_DATA_KEY if call is storage.PUT_OBJECT else storage.DECRYPT
        service = self._rng.choice(("s3.amazonaws.com", "s3.amazonaws.com", "AWS Internal"))
        who = identity.for_service(sender.identity, service)
        acting = Sender(who, Network(service, "service"), service)
        return written(self._rng, at, acting, kms, self._scene)


def _fault(rng: Random) -> Fault | None:
    if rng.random() >= _FAULT_SHARE:
        return None
    return rng.choice((ACCESS_DENIED, _THROTTLED))
