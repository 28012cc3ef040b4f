"""Builds the Flask application and puts its parts together.

Configuration keys, all optional:

``ROOT``           the project's folder (the current one)
``RUN``            the name of a run under ``models/`` (the newest)
``ENGINE``         a name from :data:`serve.engines.ENGINES`, or an engine object
                  (:mod:`serve.answering.engine_choice` chooses)
``GGUF``           a type of GGUF, for the engine ``llamacpp`` (the smallest that costs no words)
``URL``, ``MODEL`` for the engine ``openai``
``PERSONA``        a persona.toml or a Persona, for engines that do not serve a run
``CONTEXT``        tokens for prompt and reply together
``WAITING``        how many people may wait for their turn
``KEYS``, ``KEYS_FILE``  keys that let people in: a list or a text with commas; a file with one a line (nobody is asked)
``RATE``           messages a minute for each client; 0 for any number (0)
``PROXIES``        how many proxies in front write X-Forwarded-For (0)
``FEEDBACK``       the folder for feedback, below ROOT; None keeps none (``datasets/feedback``)
``FEEDBACK_KEY``   who knows it may fetch the feedback (nobody)
``HOSTS``          names this server may be called by, against DNS rebinding: a list or a text with commas; None, in the
                   environment ``*``, for any (this machine's names)
``FRAME_ANCESTORS``  who may show the page in a frame, as in CSP (``'none'``)

Any key that Flask itself knows may be given, too; a key that is not given is looked for in the environment, as
``INOSUKE_FRAME_ANCESTORS`` for example. :mod:`serve.config` checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from serve import config as settings
from serve.answering.service import start
from serve.guard import browser, keys_and_rates
from serve.http import api, errors, feedback_api, openai_api, openapi, page
from serve.schema import MAX_BODY

_FLASKS: dict[str, Any] = {
    "MAX_CONTENT_LENGTH": MAX_BODY,
    "MAX_FORM_PARTS": 0,  # no route takes a form
}


def build(config: Mapping[str, Any]) -> Flask:
    """Return the application. Raises InosukeError when what it is asked to serve cannot be served.

    A setting with a wrong value is a UsageError that names it.
    """
    app = Flask("serve", template_folder="web/templates", static_folder="web/static")
    app.config.from_mapping(_FLASKS)
    # Flask reads a variable as JSON, so a run called 2026 would become a number: ours are read over it.
    app.config.from_prefixed_env("INOSUKE")
    app.config.from_mapping(settings.whole(config))
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["inosuke"] = start(app.config)
    browser.protect(app)
    keys_and_rates.protect(app)
    for part in (page, api, openai_api, feedback_api, openapi):
        app.register_blueprint(part.blueprint)
    errors.register(app)
    if app.config["PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=app.config["PROXIES"])  # type: ignore[method-assign]
    return app
