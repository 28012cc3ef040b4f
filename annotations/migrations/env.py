"""Alembic's entry: runs the migrations on the connection that the store hands over, or on ``-x url=…``."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from annotations.store.schema import metadata


def _run(connection: Connection, **options: Any) -> None:
    # Batch mode: SQLite cannot alter a column in place, Alembic copies the table instead.
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, **options)
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    engine = create_engine(context.get_x_argument(as_dictionary=True)["url"])
    with engine.begin() as own:
        _run(own)
