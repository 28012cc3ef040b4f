"""``/api/feedback``: visitors give feedback, with consent only, and `inosuke feedback pull` fetches it for the owner.

:mod:`serve.feedback.inbox` keeps it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort
from pydantic import BaseModel, ConfigDict

from serve.feedback.inbox import FeedbackIn, InboxFull
from serve.guard.keys_and_rates import given_key
from serve.http.current import json_body, service
from serve.http.errors import problem
from serve.http.openapi import described
from serve.schema import validated

blueprint = Blueprint("feedback", __name__)

NO_CONSENT = (
    'feedback is only kept with consent: send `"consent": true` once the visitor has agreed that this reply, and the '
    "message before it, are stored."
)
_OFF = "this server keeps no feedback. Its owner switches that on by leaving --no-feedback out."


class _Consent(BaseModel):
    """Read first and alone: without consent, nothing else of the request is looked at."""

    model_config = ConfigDict(extra="ignore")

    consent: Any = None


@blueprint.post("/api/feedback")
@described(body=FeedbackIn, errors=[404, 507])
def give() -> Response | tuple[str, int]:
    """Keep a visitor's feedback on one reply, with consent only."""
    inbox = service().feedback
    if inbox is None:
        abort(404, _OFF)
    data = json_body()
    if validated(_Consent, data).consent is not True:
        abort(403, NO_CONSENT)
    feedback = validated(FeedbackIn, data)
    try:
        inbox.add(feedback)
    except InboxFull as error:
        return problem("feedback_full", str(error), 507)
    service().metrics.feedback_received("better" if feedback.better else feedback.rating or "withdrawn")
    return "", 204


@blueprint.get("/api/feedback")
@described(None, "application/x-ndjson", errors=[403, 404])
def fetch() -> Response:
    """Return the feedback to the owner, who has the key for it."""
    serving = service()
    if serving.feedback is None or not serving.feedback_keys:
        abort(404, "this server hands out no feedback: its owner has not set INOSUKE_FEEDBACK_KEY.")
    if not serving.feedback_keys.knows(given_key()):
        abort(403, "only the owner of this server can fetch feedback: expected INOSUKE_FEEDBACK_KEY as the key.")
    return Response(serving.feedback.read(), mimetype="application/x-ndjson")
