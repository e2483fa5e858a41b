"""AssumeRole by a caller who is no service: what is asked, and what is given."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from straykey.sim.company import Role
from straykey.sim.record import SESSION_TOKEN, Body, Call, Document, Scene, Sender, always, expiration, written

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A session of `role`, and the key it is given."""

    role: Role
    session: str
    access_key: str

    @property
    def arn(self) -> str:
        return self.role.session_arn(self.session)


def given(rng: Random, at: datetime, taken: Assumption) -> Document:
    """What a caller who is no service gets from AssumeRole."""
    role = taken.role
    credentials = {
        "accessKeyId": taken.access_key,
        "sessionToken": SESSION_TOKEN,
        "expiration": expiration(rng, at + _HOUR),
    }
    who = {"assumedRoleId": f"{role.id}:{taken.session}", "arn": taken.arn}
    return {"credentials": credentials, "assumedRoleUser": who}


def assumed(rng: Random, at: datetime, sender: Sender, taken: Assumption, scene: Scene) -> Document:
    """The record, as the caller's account gets it."""
    role = taken.role
    request = {"roleArn": role.arn, "roleSessionName": taken.session, "durationSeconds": 3600}
    resources = [{"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}]
    body = Body(request, given(rng, at, taken), resources=resources)
    return written(rng, at, sender, Call("sts", "AssumeRole", always(body)), scene)
