"""What a team keeps beside the log: records in git (audits, choices), assignments, gold items and their answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    op.create_table(
        "records",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("book", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_records_book", "records", ["book", "seq"])
    op.create_table(
        "assignments",
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sample_id", "annotator"),
    )
    op.create_index("ix_assignments_annotator", "assignments", ["annotator"])
    op.create_table(
        "gold",
        sa.Column("sample_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("messages", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
    )
    op.create_table(
        "gold_asked",
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("event", sa.Text),
        sa.Column("time", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sample_id", "annotator"),
    )
    op.create_index("ix_gold_asked_annotator", "gold_asked", ["annotator"])


def downgrade() -> None:
    """Drop them. Records that were synchronised stay in their files; assignments and gold items are lost."""
    for table in ("gold_asked", "gold", "assignments", "records"):
        op.drop_table(table)
