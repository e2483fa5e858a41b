"""What really happened, said in plain values: the judge of every detector that reads the logs."""

from collections.abc import Iterable
from dataclasses import dataclass

from straykey.sim.company import Instance, Window
from straykey.sim.record import Document, stamp


@dataclass(frozen=True, slots=True)
class Home:
    """A network an instance session was rightly used from."""

    address: str
    lane: str
    vpc_endpoint: str | None
    vpc_endpoint_account: str | None
    first_seen: str
    last_seen: str
    count: int


@dataclass(frozen=True, slots=True)
class Session:
    """An instance's session; `adopted` says that its first key was issued before the logs."""

    session_arn: str
    account: str
    region: str
    instance_id: str
    launched: str
    adopted: bool
    imds_v1_allowed: bool
    homes: tuple[Home, ...]


@dataclass(frozen=True, slots=True)
class Theft:
    """One stolen key and all that was done with it from one network.

    `excluded` says, where it is not empty, why no detector that goes by addresses can see it; nothing is expected of
    one then.  `made_keys` are the keys made with the stolen one, at any depth, and `made_event_ids` their use;
    `is_turned` says that the thief called before the instance ever did.
    """

    kind: str
    session_arn: str
    account: str
    instance_id: str
    access_keys: tuple[str, ...]
    address: str
    vpc_endpoint: str | None
    vpc_endpoint_account: str | None
    expected_type: str
    expected_severity: str
    first_seen: str
    last_seen: str
    event_ids: tuple[str, ...]
    excluded: str = ""
    made_keys: tuple[str, ...] = ()
    made_event_ids: tuple[str, ...] = ()
    is_turned: bool = False
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something honest that a detector might take for a theft; `at` is when its first record was written.

    `session_arns` are all the sessions whose networks it touched, `addresses` all those it brought.
    """

    kind: str
    session_arns: tuple[str, ...]
    addresses: tuple[str, ...]
    at: str


def session(window: Window, instance: Instance, arn: str, records: Iterable[Document]) -> Session:
    """The session of `instance` that made `records`, all of them honest."""
    return Session(
        session_arn=arn,
        account=instance.vpc.account,
        region=instance.vpc.region,
        instance_id=instance.id,
        launched=stamp(instance.launched),
        adopted=instance.launched < window.start,
        imds_v1_allowed=not instance.is_token_required,
        homes=_homes(instance, records),
    )


def _homes(instance: Instance, records: Iterable[Document]) -> tuple[Home, ...]:
    times: dict[tuple[str, str | None], list[str]] = {}
    for record in records:
        if "invokedBy" not in record["userIdentity"]:
            network = (record["sourceIPAddress"], record.get("vpcEndpointId"))
            times.setdefault(network, []).append(record["eventTime"])
    return tuple(_home(instance, *network, seen) for network, seen in sorted(times.items(), key=_order))


def _order(entry: tuple[tuple[str, str | None], list[str]]) -> tuple[str, str]:
    (address, endpoint), _ = entry
    return address, endpoint or ""


def _home(instance: Instance, address: str, endpoint: str | None, seen: list[str]) -> Home:
    return Home(
        address=address,
        lane="endpoint" if endpoint else "public",
        vpc_endpoint=endpoint,
        vpc_endpoint_account=instance.vpc.account if endpoint else None,
        first_seen=min(seen),
        last_seen=max(seen),
        count=len(seen),
    )
