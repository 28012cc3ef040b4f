"""What an event's annotator had seen, its batch, guidelines and time; and drafts that were discarded by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BATCHED = sa.text("batch <> ''")


def upgrade() -> None:
    """Add the columns at the values that events without them mean, and the table of discarded drafts."""
    op.add_column("events", sa.Column("after", sa.Text))
    op.add_column("events", sa.Column("batch", sa.Text, nullable=False, server_default=""))
    op.add_column("events", sa.Column("guidelines", sa.Text, nullable=False, server_default=""))
    op.add_column("events", sa.Column("seconds", sa.Float(53), nullable=False, server_default="0"))
    op.create_index("ix_events_batch", "events", ["batch"], sqlite_where=_BATCHED, postgresql_where=_BATCHED)
    op.create_table(
        "discarded_drafts",
        sa.Column("sample_id", sa.Text, primary_key=True),
        sa.Column("annotator", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("messages", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them. The log's file keeps the events' columns: write it first (`inosuke review sync`)."""
    op.drop_table("discarded_drafts")
    op.drop_index("ix_events_batch", "events")
    with op.batch_alter_table("events") as table:
        for column in ("seconds", "guidelines", "batch", "after"):
            table.drop_column(column)
