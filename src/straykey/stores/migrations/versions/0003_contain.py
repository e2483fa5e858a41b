"""What containing keeps: each one that was begun, and its steps with what undoes them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "containments",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("finding", sa.String(32), nullable=False),
        sa.Column("option", sa.String(32), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("begun", sa.String(20), nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_containments_finding", "containments", ["finding"])
    op.create_table(
        "steps",
        sa.Column("containment", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("undo", sa.LargeBinary, nullable=False),
        sa.Column("found", sa.LargeBinary, nullable=False),
    )
