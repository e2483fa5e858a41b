"""The ledger: evidence, facts, accounts, and which objects were folded."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("subject", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("fact", sa.LargeBinary, nullable=False),
    )
    op.create_table("accounts", sa.Column("account", sa.String(12), primary_key=True))
    op.create_table(
        "objects",
        sa.Column("digest", sa.String(32), primary_key=True),
        sa.Column("folded", sa.String(20), nullable=False),
    )
