"""The tables of the review store; ``migrations/`` creates and changes them.

``events`` is the source of truth: append-only, one row a :class:`curation.review.decisions.Decision`. ``samples`` is a
copy of the queue. Its last columns and ``passed`` are the projection of the events. Both can be rebuilt at any time.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text
from sqlalchemy.types import TypeDecorator

# The newest migration; a test compares it with the folder's. Kept here so that opening a store does not import Alembic.
HEAD = "0007"


class Words(TypeDecorator[str]):
    """A text from outside, with control characters escaped as in JSON.

    PostgreSQL refuses a NUL character in a text column, and a merged log may hold anything. One text has one escaped
    form, so comparing columns works; letters, Vietnamese ones too, stay readable in ``psql``.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Escape control characters."""
        if value is None or (value.isprintable() and '"' not in value and "\\" not in value):
            return value  # the usual case: an id, a name, a time
        return json.dumps(value, ensure_ascii=False)[1:-1]

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """Undo the escapes."""
        return json.loads(f'"{value}"') if value is not None and "\\" in value else value


metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", Words, nullable=False, unique=True),
    Column("sample_id", Words, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("messages", Text),
    Column("reason", Words, nullable=False),
    Column("annotator", Words, nullable=False),
    Column("client", Text, nullable=False),
    Column("time", Words, nullable=False),
    Column("panel", Integer, nullable=False),
    Column("after", Words),
    Column("batch", Words, nullable=False, server_default=""),
    Column("guidelines", Words, nullable=False, server_default=""),
    Column("seconds", Float(53), nullable=False, server_default="0"),
)
Index("ix_events_sample", events.c.sample_id, events.c.seq)
Index("ix_events_annotator", events.c.annotator, events.c.seq)
Index("ix_events_time", events.c.time)
# "Has this been undone?" is asked for every event of an annotator that `undo` looks at.
Index(
    "ix_events_undo",
    events.c.reason,
    sqlite_where=events.c.verdict == "undo",
    postgresql_where=events.c.verdict == "undo",
)
Index("ix_events_batch", events.c.batch, sqlite_where=events.c.batch != "", postgresql_where=events.c.batch != "")

samples = Table(
    "samples",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("language", Text),
    Column("source_path", Text, nullable=False),
    Column("flag_codes", Text, nullable=False),  # "|code|code|", for LIKE
    Column("speakers", Text, nullable=False),  # "|Tanjiro|Bạn|", for LIKE
    Column("cluster", Text),
    Column("body", Text, nullable=False),  # the QueueItem as JSON
    Column("rank", Integer, nullable=False),  # the order of work; see queue_table.py
    Column("panel_drawn", Integer, nullable=False),  # how many annotators persona.toml's [review] asks for
    Column("queued", Boolean, nullable=False),  # False once a later build no longer has it
    # The projection.
    Column("panel", Integer, nullable=False),  # how many annotators judge it, blind when 2 or more; see panels.py
    Column("status", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("conflicts", Integer, nullable=False),
)
# The next item is found by walking this index. Kind and language are in it so that filtering by them reads no wide row.
Index(
    "ix_samples_open",
    samples.c.queued,
    samples.c.status,
    samples.c.rank,
    samples.c.kind,
    samples.c.language,
    samples.c.panel,
)
Index("ix_samples_rank", samples.c.queued, samples.c.rank)
Index("ix_samples_cluster", samples.c.cluster)
# The header of every page counts by kind and status.
Index("ix_samples_counts", samples.c.queued, samples.c.kind, samples.c.status)

# What searches look in: see text_search.py. A text that changes gets a new number, which no other text ever had.
texts = Table(
    "texts",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("sample_id", Words, nullable=False),
    Column("current", Boolean, nullable=False),  # the last accepted rewrite; False is the imported text
    Column("plain", Text, nullable=False),  # case-folded and without marks
    Column("marked", Text, nullable=False),  # case-folded
    sqlite_autoincrement=True,
)
Index("ix_texts_sample", texts.c.sample_id, texts.c.current, unique=True)

# Part of the projection: annotators who are through with an open sample (they skipped it or gave a blind verdict).
passed = Table(
    "passed",
    metadata,
    Column("sample_id", Words, nullable=False),
    Column("annotator", Words, nullable=False),
    Column("voted", Boolean, nullable=False),
    PrimaryKeyConstraint("sample_id", "annotator"),
)

# Who has a sample open. `until` is seconds since 1970; a lease in the past has ended.
leases = Table(
    "leases",
    metadata,
    Column("sample_id", Words, nullable=False),
    Column("annotator", Words, nullable=False),
    Column("until", Float(53), nullable=False),
    PrimaryKeyConstraint("sample_id", "annotator"),
)
Index("ix_leases_annotator", leases.c.annotator)


def _drafts(name: str) -> Table:
    """Return a table of drafts. Rows move between the two."""
    return Table(
        name,
        metadata,
        Column("sample_id", Words, nullable=False),
        Column("annotator", Words, nullable=False),
        Column("revision", Integer, nullable=False),
        Column("messages", Text, nullable=False),
        Column("time", Text, nullable=False),
        PrimaryKeyConstraint("sample_id", "annotator"),
    )


drafts = _drafts("drafts")
# The last draft that an annotator discarded by name, so that the discard can be undone.
discarded_drafts = _drafts("discarded_drafts")

annotators = Table(
    "annotators",
    metadata,
    Column("name", Words, primary_key=True),
    Column("role", Text, nullable=False),
    Column("added", Text, nullable=False),
    Column("password", Text),  # a hash; None for sign-in by name or OIDC
)

# What the last synchronisation and the last load of the queue have seen.
meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

# Lines of the team's files in git (audits, choices; see annotations/team/books.py), each the JSON object `body`.
records = Table(
    "records",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", Words, nullable=False, unique=True),
    Column("book", Text, nullable=False),
    Column("time", Words, nullable=False),
    Column("body", Text, nullable=False),
)
Index("ix_records_book", records.c.book, records.c.seq)

# Whose work a sample is. A sample without a row is anyone's.
assignments = Table(
    "assignments",
    metadata,
    Column("sample_id", Words, nullable=False),
    Column("annotator", Words, nullable=False),
    Column("time", Text, nullable=False),
    PrimaryKeyConstraint("sample_id", "annotator"),
)
Index("ix_assignments_annotator", assignments.c.annotator)

# Samples with a known verdict on a text, which annotators judge without knowing it, and who was asked about them.
gold = Table(
    "gold",
    metadata,
    Column("sample_id", Words, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("messages", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("time", Text, nullable=False),
)
gold_asked = Table(
    "gold_asked",
    metadata,
    Column("sample_id", Words, nullable=False),
    Column("annotator", Words, nullable=False),
    Column("rank", Integer, nullable=False),  # the place in the queue at which the annotator was asked
    Column("event", Text),  # the answer, in the form of a line of the log; None until it is given
    Column("time", Text, nullable=False),
    PrimaryKeyConstraint("sample_id", "annotator"),
)
Index("ix_gold_asked_annotator", gold_asked.c.annotator)
