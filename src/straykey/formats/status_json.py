"""How watching gets on, as JSON: the contract of docs/findings.md.  Unknown is null."""

import msgspec

from straykey.formats.text import as_json


class WorkerState(msgspec.Struct, frozen=True):
    """A process that watches, as of its last commit; one that is stale has committed nothing for a minute."""

    name: str
    is_stale: bool
    began: str
    at: str
    records: int
    objects: int
    newest: str | None
    last_object: str | None
    records_per_second: float
    backlog: int | None


class TroubleState(msgspec.Struct, frozen=True):
    """What could not be read, or not all of it."""

    name: str
    state: str
    reason: str
    tries: int
    first: str
    last: str


class SinkState(msgspec.Struct, frozen=True):
    """What waits for a sink, was handed over, and was given up; `reason` is the latest refusal of what is not there."""

    name: str
    waiting: int
    delivered: int
    parked: int
    oldest_waiting: str | None
    reason: str | None


class CoverageState(msgspec.Struct, frozen=True):
    """By kind of record, when the first and the last were made of those seen of an account and region."""

    account: str
    region: str
    seen: dict[str, tuple[str, str]]


class GapState(msgspec.Struct, frozen=True):
    """What is not seen of some accounts, and what follows from it."""

    code: str
    text: str
    accounts: list[str]


class Condition(msgspec.Struct, frozen=True):
    """All of it, as of `now`.  `findings` counts them by status and severity; `rules` are about to expire."""

    now: str
    newest_record: str | None
    newest_record_seconds: int | None
    last_commit: str | None
    last_commit_seconds: int | None
    records_per_second: float
    backlog: int | None
    last_object: str | None
    sessions: int
    workers: list[WorkerState]
    findings: dict[str, dict[str, int]]
    rules: list[dict[str, object]]
    sinks: list[SinkState]
    troubles_count: dict[str, int]
    troubles: list[TroubleState]
    coverage: list[CoverageState]
    gaps: list[GapState]


def to_document(condition: Condition) -> str:
    return as_json(msgspec.to_builtins(condition), indent=2)
