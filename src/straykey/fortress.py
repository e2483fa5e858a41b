"""Joins a ledger, its findings and the account: what `straykey harden` works with."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from straykey import aws, casebook, containment
from straykey.core.coverage import Covered, Seen, covered, joined
from straykey.core.evidence import instance_of
from straykey.core.finding import Finding
from straykey.core.ledger import Settled
from straykey.errors import StraykeyError, UsageError
from straykey.formats.text import bounded
from straykey.harden.blindness import Gap
from straykey.harden.change import PREFIX, Change, Doing, perimeter, tokens, v2_keys
from straykey.harden.clients import Clients
from straykey.harden.coverage import coverage_gaps
from straykey.harden.imds import Host, Survey, V1Role, survey
from straykey.harden.imds_plan import Measure, plan
from straykey.harden.perimeter import Kind, Level
from straykey.harden.posture import Posture
from straykey.harden.reading import read_posture
from straykey.harden.report import Rehearsed, Report, report_of
from straykey.pipeline import Period
from straykey.ports import Containment, Source
from straykey.stores import journal, progress
from straykey.stores.database import is_missing

_FALLBACK = "us-east-1"


class Basis(msgspec.Struct, frozen=True):
    """What is judged by: evidence, the findings of it, and which kinds of records there were, if that is known."""

    ledger: Settled
    findings: Sequence[Finding]
    seen: Mapping[Covered, Seen] | None = None


@contextmanager
def kept(where: str) -> Iterator[Basis]:
    """What `watch` keeps."""
    with casebook.opened(where) as store:
        # What the evidence came to explain since is home; what somebody called done is still a thief's.
        findings = [one.finding for one in casebook.tracked_in(store) if one.by or not one.is_over]
        with store.reading() as connection:
            seen = progress.coverage_of(connection)
        with store.ledger() as ledger:
            yield Basis(ledger, findings, seen)


def posture_of(ledger: Settled) -> tuple[Posture | None, str]:
    """What the account of the credentials says, in the regions its instances act in; or nothing, and why."""
    try:
        session = aws.session()
        here = session.region_name or _FALLBACK
        clients = Clients(session, here)
        account, _ = clients.identity()
        return read_posture(clients, sorted(_regions(ledger, account) | {here})), ""
    except StraykeyError as error:
        return None, f"{error}; {error.hint}" if error.hint else str(error)


def _regions(ledger: Settled, account: str) -> set[str]:
    found = {instance_of(one)[1] for one in ledger.sessions.values() if one.session.account == account}
    return found - {""}


class Hardening(msgspec.Struct, frozen=True):
    """All that is said of what was read."""

    report: Report
    survey: Survey
    measures: tuple[Measure, ...]
    gaps: tuple[Gap, ...]


def hardening_of(basis: Basis, posture: Posture | None, level: Level) -> Hardening:
    postures = [posture] if posture else []
    surveyed = survey(basis.ledger, basis.findings, postures)
    return Hardening(
        report_of(basis.ledger, basis.findings, posture, level),
        surveyed,
        plan(surveyed, postures),
        coverage_gaps(basis.ledger, basis.seen, postures),
    )


def change_of(doing: str, hardening: Hardening, posture: Posture, role: str, instance: str) -> Change:
    """The one change that was asked for, of the account that was read.  Raises `UsageError` where there is none."""
    if doing == "tokens":
        machine = next((one for one in posture.machines() if one.id == instance), None)
        if machine is None:
            raise UsageError(f"instance {bounded(instance, 40)} was not seen in account {posture.account}")
        return tokens(posture.account, machine)
    found = [
        one.artifact
        for one in hardening.report.rehearsed
        if one.artifact.kind is Kind.ROLE and (one.artifact.accounts, one.artifact.role) == ((posture.account,), role)
    ]
    if not found:
        raise UsageError(f"no call of role {bounded(role, 64)} in account {posture.account} was recorded")
    return perimeter(found[0]) if doing == "perimeter" else v2_keys(posture.account, role)


def broken_by(change: Change, hardening: Hardening) -> list[str]:
    """What the rehearsal says it would break, or may, in sentences; empty if nothing of what was recorded."""
    if change.option is Doing.PERIMETER:
        return [said for one in hardening.report.rehearsed for said in _denied_by(one, change)]
    roles = [role for role in hardening.survey.roles if role.account == change.account]
    if change.option is Doing.TOKENS:
        return [said for role in roles for host in role.hosts if host.id == change.subject for said in _untaken(host)]
    return [said for role in roles if role.role == change.subject for said in _by_v1(role)]


def _denied_by(one: Rehearsed, change: Change) -> Iterator[str]:
    if one.artifact.kind is not Kind.ROLE:
        return
    for role in one.roles:
        if (role.account, role.role) == (change.account, change.subject):
            calls = f"of {role.home.calls} recorded calls of role {role.role}"
            if role.home.denied:
                yield f"{role.home.denied} {calls} would have been denied"
            if role.home.unknown:
                yield f"of {role.home.unknown} {calls} nobody can say: it hangs on {', '.join(role.home.hangs_on)}"


def _untaken(host: Host) -> Iterator[str]:
    if host.v1 is not None:
        yield f"{host.v1.calls} recorded calls of instance {host.id} were made with keys that came by IMDSv1"
    if host.unknown_calls:
        yield f"of {host.unknown_calls} recorded calls of instance {host.id} nobody can say how their keys came"
    if host.container_signs and host.hop_limit <= 1:
        signs = ", ".join(host.container_signs)
        yield f"containers run on {host.id} ({signs}), and a token may not reach them: its hop limit must be 2 first"


def _by_v1(role: V1Role) -> Iterator[str]:
    if role.denied_calls:
        yield f"{role.denied_calls} recorded calls of role {role.role} were made with keys that came by IMDSv1"
    if role.unknown_calls:
        yield f"of {role.unknown_calls} recorded calls of role {role.role} nobody can say how their keys came"


def seen_in(source: Source, period: Period) -> dict[Covered, Seen] | None:
    """Which kinds of records a source holds; None for one that cannot be read twice."""
    if source.is_bound:
        return None
    found: dict[Covered, Seen] = {}
    for batch in source.batches():
        for portion in batch.portions:
            records = [*portion.records, *(record for record, _ in portion.mended)]
            for kind, seen in covered(one for one in records if period.holds(one.time)).items():
                found[kind] = joined(found.get(kind), seen)
    return found


def begun(where: str) -> list[Containment]:
    """What was begun by hardening and is not rolled back."""
    if is_missing(where):
        return []
    with casebook.opened(where) as store, store.reading() as connection:
        there = [one for one in journal.containments_for(connection, "") if one.finding.startswith(PREFIX)]
    return containment.standing(there)
