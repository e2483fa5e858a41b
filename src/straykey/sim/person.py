"""People and their pipelines: office addresses, consoles, long-lived keys, chained roles.

None of them is to be judged; a console session speaks partly from `AWS Internal`, and a person
may well use AWS from two places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier, identity, operation, storage
from straykey.sim.address import Network
from straykey.sim.assumption import Assumption, assumed, given
from straykey.sim.company import ACCOUNTS, Company, Role, Window
from straykey.sim.record import Body, Call, Document, Scene, Sender, always, written
from straykey.sim.workload import CLI

_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
_NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
_REGIONS = ("eu-west-1", "us-east-1")
_INTERNAL = "AWS Internal"
_SITTINGS_PER_HOUR = 1.5
_PIPELINE_RUN = timedelta(minutes=20)
_BROWSED = (
    operation.DESCRIBE_INSTANCES,
    operation.DESCRIBE_LOG_GROUPS,
    operation.DESCRIBE_ALARMS,
    operation.LIST_ROLES,
    storage.LIST_BUCKETS,
    storage.LIST_SECRETS,
)
_TYPED = (operation.GET_CALLER_IDENTITY, operation.DESCRIBE_INSTANCES, storage.LIST_BUCKETS, storage.LIST_OBJECTS)
_PLANNED = (operation.DESCRIBE_INSTANCES, operation.DESCRIBE_TAGS, operation.LIST_ROLES, storage.GET_BUCKET_POLICY)


@dataclass(frozen=True, slots=True)
class _Sitting:
    """One person, signed in once."""

    name: str
    role: Role
    network: Network
    begin: datetime
    access_key: str

    @property
    def identity(self) -> Document:
        return identity.session(self.role, f"{self.name}@example.com", self.access_key, self.begin)


def records(rng: Random, company: Company) -> Iterator[Document]:
    """All that people and pipelines do in the window."""
    window = company.window
    hours = (window.end - window.start).total_seconds() / 3600
    admins = {a: _admin_role(rng, a) for a in ACCOUNTS}
    for account in ACCOUNTS:
        for _ in range(max(1, int(hours * _SITTINGS_PER_HOUR))):
            sitting = _Sitting(
                name=rng.choice(_NAMES),
                role=admins[account],
                network=Network(rng.choice(company.offices)),
                begin=window.at(rng.uniform(0, 0.95)),
                access_key=identifier.access_key(rng),
            )
            yield from _sign_in(rng, sitting)
            yield from _sit(rng, sitting, window)
        yield from _pipeline(rng, account, Network(company.premises), window)


def _admin_role(rng: Random, account: str) -> Role:
    name = f"AWSReservedSSO_PowerUser_{identifier.hexadecimal(rng, 16)}"
    return Role(account, name, "/aws-reserved/sso.amazonaws.com/eu-west-1/", identifier.role_id(rng))


def _sign_in(rng: Random, sitting: _Sitting) -> Iterator[Document]:
    role = sitting.role
    scene = Scene(role.account, "us-east-1")
    provider = f"arn:aws:iam::{role.account}:saml-provider/AWSSSO_DO_NOT_DELETE"
    user = {"type": "SAMLUser", "principalId": f"EXAMPLE:{sitting.name}", "userName": sitting.name}
    body = Body(
        request={"roleArn": role.arn, "principalArn": provider, "durationSeconds": 3600},
        response=given(rng, sitting.begin, Assumption(role, f"{sitting.name}@example.com", sitting.access_key)),
        resources=[{"accountId": role.account, "type": "AWS::IAM::Role", "ARN": role.arn}],
    )
    saml = Call("sts", "AssumeRoleWithSAML", always(body))
    yield written(
        rng, sitting.begin, Sender({**user, "identityProvider": provider}, sitting.network, _BROWSER), saml, scene
    )
    login = Call("signin", "ConsoleLogin", always(_logged_in()), read_only=False)
    sender = Sender(sitting.identity, sitting.network, _BROWSER)
    record = written(rng, sitting.begin + timedelta(seconds=2), sender, login, scene)
    yield {**record, "eventType": "AwsConsoleSignIn"}


def _logged_in() -> Body:
    extra = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No", "MFAUsed": "No"}
    return Body(response={"ConsoleLogin": "Success"}, extra=extra, host="us-east-1.signin.aws.amazon.com")


def _sit(rng: Random, sitting: _Sitting, window: Window) -> Iterator[Document]:
    """Clicks in the console, half of them through its proxy; then a few commands by CLI."""
    at, scene = sitting.begin + timedelta(seconds=20), Scene(sitting.role.account, rng.choice(_REGIONS))
    direct = Sender(sitting.identity, sitting.network, _BROWSER)
    proxied = Sender(sitting.identity, Network(_INTERNAL, "service"), _INTERNAL)
    typed = Sender(sitting.identity, sitting.network, CLI)
    for step in range(rng.randint(10, 30)):
        at += timedelta(seconds=rng.randint(3, 90))
        if at >= window.end:
            return
        if step % 3 == 2:
            yield written(rng, at, typed, rng.choice(_TYPED), scene)
        else:
            sender = rng.choice((direct, proxied))
            record = written(rng, at, sender, rng.choice(_BROWSED), scene)
            yield {**record, "sessionCredentialFromConsole": "true"}


def _pipeline(rng: Random, account: str, network: Network, window: Window) -> Iterator[Document]:
    """A build user takes a role, as anyone allowed to may, and plans with it."""
    scene, user = Scene(account, "eu-west-1"), identity.user(account, "builds", _user_key(rng))
    role = Role(account, "deploy-role", "/ci/", identifier.role_id(rng))
    at = window.start + timedelta(seconds=rng.randint(30, 600))
    while at < window.end:
        session, key = f"build-{rng.randrange(10**5)}", identifier.access_key(rng)
        yield assumed(rng, at, Sender(user, network, CLI), Assumption(role, session, key), scene)
        sender = Sender(identity.session(role, session, key, at), network, CLI)
        for second in range(5, 60, 5):
            if at + timedelta(seconds=second) < window.end:
                yield written(rng, at + timedelta(seconds=second), sender, rng.choice(_PLANNED), scene)
        at += _PIPELINE_RUN


def _user_key(rng: Random) -> str:
    return f"AKIAEXAMPLE{identifier.base32(rng, 9)}"
