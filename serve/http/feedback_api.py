"""``/api/feedback``: visitors give it, with consent only.

The owner fetches it. :mod:`serve.feedback.inbox` keeps it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort
from pydantic import BaseModel, ConfigDict

from serve.answering.service import service
from serve.feedback.inbox import FeedbackIn
from serve.guard.keys_and_rates import given_key
from serve.http.api import json_body

blueprint = Blueprint("feedback", __name__)

NO_CONSENT = (
    'feedback is only kept with consent: send `"consent": true` once the person has agreed that this reply, and what '
    "they said before it, is stored."
)
_OFF = "this server keeps no feedback. Its owner switches that on by leaving --no-feedback out."


class _Consent(BaseModel):
    """Read first and alone: without it, nothing else of the request is even looked at."""

    model_config = ConfigDict(extra="ignore")

    consent: Any = None


@blueprint.post("/api/feedback")
def give() -> tuple[str, int]:
    """Keep one visitor's word on one reply."""
    box = service().feedback
    if box is None:
        abort(404, _OFF)
    data = json_body()
    if _Consent.model_validate_json(data).consent is not True:
        abort(403, NO_CONSENT)
    feedback = FeedbackIn.model_validate_json(data)
    box.put(feedback)
    service().metrics.told("better" if feedback.better else feedback.rating or "taken back")
    return "", 204


@blueprint.get("/api/feedback")
def take() -> Response:
    """Hand the lines to the owner, who knows the key for it; `inosuke feedback pull` asks here."""
    serving = service()
    if serving.feedback is None or not serving.feedback_keys:
        abort(404, "this server hands out no feedback: its owner has set no INOSUKE_FEEDBACK_KEY.")
    if not serving.feedback_keys.knows(given_key()):
        abort(403, "feedback is handed to the owner of this server only: expected INOSUKE_FEEDBACK_KEY as the key.")
    return Response(serving.feedback.read(), mimetype="application/x-ndjson")
