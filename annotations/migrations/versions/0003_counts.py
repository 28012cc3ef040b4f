"""An index from which the counts at the top of every page are read."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_samples_counts", "samples", ["queued", "kind", "status"])


def downgrade() -> None:
    """Drop it; the counts only take longer."""
    op.drop_index("ix_samples_counts", "samples")
