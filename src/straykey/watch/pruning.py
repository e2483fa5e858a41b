"""Forgets what nobody will ask for any more, so that the store grows with what is found and not with time."""

from straykey.core.moment import later
from straykey.stores import evidence, outbox, progress, troubles
from straykey.stores.sql import SqlStore

_DAY_SECONDS = 86_400
_DELIVERED_DAYS = 7
_SILENT_DAYS = 1
# Longer than a queue keeps a message, and than a bucket is looked back at by a process that begins anew.
_FOLDED_DAYS = 90
_TROUBLE_DAYS = 90
_MOST_TROUBLES = 10_000


def prune(store: SqlStore, now: str) -> None:
    """Findings, rules, coverage and positions stay; so does what sinks have not taken."""

    def before(days: int) -> str:
        return later(now, -days * _DAY_SECONDS)

    with store.writing() as writing:
        connection = writing.connection
        outbox.prune(connection, before(_DELIVERED_DAYS))
        progress.prune_workers(connection, before(_SILENT_DAYS))
        evidence.prune_marks(connection, before(_FOLDED_DAYS))
        troubles.prune(connection, before(_TROUBLE_DAYS), _MOST_TROUBLES)
