"""Comments on annotations, where the server's edition has them. A pull keeps each as a note."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

from annotations.labelstudio.connection import LabelStudioError, explained
from annotations.labelstudio.project import Project
from annotations.labelstudio.results import Comment

# How an edition without comments answers, and a server whose token's owner may not read them.
_NONE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.FORBIDDEN)


def comments_on(project: Project, annotation: int) -> Iterator[Comment]:
    """Yield the comments on an annotation, oldest first; none where the server has no such thing."""
    try:
        with explained(project.server):
            listed = project.client.comments.list(annotation=annotation)
    except LabelStudioError as error:
        if error.status in _NONE:
            return
        raise
    for found in sorted(listed, key=lambda c: c.id or 0):
        text = (found.text or "").strip()
        if found.id is None or not text:
            continue
        author = found.created_by
        user = author if isinstance(author, int) else getattr(author, "id", None)
        yield Comment(found.id, text, user, (found.created_at or datetime.now(UTC)).astimezone(UTC))
