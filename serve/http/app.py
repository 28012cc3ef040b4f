"""Builds the Flask application and puts its parts together.

Settings, all optional:

``ROOT``           the project's folder (default: the current one)
``RUN``            the name of a run under ``models/`` (the newest); several, in a list or a text with commas, are a
                   character each (:mod:`serve.http.several`)
``ENGINE``         a name from :data:`serve.engines.ENGINES`, or an engine object
                  (:mod:`serve.answering.engine_choice` chooses)
``GGUF``           a type of GGUF, for the engine ``llamacpp`` (the smallest without a loss in quality)
``URL``, ``MODEL`` for the engine ``openai``
``PERSONA``        a persona.toml or a Persona, for engines that do not serve a run
``CONTEXT``        tokens for prompt and reply together
``TEMPERATURE``, ``TOP_P``, ``TOP_K``, ``MIN_P``, ``REPETITION_PENALTY``  for requests that leave them out (what suits
                   the run's base, see :mod:`curation.bases`)
``WAITING``        how many requests may wait for their turn
``KEYS``, ``KEYS_FILE``  keys for clients: a list or a text with commas; a file with one a line (no key is needed)
``RATE``           messages a minute for each client; 0 for any number (0)
``RATE_STORE``     the Redis in which several servers count these together (each server counts by itself)
``PROXIES``        how many proxies in front of the server write X-Forwarded-For (0)
``FEEDBACK``       the folder for feedback, below ROOT; None keeps none (``datasets/feedback``)
``FEEDBACK_LIMIT`` how many MiB of feedback are kept at most (64)
``FEEDBACK_REPO``  a private dataset repository on the Hugging Face Hub to which feedback is pushed (none)
``METRICS_KEY``    the key for ``/metrics``; without one, ``/metrics`` is open on a server for this machine alone
``ACCESS_LOG``     whether to log each request: client, method, path, status and time (no)
``FEEDBACK_KEY``   the key with which feedback can be fetched (it cannot be fetched)
``HOSTS``          host names of this server, against DNS rebinding: a list or a text with commas; None, in the
                   environment ``*``, for any (this machine's names)
``SYSTEM``         system messages of clients under ``/v1``: ``ours`` (the character's alone), ``after`` (theirs after
                   it) or ``theirs`` (in its place) (``after``)
``CORS``           origins whose pages may use the API from a browser: a list or a text with commas (none)
``FRAME_ANCESTORS``  who may show the page in a frame, as in CSP (``'none'``)

Flask's own settings are accepted too. A setting that is not given is read from the environment, as
``INOSUKE_FRAME_ANCESTORS`` for example. :mod:`serve.config` checks them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from serve.answering.service import Choice, start
from serve.config import ServerConfig
from serve.feedback.pushing import Pusher
from serve.guard import access_log, browser, keys_and_rates
from serve.http import api, errors, feedback_api, llamacpp_api, monitoring, openai_api, openapi, page
from serve.schema import MAX_BODY

_FLASK: dict[str, Any] = {
    "MAX_CONTENT_LENGTH": MAX_BODY,
    "MAX_FORM_PARTS": 0,  # no route takes a form
}


def build(
    config: ServerConfig,
    flask: Mapping[str, Any] | None = None,
    limits: keys_and_rates.Limits | None = None,
    pusher: Pusher | None = None,
    later: int = 0,
    choice: Choice | None = None,
) -> Flask:
    """Return the application; ``flask`` are Flask's own settings.

    Others may share its limits and its pusher; ``later`` of them are loaded after it. ``choice`` is what it serves,
    where that was chosen already.

    Raises InosukeError when what the settings ask for cannot be served.
    """
    app = guarded(start(config, pusher, later, choice), config, flask or {}, limits)
    for part in (page, api, openai_api, llamacpp_api, feedback_api, monitoring, openapi):
        app.register_blueprint(part.blueprint)
    return app


def guarded(
    serving: Any, config: ServerConfig, flask: Mapping[str, Any], limits: keys_and_rates.Limits | None
) -> Flask:
    """Return an application without routes, whose requests are checked and whose errors are JSON.

    ``serving`` is what its routes serve.
    """
    app = Flask("serve", template_folder="web/templates", static_folder="web/static")
    app.config.from_mapping(_FLASK)
    app.config.from_prefixed_env("INOSUKE")
    app.config.from_mapping(flask)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions["inosuke"] = serving
    browser.protect(app, config)
    if config.access_log:
        access_log.add(app)
    keys_and_rates.protect(app, config, limits)
    errors.register(app)
    if config.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxies)  # type: ignore[method-assign]
    return app
