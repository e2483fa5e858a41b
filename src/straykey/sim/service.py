"""What services and functions do on their own: role sessions that are no instance's.

A function's address changes as it pleases AWS; a service has none, and a service event has not
even a caller's type.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier, identity, operation, storage
from straykey.sim.address import Network, function_address
from straykey.sim.company import ACCOUNTS, Role, Window
from straykey.sim.record import Body, Call, Document, Issuance, Scene, Sender, always, issued, written
from straykey.sim.workload import BOTO3

_REGION = "eu-west-1"
_FUNCTIONS = ("resize-images", "nightly-report")
_FUNCTION_PACE = 45  # seconds between calls
_TASK_PACE = 400
_CONFIG_PACE = 150
_ROTATION = timedelta(hours=1)
_LIFETIME = timedelta(hours=2)
_LAMBDA_CALLS = (storage.GET_ITEM, storage.PUT_ITEM, storage.SEND_MESSAGE, operation.GET_PARAMETER)
_CONFIG_CALLS = (operation.DESCRIBE_INSTANCES, operation.DESCRIBE_TAGS, operation.DESCRIBE_ALARMS)


def records(rng: Random, window: Window, accounts: Sequence[str] = ACCOUNTS) -> Iterator[Document]:
    """All that runs without a person or an instance."""
    for account in accounts:
        for name in _FUNCTIONS:
            yield from _function(rng, account, name, window)
        yield from _tasks(rng, account, window)
        yield from _configuration(rng, account, window)
        yield from _events(rng, account, window)


def _times(rng: Random, begin: datetime, end: datetime, pace_seconds: float) -> Iterator[datetime]:
    at = begin + timedelta(seconds=rng.expovariate(1 / pace_seconds))
    while at < end:
        yield at
        at += timedelta(seconds=rng.expovariate(1 / pace_seconds))


def _function(rng: Random, account: str, name: str, window: Window) -> Iterator[Document]:
    role = Role(account, f"{name}-role", "/service-role/", identifier.role_id(rng))
    arn = f"arn:aws:lambda:{_REGION}:{account}:function:{name}"
    at = window.start
    while at < window.end:
        key, until = identifier.access_key(rng), min(window.end, at + _ROTATION)
        yield issued(rng, at, Issuance("lambda.amazonaws.com", role, name, _REGION, key, lifetime=_LIFETIME))
        who = identity.session(role, name, key, at)
        who["inScopeOf"] = identity.in_scope_of("AWS::Lambda::Function", arn)
        place = Network(function_address(rng, _REGION))
        for moment in _times(rng, at, until, _FUNCTION_PACE):
            place = Network(function_address(rng, _REGION)) if rng.random() < 0.2 else place
            call, scene = rng.choice(_LAMBDA_CALLS), Scene(account, _REGION, name)
            yield written(rng, moment, Sender(who, place, BOTO3), call, scene)
        at = until


def _tasks(rng: Random, account: str, window: Window) -> Iterator[Document]:
    """Containers that live for one call or two."""
    role = Role(account, "task-role", "/ecs/", identifier.role_id(rng))
    for at in _times(rng, window.start, window.end, _TASK_PACE):
        task, key = identifier.hexadecimal(rng, 32), identifier.access_key(rng)
        yield issued(rng, at, Issuance("ecs-tasks.amazonaws.com", role, task, _REGION, key, lifetime=_LIFETIME))
        later = at + timedelta(seconds=20)
        if later < window.end:
            who = identity.session(role, task, key, at)
            sender = Sender(who, Network(function_address(rng, _REGION)), BOTO3)
            yield written(rng, later, sender, storage.RECEIVE_MESSAGE, Scene(account, _REGION, "task"))


def _configuration(rng: Random, account: str, window: Window) -> Iterator[Document]:
    """AWS Config, recording with its service-linked role."""
    service, path = "config.amazonaws.com", "/aws-service-role/config.amazonaws.com/"
    role = Role(account, "AWSServiceRoleForConfig", path, identifier.role_id(rng))
    who = identity.session(role, "configLambdaExecution", identifier.access_key(rng), window.start)
    sender = Sender(identity.for_service(who, service), Network(service, "service"), service)
    for at in _times(rng, window.start, window.end, _CONFIG_PACE):
        yield written(rng, at, sender, rng.choice(_CONFIG_CALLS), Scene(account, _REGION))


def _events(rng: Random, account: str, window: Window) -> Iterator[Document]:
    """Service events: their userIdentity has no type."""
    sender = Sender(
        {"accountId": account, "invokedBy": "AWS Internal"}, Network("AWS Internal", "service"), "AWS Internal"
    )
    rotate = Call("kms", "RotateKey", always(Body()), read_only=False)
    for at in _times(rng, window.start, window.end, 3600):
        record = written(rng, at, sender, rotate, Scene(account, _REGION))
        details = {"keyId": storage.key_arn(Scene(account, _REGION)), "rotationType": "AUTOMATIC"}
        yield {**record, "eventType": "AwsServiceEvent", "serviceEventDetails": details}
