"""The tables, as the newest version of the program has them; `migrations` brings older ones here.

What comes from a log is never a key, and never text: it may be longer than an index takes, and hold what a database
refuses.  Keys are digests, and the rest is bytes.
"""

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

_DIGEST = String(32)

metadata = MetaData()

sessions = Table(
    "sessions",
    metadata,
    Column("digest", _DIGEST, primary_key=True),  # of the session's ARN
    Column("evidence", LargeBinary, nullable=False),
)

# What EC2 granted and what was made with keys: a bounded set for each subject.
facts = Table(
    "facts",
    metadata,
    Column("kind", String(8), primary_key=True),
    Column("subject", _DIGEST, primary_key=True),  # digest
    Column("key", _DIGEST, primary_key=True),
    Column("fact", LargeBinary, nullable=False),
)

accounts = Table("accounts", metadata, Column("account", String(12), primary_key=True))

# Objects that were folded: to fold one again would change nothing, but cost as much.
objects = Table(
    "objects",
    metadata,
    Column("digest", _DIGEST, primary_key=True),  # of its bucket, its key and its version
    Column("folded", String(20), nullable=False),  # when
)
