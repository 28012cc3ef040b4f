"""The chat page and the character's portrait.

The page's words are in ``web/static/words/``, its behaviour in the modules beside that folder. What belongs to the
character (name, title, greetings, starters, notice) comes from the persona with the page, as text, never as HTML.
"""

from __future__ import annotations

import hashlib
import mimetypes
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from curation.persona import Persona
from serve.http.current import service
from serve.http.openapi import described

blueprint = Blueprint("page", __name__)

# The page has words in these languages; another language is a file in web/static/words/ and an entry here.
LANGUAGES = ("vi", "en")
TEMPLATE = "index.html"
# An SVG that is opened by itself is a document: it gets no scripts, no network and an origin of its own.
_PORTRAIT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

# On Windows the registry may call .js text/plain, and with `nosniff` a browser then refuses every module of the page.
blueprint.record(lambda _: mimetypes.add_type("text/javascript", ".js"))


@blueprint.get("/")
@described(None, "text/html")
def index() -> str:
    """Return the chat page; everything else that it does goes through the API."""
    place = request.environ.get("inosuke.character", "")
    shown = variables(service().persona, url_for("page.portrait"), service().portrait.mimetype, place)
    return render_template(TEMPLATE, **shown)


@blueprint.get("/portrait")
@described(None, "image/svg+xml", "image/png", "image/webp", "image/jpeg")
def portrait() -> Response:
    """Return the character's picture."""
    picture = service().portrait
    response = Response(picture.data, mimetype=picture.mimetype)
    response.headers["Content-Security-Policy"] = _PORTRAIT_POLICY
    response.headers["Cache-Control"] = "no-cache"  # asks again each time; unchanged, it is not sent again
    response.set_etag(hashlib.sha256(picture.data).hexdigest())
    response.make_conditional(request)
    return response


def variables(persona: Persona, portrait: str, portrait_type: str, place: str = "") -> dict[str, Any]:
    """Return what the template needs; ``portrait`` is the picture's address, ``place`` the character's name in it."""
    return {
        "title": persona.page.title or persona.name,
        "language": next((code for code in persona.languages if code in LANGUAGES), LANGUAGES[0]),
        "portrait_type": portrait_type,
        "persona": {
            "name": persona.name,
            # Where a server has several characters, each has conversations of its own in the visitor's browser.
            "place": place,
            "portrait": portrait,
            "languages": persona.languages,
            "greetings": persona.greetings,
            "starters": persona.page.starters,
            "notice": persona.page.notice,
        },
    }
