"""A theft that was never committed, for trying out the way from a source to the sinks.

All of it is marked: role and program are called `straykey-drill`, the account is nobody's, and the addresses are those
set aside for documentation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from straykey.sim import identifier, identity, operation
from straykey.sim.address import Network
from straykey.sim.company import Role
from straykey.sim.record import Document, Issuance, Scene, Sender, issued, written

NAME = "straykey-drill"
ACCOUNT = "000000000000"
HOME, THIEF = Network("198.51.100.10"), Network("203.0.113.66")
_AGENT = f"aws-cli/2.17.0 md/{NAME}"
_HOME_MINUTES = (9, 6, 1)  # ago
_THEFT_MINUTES = (3, 2)


@dataclass(frozen=True, slots=True)
class Drill:
    """The session that was stolen from, where to, and all that CloudTrail would have written of it.

    `uses` of the records are calls of the session.
    """

    arn: str
    address: str
    records: tuple[Document, ...]
    uses: int


def drill(rng: Random, now: datetime, region: str) -> Drill:
    """A theft in the last minutes."""
    role = Role(ACCOUNT, NAME, "/", identifier.role_id(rng))
    instance, key = identifier.resource_id(rng, "i"), identifier.access_key(rng)
    began = now - timedelta(minutes=10)
    who = identity.session(role, instance, key, began)
    who["sessionContext"]["ec2RoleDelivery"] = "2.0"
    scene = Scene(ACCOUNT, region)

    def calls(network: Network, minutes: tuple[int, ...]) -> list[Document]:
        sender = Sender(who, network, _AGENT)
        return [
            written(rng, now - timedelta(minutes=ago), sender, operation.GET_CALLER_IDENTITY, scene) for ago in minutes
        ]

    issuance = issued(rng, began, Issuance("ec2.amazonaws.com", role, instance, region, key))
    records = (issuance, *calls(HOME, _HOME_MINUTES), *calls(THIEF, _THEFT_MINUTES))
    return Drill(role.session_arn(instance), THIEF.address, records, len(_HOME_MINUTES) + len(_THEFT_MINUTES))
