"""What monitoring asks for: ``/healthz``, ``/readyz`` and ``/metrics``; counts the refused requests."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST

from serve.http.current import service
from serve.http.openapi import described
from serve.http.responses import Health, Readiness, json_response

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/healthz")
@described(Health)
def healthz() -> Response:
    """Answer as soon as the process does."""
    return json_response(Health())


@blueprint.get("/readyz")
@described(Readiness, errors=[503])
def readyz() -> Response:
    """Answer once the engine has loaded and answered."""
    running, waiting = service().waiting_line.load
    return json_response(Readiness(running=running, waiting=waiting))


@blueprint.get("/metrics")
@described(None, "text/plain")
def metrics() -> Response:
    """Return the counters for Prometheus."""
    return Response(service().metrics.text(), content_type=CONTENT_TYPE_LATEST)


@blueprint.after_app_request
def count_refusals(response: Response) -> Response:
    """Count every refusal and failure but 404: a scanner asks for a thousand pages that do not exist."""
    if response.status_code in (400, 401, 403, 413, 429) or response.status_code >= 500:
        service().metrics.refused(response.status_code)
    return response
