"""What watching needs: revisions, findings and what became of them, the outbox, troubles, coverage, workers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NOTHING = sa.text("0")


def upgrade() -> None:
    for table in ("sessions", "facts"):
        op.add_column(table, sa.Column("revision", sa.BigInteger, nullable=False, server_default=_NOTHING))
        op.create_index(f"{table}_revision", table, ["revision"])
    op.add_column("sessions", sa.Column("ends", sa.String(20), nullable=False, server_default=""))
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO clock (id, revision, epoch) VALUES (1, 0, 0)")
    for name, key in (("findings", "id"), ("rules", "id")):
        op.create_table(
            name,
            sa.Column(key, sa.String(32), primary_key=True),
            sa.Column("revision", sa.BigInteger, nullable=False),
            sa.Column("document", sa.LargeBinary, nullable=False),
        )
        op.create_index(f"{name}_revision", name, ["revision"])
    op.create_table(
        "hidden",
        sa.Column("rule", sa.String(32), primary_key=True),
        sa.Column("finding", sa.String(32), primary_key=True),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("sink", sa.String(64), nullable=False),
        sa.Column("finding", sa.String(32), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due", sa.String(20), nullable=False),
        sa.Column("posted", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reason", sa.LargeBinary, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("sink", "key", name="outbox_once"),
    )
    op.create_index("outbox_state", "outbox", ["state", "sink", "id"])
    op.create_table(
        "troubles",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "coverage",
        sa.Column("account", sa.String(12), primary_key=True),
        sa.Column("region", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(32), primary_key=True),
        sa.Column("first", sa.String(20), nullable=False),
        sa.Column("last", sa.String(20), nullable=False),
    )
    for name in ("workers", "positions"):
        op.create_table(
            name,
            sa.Column("name", sa.String(128), primary_key=True),
            sa.Column("document", sa.LargeBinary, nullable=False),
        )
