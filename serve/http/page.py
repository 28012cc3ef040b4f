"""The chat page. Its words are in ``web/static/i18n.js``, its behaviour in the modules beside it."""

from __future__ import annotations

import mimetypes

from flask import Blueprint, render_template

from serve.answering.service import service

blueprint = Blueprint("page", __name__)

# On Windows the registry may call .js text/plain, and with `nosniff` a browser then refuses every module of the page.
blueprint.record(lambda _: mimetypes.add_type("text/javascript", ".js"))


@blueprint.get("/")
def index() -> str:
    """Serve the page; everything else it does goes through the API."""
    return render_template("index.html", character=service().persona.name)
