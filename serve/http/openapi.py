"""``/openapi.json``: the API, described from its routes and from the models that check requests and make responses.

A route is described where it is written, with :func:`described`. A test sends requests that are made up from the
description, and another holds the description against the routes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from serve.guard.keys_and_rates import LIMITED, OPEN
from serve.http import sse
from serve.http.current import service
from serve.http.responses import Error, OpenAIError

blueprint = Blueprint("openapi", __name__)

_REF = "#/components/schemas/"
_JSON = "application/json"
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What the route of a view takes and gives; the rest follows from the route itself."""

    answer: type[BaseModel] | None
    body: type[BaseModel] | None
    mimetypes: tuple[str, ...]
    errors: tuple[int, ...]


_DESCRIPTIONS: dict[Callable[..., Any], Description] = {}


def described(
    answer: type[BaseModel] | None = None,
    *mimetypes: str,
    body: type[BaseModel] | None = None,
    errors: Iterable[int] = (),
) -> Callable[[View], View]:
    """Describe the view below: ``answer`` is its JSON, ``mimetypes`` are its other types; without either, it is empty.

    ``errors`` are the statuses that do not follow from the route: those of bodies, keys and rates do. The summary is
    the first line of the view's docstring.
    """

    def describe(view: View) -> View:
        types = ((_JSON,) if answer else ()) + mimetypes
        _DESCRIPTIONS[view] = Description(answer=answer, body=body, mimetypes=types, errors=tuple(errors))
        return view

    return describe


@blueprint.get("/openapi.json")
@described(None, _JSON)
def openapi() -> Response:
    """Describe the API."""
    found = document(current_app, service().persona.name)
    if request.script_root:  # one of several characters
        found["servers"] = [{"url": request.script_root}]
    return jsonify(found)


def document(app: Flask, character: str, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return the description of every route as OpenAPI 3.1.

    The page's own files under ``/static/`` are left out, and the endpoints ``without``.
    """
    paths: dict[str, dict[str, Any]] = {}
    models: dict[type[BaseModel], None] = dict.fromkeys((Error, OpenAIError))
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.endpoint in ("static", *without):
            continue
        view = app.view_functions[rule.endpoint]
        description = _DESCRIPTIONS[view]
        models |= dict.fromkeys(model for model in (description.answer, description.body) if model)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            operation = _operation(rule, method, (view.__doc__ or "").strip().partition("\n")[0], description)
            paths.setdefault(_path(rule), {})[method.lower()] = operation
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REF + "{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Chat with {character}",
            "version": "1",
            "description": "Each request carries the whole conversation; the server keeps none of it.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)


def _operation(rule: Rule, method: str, summary: str, description: Description) -> dict[str, Any]:
    error = _content(_JSON, OpenAIError if rule.rule.startswith("/v1/") else Error)
    statuses = {400, *description.errors}  # 400: also for a host that is not this server's
    statuses |= {403, 413, 415} if description.body else set()
    statuses |= {401} if rule.rule not in OPEN else set()
    statuses |= {429} if method == "POST" and rule.rule in LIMITED else set()
    responses: dict[str, Any] = {str(s): {"description": "Why not.", "content": error} for s in sorted(statuses)}
    if description.mimetypes:
        content: dict[str, Any] = {}
        for mimetype in description.mimetypes:
            content |= _content(mimetype, description.answer if mimetype == _JSON else None)
        responses["200"] = {"description": "The answer.", "content": content}
    else:
        responses["204"] = {"description": "Done."}
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if rule.arguments:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in sorted(rule.arguments)
        ]
    if description.body:
        operation["requestBody"] = {"required": True, "content": _content(_JSON, description.body)}
    return operation


def _content(mimetype: str, model: type[BaseModel] | None) -> dict[str, Any]:
    if model:
        return {mimetype: {"schema": {"$ref": _REF + model.__name__}}}
    # The events of a stream are objects to some readers of the description and text to others.
    return {mimetype: {"schema": {} if mimetype in (_JSON, sse.TYPE) else {"type": "string"}}}
