"""How two detectors fared, in figures: the contract of docs/evaluation.md."""

import msgspec

from straykey.formats.text import as_json


class TheftRow(msgspec.Struct, frozen=True):
    """One kind of theft, as `sim.score.Outcome` counts it.  `excluded` says why nothing is expected of a detector."""

    kind: str
    excluded: str | None
    stolen: int
    found: int
    type_right: int
    severity_right: int
    pivots: int
    pivots_right: int
    turned: int
    turned_right: int
    blamed: int
    lock2018_found: int
    lock2018_blamed: int


class ChangeRow(msgspec.Struct, frozen=True):
    """One kind of benign change, or the sessions nothing changed for."""

    kind: str
    changes: int
    sessions: int
    false_alarms: int
    lock2018_false_alarms: int


class Totals(msgspec.Struct, frozen=True):
    """`stolen` and `found` leave out excluded thefts; false alarms are those of all rows, victims' among them."""

    stolen: int
    found: int
    lock2018_found: int
    false_alarms: int
    lock2018_false_alarms: int
    innocent_sessions: int
    accused_sessions: int
    lock2018_accused_sessions: int


class Evaluated(msgspec.Struct, frozen=True):
    """`notices` are informational findings by type; `egress_moves_told` were told once each."""

    worlds: int
    records: int
    thefts: list[TheftRow]
    changes: list[ChangeRow]
    notices: dict[str, int]
    egress_moves: int
    egress_moves_told: int
    totals: Totals


def to_document(evaluated: Evaluated) -> str:
    return as_json(msgspec.to_builtins(evaluated), indent=2)
