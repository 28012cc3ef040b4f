"""Builds the Flask application and puts its parts together.

Configuration keys, all optional:

``ROOT``           the project's folder (the current one)
``RUN``            the name of a run under ``models/`` (the newest)
``ENGINE``         a name from :data:`serve.engines.ENGINES`, or an engine object (:mod:`serve.choice` chooses)
``GGUF``           a type of GGUF, for the engine ``llamacpp`` (the smallest that costs no words)
``URL``, ``MODEL`` for the engine ``openai``
``PERSONA``        a persona.toml or a Persona, for engines that do not serve a run
``CONTEXT``        tokens for prompt and reply together
``WAITING``        how many people may wait for their turn
``HOSTS``          names this server may be called by, against DNS rebinding; None for any (this machine's names)
``FRAME_ANCESTORS``  who may show the page in a frame, as in CSP (``'none'``)

Any key that Flask itself knows may be given, too; a key that is not given is looked for in the environment, as
``INOSUKE_FRAME_ANCESTORS`` for example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from serve import api, page, security
from serve.schema import MAX_BODY
from serve.service import start

LOOPBACK = ("localhost", "127.0.0.1", "::1")

_DEFAULTS: dict[str, Any] = {
    "ROOT": ".",
    "RUN": None,
    "ENGINE": None,
    "GGUF": None,
    "URL": None,
    "MODEL": None,
    "PERSONA": "persona.toml",
    "CONTEXT": None,
    "WAITING": 16,
    "HOSTS": LOOPBACK,
    "FRAME_ANCESTORS": "'none'",
    "MAX_CONTENT_LENGTH": MAX_BODY,
    "MAX_FORM_PARTS": 0,  # no route takes a form
}


def build(config: Mapping[str, Any]) -> Flask:
    """Return the application. Raises InosukeError when what it is asked to serve cannot be served."""
    app = Flask(__name__, template_folder="web/templates", static_folder="web/static")
    app.config.from_mapping(_DEFAULTS)
    app.config.from_prefixed_env("INOSUKE")
    app.config.from_mapping(config)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["inosuke"] = start(app.config)
    security.protect(app)
    app.register_blueprint(page.blueprint)
    app.register_blueprint(api.blueprint)
    api.register_errors(app)
    return app
