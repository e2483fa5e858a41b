"""The tables, as the newest version of the program has them; `migrations` brings older ones here.

What comes from a log is never a key, and never text: it may be longer than an index takes, and hold what a database
refuses.  Keys are digests, and the rest is bytes.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

_DIGEST = String(32)
_TIME = String(20)  # in the form of `core.moment`
_NUMBER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only plain integers by itself

metadata = MetaData()


def _revision() -> Column[int]:
    """In which transaction a row was written last: whoever knows all up to there reads on from there."""
    return Column("revision", BigInteger, nullable=False, server_default=text("0"), index=True)


# One row: how many transactions wrote, and how often sessions left.
clock = Table(
    "clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", _DIGEST, primary_key=True),  # of the session's ARN
    Column("evidence", LargeBinary, nullable=False),
    Column("ends", _TIME, nullable=False, server_default=""),  # when its last key expires, or it called last
    _revision(),
)

# What EC2 granted and what was made with keys: a bounded set for each subject.
facts = Table(
    "facts",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("subject", _DIGEST, primary_key=True),  # digest
    Column("key", _DIGEST, primary_key=True),
    Column("fact", LargeBinary, nullable=False),
    _revision(),
)

accounts = Table("accounts", metadata, Column("account", String(12), primary_key=True))

# Objects that were folded: to fold one again would change nothing, but cost as much.
objects = Table(
    "objects",
    metadata,
    Column("digest", _DIGEST, primary_key=True),  # of its bucket, its key and its version
    Column("folded", _TIME, nullable=False),  # when
)

findings = Table(
    "findings",
    metadata,
    Column("id", _DIGEST, primary_key=True),
    _revision(),
    Column("document", LargeBinary, nullable=False),
)

# What a person wants to be told no more, until a day.
rules = Table(
    "rules",
    metadata,
    Column("id", _DIGEST, primary_key=True),
    _revision(),
    Column("document", LargeBinary, nullable=False),
)

# Which findings a rule ever hid: to be counted.
hidden = Table(
    "hidden",
    metadata,
    Column("rule", _DIGEST, primary_key=True),
    Column("finding", _DIGEST, primary_key=True),
)

# What sinks are to be told, and what they were.
outbox = Table(
    "outbox",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("sink", String(64), nullable=False),
    Column("finding", _DIGEST, nullable=False),
    Column("key", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due", _TIME, nullable=False),
    Column("posted", _TIME, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", LargeBinary, nullable=False),
    Column("document", LargeBinary, nullable=False),
    UniqueConstraint("sink", "key", name="outbox_once"),
    Index("outbox_state", "state", "sink", "id"),
)

# Objects and messages that could not be read, or not all of them.
troubles = Table(
    "troubles",
    metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# Of which accounts, regions and kinds records were seen, and when the first and the last of them were made.
coverage = Table(
    "coverage",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("region", String(32), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("first", _TIME, nullable=False),
    Column("last", _TIME, nullable=False),
)

# What each process that watches did last.
workers = Table(
    "workers",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

# How far a source was read that does not say so itself.
positions = Table(
    "positions",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

# What was done in an account to lock a thief out.
containments = Table(
    "containments",
    metadata,
    Column("id", _DIGEST, primary_key=True),
    Column("finding", _DIGEST, nullable=False, index=True),
    Column("option", String(32), nullable=False),
    Column("phase", String(16), nullable=False),
    Column("begun", _TIME, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

# Each step of it, with what undoes it: written before the step is done.
steps = Table(
    "steps",
    metadata,
    Column("containment", _DIGEST, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("undo", LargeBinary, nullable=False),
    Column("found", LargeBinary, nullable=False),
)
