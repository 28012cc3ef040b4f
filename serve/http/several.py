"""One server for several runs: each character has its page and its API below ``/NAME/``, as if it were alone there.

``NAME`` is the model's id under ``/v1`` (`inosuke`). At the root are a page that lists the characters, their room
(:mod:`serve.http.rooms`), ``/v1`` with the models of all of them, and what monitoring asks for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, redirect, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST

from curation.errors import UsageError
from curation.persona import Persona
from serve.answering import one_base
from serve.answering.metrics import Metrics, Together
from serve.answering.service import Service, choose, pusher_for
from serve.config import ServerConfig
from serve.feedback.pushing import Pusher
from serve.guard.keys_and_rates import Limits
from serve.http import app as one
from serve.http import errors, openai_api, rooms
from serve.http import openai_responses as shapes
from serve.http.openapi import described, document
from serve.http.page import LANGUAGES
from serve.http.responses import Health, Readiness, json_response
from serve.schema import MAX_BODY

blueprint = Blueprint("several", __name__)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
# Requests that name a character in their body, as `model`.
_BY_MODEL = ("/v1/chat/completions", "/v1/completions")
_TAKEN = ("api", "health", "healthz", "metrics", "readyz", rooms.PATH, "static", "v1")
# Not in the root's description: redirects, and what a character's own /NAME/openapi.json describes.
_UNDESCRIBED = ("several.without_slash", "rooms.without_slash", "several.no_such_model")
_NOTICES = {
    "vi": "Một mô hình ngôn ngữ đóng vai nhân vật này.",
    "en": "A language model plays this character.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Characters:
    """What the routes at the root share: the service of each character by its name, and what all of them share."""

    config: ServerConfig
    services: Mapping[str, Service]
    metrics: Together
    pusher: Pusher | None
    chosen: tuple[str, ...]


def build(config: ServerConfig, flask: Mapping[str, Any] | None = None) -> Flask:
    """Return the application for the run or the runs that the settings name. Raises as :func:`serve.http.app.build`."""
    configs = config.each_run()
    return one.build(configs[0], flask) if len(configs) == 1 else together(configs, flask or {})


def together(configs: Sequence[ServerConfig], flask: Mapping[str, Any]) -> Flask:
    """Return one application for several characters. They are loaded one after the other, where possible on one base.

    Raises UsageError where two of them have one name, or one has the name of a path at the root.
    """
    server = Metrics(lambda: (0, 0))
    pusher = pusher_for(configs[0], server)
    chosen = [pusher.start()] if pusher else []
    limits = Limits(configs[0])
    apps: dict[str, Flask] = {}
    choices, told = one_base.share([choose(config) for config in configs], configs[0].gguf)
    chosen += told
    for later, config, choice in zip(reversed(range(len(configs))), configs, choices, strict=True):
        app = one.build(config, flask, limits, pusher, later, choice)
        service: Service = app.extensions["inosuke"]
        name = shapes.model_id(service.persona)
        if name in apps or name in _TAKEN:
            why = "another run has it too" if name in apps else "the server itself uses it"
            raise UsageError(
                f"the character {service.persona.name} would be at /{name}/, and {why}. Change `name` in the "
                "persona.toml of one run, or serve them from two servers."
            )
        apps[name] = app
        chosen += [*service.chosen, f"/{name}/ is {service.persona.name}"]
    services: dict[str, Service] = {name: app.extensions["inosuke"] for name, app in apps.items()}
    serving = Characters(
        config=configs[0],
        services=services,
        metrics=Together({name: service.metrics for name, service in services.items()}, server),
        pusher=pusher,
        chosen=tuple(chosen),
    )
    root = one.guarded(serving, configs[0], flask, limits)
    root.register_blueprint(blueprint)
    root.register_blueprint(rooms.blueprint)
    root.wsgi_app = _Mounted(root.wsgi_app, {name: app.wsgi_app for name, app in apps.items()})  # type: ignore[method-assign]
    return root


class _Mounted:
    """Hands a request to the character whose path, or whose model, it names; any other to the root."""

    def __init__(self, root: Wsgi, characters: Mapping[str, Wsgi]) -> None:
        self._root, self._characters = root, characters

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        name, slash, rest = path[1:].partition("/")
        if name in self._characters and slash:
            environ["inosuke.character"] = name
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{name}"
            environ["PATH_INFO"] = f"/{rest}"
            return self._characters[name](environ, start_response)
        if environ.get("REQUEST_METHOD") == "POST" and path in _BY_MODEL:
            return self._by_model(environ)(environ, start_response)
        if environ.get("REQUEST_METHOD") == "GET" and path == "/api/feedback":  # one folder for all of them
            return next(iter(self._characters.values()))(environ, start_response)
        return self._root(environ, start_response)

    def _by_model(self, environ: dict[str, Any]) -> Wsgi:
        first = next(iter(self._characters.values()))
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY:
            return first  # refuses it, as it does alone
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            return first
        model = asked.get("model") if isinstance(asked, dict) else None
        return self._characters.get(model, self._root) if isinstance(model, str) else self._root


def _serving() -> Characters:
    found: Characters = current_app.extensions["inosuke"]
    return found


@blueprint.get("/")
@described(None, "text/html")
def index() -> Response:
    """Return the page that lists the characters."""
    asked = request.args.get("language")
    language = asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    services = _serving().services
    listed = [
        {
            "place": name,
            "name": service.persona.name,
            "greeting": _greeting(service.persona, language),
            "notice": _notice(service.persona, language),
        }
        for name, service in services.items()
    ]
    meeting = [one for one in listed if one["place"] in rooms.willing(services)]
    other = next(code for code in LANGUAGES if code != language)
    shown = {"language": language, "other": other, "characters": listed, "room": rooms.PATH, "meeting": meeting}
    response = Response(render_template("characters.html", **shown))
    response.vary.add("Accept-Language")
    return response


@blueprint.get("/<name>")
def without_slash(name: str) -> Any:
    """Lead to a character whose address lacks the slash at its end."""
    if name not in _serving().services:
        return errors.problem("not_found", f"there is no /{name} here. Expected one of {_addresses()}.", 404)
    return redirect(f"{name}/", 308)


@blueprint.get("/v1/models")
@described(shapes.Models)
def models() -> Response:
    """List the model of each character."""
    return json_response(shapes.Models(data=[openai_api.describe(each) for each in _serving().services.values()]))


@blueprint.get("/v1/models/<path:name>")
@described(shapes.Model, errors=(404,))
def model(name: str) -> Response:
    """Describe the model of a character."""
    found = _serving().services.get(name)
    return json_response(openai_api.describe(found)) if found else _no_model(name)


@blueprint.post("/v1/chat/completions")
@blueprint.post("/v1/completions")
def no_such_model() -> Response:
    """Refuse a request that names no character; all others have gone to theirs."""
    body = request.get_json(silent=True)
    return _no_model(body.get("model") if isinstance(body, dict) else None)


@blueprint.get("/healthz")
@described(Health)
def healthz() -> Response:
    """Answer as soon as the process does."""
    return json_response(Health())


@blueprint.get("/health")
@described(Health)
def health() -> Response:
    """Answer clients of llama.cpp's server."""
    return json_response(Health())


