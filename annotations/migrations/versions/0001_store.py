"""The first store: events, the queue's samples with their projection, leases, drafts, annotators."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("messages", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
        sa.Column("panel", sa.Integer, nullable=False),
    )
    op.create_index("ix_events_sample", "events", ["sample_id", "seq"])
    op.create_index("ix_events_annotator", "events", ["annotator", "seq"])
    op.create_index("ix_events_time", "events", ["time"])
    undo = sa.text("verdict = 'undo'")
    op.create_index("ix_events_undo", "events", ["reason"], sqlite_where=undo, postgresql_where=undo)

    op.create_table(
        "samples",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("source_path", sa.Text, nullable=False),
        sa.Column("flag_codes", sa.Text, nullable=False),
        sa.Column("speakers", sa.Text, nullable=False),
        sa.Column("search", sa.Text, nullable=False),
        sa.Column("cluster", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("panel", sa.Integer, nullable=False),
        sa.Column("queued", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("conflicts", sa.Integer, nullable=False),
        sa.Column("search_now", sa.Text, nullable=False),
    )
    op.create_index("ix_samples_open", "samples", ["queued", "status", "rank", "kind", "language", "panel"])
    op.create_index("ix_samples_rank", "samples", ["queued", "rank"])
    op.create_index("ix_samples_cluster", "samples", ["cluster"])

    op.create_table(
        "passed",
        sa.Column("sample_id", sa.Text, primary_key=True),
        sa.Column("annotator", sa.Text, primary_key=True),
        sa.Column("voted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("sample_id", sa.Text, primary_key=True),
        sa.Column("annotator", sa.Text, primary_key=True),
        sa.Column("until", sa.Float(53), nullable=False),
    )
    op.create_index("ix_leases_annotator", "leases", ["annotator"])
    op.create_table(
        "drafts",
        sa.Column("sample_id", sa.Text, primary_key=True),
        sa.Column("annotator", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("messages", sa.Text, nullable=False),
        sa.Column("time", sa.Text, nullable=False),
    )
    op.create_table(
        "annotators",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("added", sa.Text, nullable=False),
    )
    op.create_table("meta", sa.Column("key", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))


def downgrade() -> None:
    """Drop every table. The events go with them: write the log first (`inosuke review sync`)."""
    for table in ("meta", "annotators", "drafts", "leases", "passed", "samples", "events"):
        op.drop_table(table)
