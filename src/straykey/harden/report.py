"""What would be stopped, and what would break, if this were turned on today: the whole answer, as values.

The ledger is gone through twice: once for where everybody is at home and what they use, then to put the documents made
of that to all calls.  Of each pass only sums are kept, so memory is that of the sessions of one role.
"""

from collections.abc import Iterable, Sequence

import msgspec

from straykey.contain.recorded import THEFTS
from straykey.core.finding import Confidence, Finding, FindingType
from straykey.core.ledger import Settled
from straykey.harden.needed import Need, Needs, spared
from straykey.harden.packing import control_policies
from straykey.harden.perimeter import ATTACHED, Artifact, Kind, Level, endpoint_policy, role_policy
from straykey.harden.posture import Posture
from straykey.harden.recorded import places_of, roles_of
from straykey.harden.rehearsal import OfRole, Rehearsal
from straykey.harden.worker import Footprint, Places, Worker, footprint_of


class Rehearsed(msgspec.Struct, frozen=True):
    """One document, and what it does to each role that it is about, by account and name."""

    artifact: Artifact
    roles: tuple[OfRole, ...]

    @property
    def denied(self) -> int:
        """Calls of the workloads' own that it would have denied."""
        return sum(one.home.denied for one in self.roles)

    @property
    def hit(self) -> tuple[OfRole, ...]:
        """The roles that would lose a call, those that lose most first."""
        return tuple(sorted((one for one in self.roles if one.home.denied), key=lambda one: -one.home.denied))


class Report(msgspec.Struct, frozen=True):
    """`left_out` are roles, as kind, account and name, that fit into no document of that kind.

    `spared` are services that no endpoint leads to: level `instance` binds them to known addresses.  `notes` must be
    known before anything is turned on, in full sentences.
    """

    level: Level
    footprints: tuple[Footprint, ...]
    rehearsed: tuple[Rehearsed, ...]
    needs: tuple[Need, ...]
    spared: tuple[str, ...]
    left_out: tuple[tuple[Kind, str, str], ...]
    notes: tuple[str, ...]
    unread: tuple[str, ...] = ()


def report_of(ledger: Settled, findings: Sequence[Finding], posture: Posture | None, level: Level) -> Report:
    """Equal for equal ledgers, findings and accounts.  `posture` is of the one account that could be read, if any."""
    places = places_of(ledger, posture)
    needs, footprints, users = Needs(), [], _Users(places)
    for workers in roles_of(ledger, findings, places):
        needs.take(workers)
        footprints.append(footprint_of(workers))
        users.take(workers)
    needed = needs.found([posture] if posture else [])
    free = spared(needed) if level is Level.INSTANCE else ()
    accounts = sorted(ledger.accounts | {one.account for one in footprints})
    artifacts, left_out = _artifacts(footprints, level, free)
    rehearsal = Rehearsal((*artifacts, *users.policies(accounts)), places)
    found = _rehearsed(rehearsal, (workers for workers in roles_of(ledger, findings, places)))
    return Report(
        level=level,
        footprints=tuple(footprints),
        rehearsed=found,
        needs=tuple(needed),
        spared=free,
        left_out=left_out,
        notes=(*_notes(footprints, found, level), *_of_strays(findings), *users.notes(posture)),
        unread=posture.unread if posture else (),
    )


def _artifacts(
    footprints: list[Footprint], level: Level, free: Sequence[str]
) -> tuple[list[Artifact], tuple[tuple[Kind, str, str], ...]]:
    packed = {kind: control_policies(kind, footprints, level, free) for kind in (Kind.SCP, Kind.RCP)}
    artifacts = [role_policy(one, level, free) for one in footprints]
    artifacts += [artifact for one in packed.values() for artifact in one.artifacts]
    return artifacts, tuple((kind, *role) for kind, one in packed.items() for role in one.left_out)


