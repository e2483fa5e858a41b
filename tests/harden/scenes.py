"""An account on moto with what harden reads of it besides `tests.contain.grounds`: trails and an organization."""

from __future__ import annotations

from functools import cache

from straykey import aws
from straykey.contain.clients import Client
from straykey.harden.clients import Clients
from straykey.harden.posture import Posture
from straykey.harden.reading import read_posture
from tests.aws import Aws
from tests.contain.applying import Time
from tests.contain.grounds import REGION, Scene, client, scene

ELSEWHERE = "eu-west-1"
DEFAULTS = "Action=GetInstanceMetadataDefaults"  # moto has no such thing


@cache
def clients() -> Clients:
    return Clients(aws.session(), REGION)


@cache
def _cloudtrail(region: str) -> Client:
    return clients().cloudtrail(region)


def said_of_defaults(**said: str) -> str:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    answer = "GetInstanceMetadataDefaultsResponse"
    return f"<{answer}><accountLevel>{inner}</accountLevel></{answer}>"


def whole(server: Aws) -> Scene:
    """An organization's member with instances, and a trail of its own that looks everywhere."""
    made = scene()
    server.answer_xml(
        DEFAULTS, said_of_defaults(httpTokens="required", httpPutResponseHopLimit="2", managedBy="account")
    )
    client("organizations").create_organization(FeatureSet="ALL")
    trail("main", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=True)
    server.actions.clear()
    server.asked.clear()
    return made


def trail(name: str, *, region: str = REGION, **said: object) -> str:
    """A trail that logs; returns its ARN."""
    bucket = f"logs-of-{name}"
    client("s3").create_bucket(Bucket=bucket)
    cloudtrail = _cloudtrail(region)
    arn = str(cloudtrail.create_trail(Name=name, S3BucketName=bucket, **said)["TrailARN"])
    cloudtrail.start_logging(Name=name)
    return arn


def select(name: str, *, region: str = REGION, **selectors: object) -> None:
    _cloudtrail(region).put_event_selectors(TrailName=name, **selectors)


def stop(name: str, *, region: str = REGION) -> None:
    _cloudtrail(region).stop_logging(Name=name)


def read(*regions: str) -> Posture:
    return read_posture(clients(), regions or (REGION,), Time().clock)
