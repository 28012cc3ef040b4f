"""Hashed passwords, for a desk that is open to more than its own computer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; names that are there have no password."""
    op.add_column("annotators", sa.Column("password", sa.Text))


def downgrade() -> None:
    """Drop the column, and the passwords with it."""
    with op.batch_alter_table("annotators") as table:
        table.drop_column("password")
