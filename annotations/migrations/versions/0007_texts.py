"""The texts that searches look in, with and without marks, in a table of their own."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from annotations.store.text_search import rows
from curation.record import messages_from_json

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BATCH = 5_000


def upgrade() -> None:
    """Create the table, fill it, and drop the columns that it takes the place of."""
    texts = op.create_table(
        "texts",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("sample_id", sa.Text, nullable=False),
        sa.Column("current", sa.Boolean, nullable=False),
        sa.Column("plain", sa.Text, nullable=False),
        sa.Column("marked", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_texts_sample", "texts", ["sample_id", "current"], unique=True)
    connection = op.get_bind()
    samples = sa.table("samples", sa.column("id"), sa.column("body"), sa.column("search_now"))
    last = ""
    while True:
        query = sa.select(samples).where(samples.c.id > last).order_by(samples.c.id).limit(_BATCH)
        found = connection.execute(query).all()
        if not found:
            break
        last = found[-1].id
        new = []
        for row in found:
            messages = messages_from_json(json.loads(row.body)["sample"]["messages"])
            new.append(rows(row.id, messages, current=False))
            if row.search_now:
                # The projection writes it again, with names, at the sample's next event.
                rewritten = messages_from_json([{"role": "user", "content": t} for t in row.search_now.split("\n")])
                new.append(rows(row.id, rewritten, current=True))
        connection.execute(sa.insert(texts), new)
    with op.batch_alter_table("samples") as table:
        table.drop_column("search")
        table.drop_column("search_now")


def downgrade() -> None:
    """Write the columns again from the table, and drop it."""
    op.add_column("samples", sa.Column("search", sa.Text, nullable=False, server_default=""))
    op.add_column("samples", sa.Column("search_now", sa.Text, nullable=False, server_default=""))
    for column, current in (("search", "NOT texts.current"), ("search_now", "texts.current")):
        op.execute(
            f"UPDATE samples SET {column} = coalesce((SELECT marked FROM texts WHERE texts.sample_id = samples.id "  # noqa: S608 (two fixed names)
            f"AND {current}), '')"
        )
    op.drop_table("texts")