@blueprint.get("/readyz")
@described(Readiness)
def readyz() -> Response:
    """Answer once every character has been loaded."""
    loads = [service.waiting_line.load for service in _serving().services.values()]
    return json_response(Readiness(running=sum(load[0] for load in loads), waiting=sum(load[1] for load in loads)))


@blueprint.get("/metrics")
@described(None, "text/plain")
def metrics() -> Response:
    """Return the counters of all characters for Prometheus."""
    return Response(_serving().metrics.text(), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/openapi.json")
@described(None, "application/json")
def openapi() -> Response:
    """Describe what all characters share; the API of one is described at /NAME/openapi.json."""
    found = document(current_app, "several characters", _UNDESCRIBED)
    if request.script_root:
        found["servers"] = [{"url": request.script_root}]
    # Who is here is known when the server runs, so that a client need not guess.
    room = found["components"]["schemas"]["RoomRequest"]["properties"]
    room["speakers"]["items"]["enum"] = list(_serving().services)
    return jsonify(found)


def _no_model(name: object) -> Response:
    known = ", ".join(_serving().services)
    return errors.problem("model_not_found", f"{name!r} is not a model here. Expected one of {known}.", 404, "model")


def _addresses() -> str:
    return ", ".join(f"/{name}/" for name in _serving().services)


def _greeting(persona: Persona, language: str) -> dict[str, str] | None:
    """Return what a character says first, and in which language; None where persona.toml has nothing."""
    texts = persona.greetings
    code = next((code for code in (language, *persona.languages) if texts.get(code)), None)
    return {"text": texts[code][0], "language": code} if code else None


def _notice(persona: Persona, language: str) -> dict[str, str]:
    """Return what is said of a character, and in which language."""
    texts = persona.page.notice
    code = next((code for code in (language, *persona.languages) if texts.get(code)), None)
    return {"text": texts[code], "language": code} if code else {"text": _NOTICES[language], "language": language}