def _rehearsed(rehearsal: Rehearsal, roles: Iterable[list[Worker]]) -> tuple[Rehearsed, ...]:
    found: list[list[OfRole]] = [[] for _ in rehearsal.artifacts]
    for workers in roles:
        for place, of_role in zip(found, rehearsal.of_role(workers), strict=True):
            if of_role is not None:
                place.append(of_role)
    return tuple(Rehearsed(artifact, tuple(some)) for artifact, some in zip(rehearsal.artifacts, found, strict=True))


class _Users:
    """Which endpoints of which VPC are used from which VPCs."""

    def __init__(self, places: Places) -> None:
        self._endpoints = places.endpoints
        self._vpcs: dict[str, set[str]] = {}

    def take(self, workers: Iterable[Worker]) -> None:
        for worker in workers:
            for called in worker.home.calls:
                if called.network.endpoint in self._endpoints:
                    self._vpcs.setdefault(called.network.endpoint, set()).add(worker.home.vpc)

    def notes(self, posture: Posture | None) -> Iterable[str]:
        """An endpoint has one policy: whoever puts another there takes away what the first one denied."""
        gates = [gate for region in (posture.regions if posture else ()) for gate in region.gates or ()]
        own = sorted({one.endpoint.id for one in gates if one.has_own_policy and one.endpoint.id in self._vpcs})
        if own:
            shown = ", ".join(own[:_SHOWN]) + (" …" if len(own) > _SHOWN else "")
            yield f"These endpoints have a policy of their own: add the Deny to it, do not replace it: {shown}."
        elif self._vpcs:
            yield "An endpoint policy replaces the one that is there: if that is not AWS's default, add the Deny to it."

    def policies(self, accounts: Sequence[str]) -> list[Artifact]:
        """One for each VPC whose endpoints are used; an endpoint whose VPC nobody knows has none."""
        by_vpc: dict[str, list[str]] = {}
        for endpoint in sorted(self._vpcs):
            by_vpc.setdefault(self._endpoints[endpoint], []).append(endpoint)
        return [
            endpoint_policy(vpc, some, sorted(set().union(*(self._vpcs[one] for one in some)) - {""}), accounts)
            for vpc, some in sorted(by_vpc.items())
        ]


_UNSURE = frozenset({FindingType.UNKNOWN, FindingType.INSIDE_AWS})
_SHOWN = 10


def _of_strays(findings: Sequence[Finding]) -> Iterable[str]:
    """Addresses that are in no policy because a finding that need not be right calls them stray."""
    unsure = [one for one in findings if one.type in _UNSURE or one.confidence is not Confidence.CONFIRMED]
    thefts = [one for one in unsure if one.type in THEFTS]
    found = sorted({f"{one.stray.address} (role {one.session.role}, finding {one.id[:8]})" for one in thefts})
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield (
            f"Taken for thieves', and so denied, though no finding is certain: {', '.join(found[:_SHOWN])}{more}.  "
            "Look at these first; what is yours, name by --trusted-network, and give --ip-ranges where AWS's ranges "
            "were not known."
        )


def _notes(footprints: Sequence[Footprint], found: Sequence[Rehearsed], level: Level) -> Iterable[str]:
    single = sum(len(users) == 1 for one in footprints for users in one.addresses.values())
    if single and level is Level.NETWORK:
        yield (
            f"{single} of the addresses in these policies are of one instance only: when it is stopped and started it "
            "has another, and is denied.  Give it an Elastic IP, a NAT gateway or endpoints first."
        )
    for kind, most in ATTACHED.items():
        count = sum(one.artifact.kind is kind for one in found)
        if count > most:
            yield (
                f"There are {count} documents of kind {kind.value}, and only {most} fit beside FullAWSAccess in one "
                "place: attach each to the accounts, or the unit, that it is about."
            )
    if any(one.artifact.kind is Kind.RCP for one in found):
        yield (
            "An RCP judges calls to resources of your own accounts; the records do not say whose a resource is, so the "
            "rehearsal takes all for yours."
        )
    if any(one.artifact.kind is Kind.SCP for one in found):
        yield "An SCP does not reach the management account, nor roles that are linked to a service."
