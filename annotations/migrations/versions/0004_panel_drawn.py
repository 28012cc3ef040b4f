"""The panel that persona.toml draws for a sample, beside the one that counts (its votes may ask for more)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column with what ``panel`` held until now."""
    op.add_column("samples", sa.Column("panel_drawn", sa.Integer, nullable=False, server_default="1"))
    op.execute("UPDATE samples SET panel_drawn = panel")


def downgrade() -> None:
    """Drop the column; ``panel`` goes back to what persona.toml draws."""
    op.execute("UPDATE samples SET panel = panel_drawn")
    with op.batch_alter_table("samples") as table:
        table.drop_column("panel_drawn")
