"""The API against its description: schemathesis generates right and wrong requests from it."""

import json
import re

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from curation.persona import Rooms, load_persona
from serve import create_app
from serve.config import ServerConfig
from serve.http.openapi import document
from serve.http.several import together
from tests.serve.conftest import PROJECT, Parrot
from tests.tools.personas import anne

_app = create_app(
    {"ENGINE": Parrot(slots=4), "PERSONA": load_persona(PROJECT / "persona.toml"), "FEEDBACK": None, "HOSTS": None}
)
_schema = schemathesis.openapi.from_wsgi("/openapi.json", _app)
_met = Rooms(allowed=True)
_room = together(
    [
        ServerConfig.model_validate(
            {
                "ENGINE": Parrot(slots=4),
                "PERSONA": each.model_copy(update={"rooms": _met}),
                "FEEDBACK": None,
                "HOSTS": None,
            }
        )
        for each in (load_persona(PROJECT / "persona.toml"), anne())
    ],
    {},
)
_room_schema = schemathesis.openapi.from_wsgi("/openapi.json", _room)
_checks = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
_generated = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,  # the same requests everywhere
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@_schema.parametrize()
@_generated
def test_no_request_breaks_the_server_and_every_answer_is_as_described(case):
    case.call_and_validate(checks=_checks)


@_room_schema.parametrize()
@settings(_generated, max_examples=8)
def test_the_same_of_what_several_characters_share(case):
    case.call_and_validate(checks=_checks)


def test_the_description_of_several_has_their_room_and_who_is_here():
    with _room.test_client() as client:
        found = client.get("/openapi.json").json
    assert {"/", "/api/room", "/room/", "/v1/models", "/readyz"} <= set(found["paths"])
    assert "429" in found["paths"]["/api/room"]["post"]["responses"]
    room = found["components"]["schemas"]["RoomRequest"]["properties"]
    assert room["speakers"]["items"]["enum"] == ["inosuke", "anne"]
    text = json.dumps(found)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(found["components"]["schemas"])


def test_the_description_has_every_route_with_its_methods_and_nothing_else(app):
    """Only the page's own files are left out."""
    described = {(path, method) for path, methods in document(app, "x")["paths"].items() for method in methods}
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routes
    assert {("/api/feedback", "get"), ("/v1/models/{name}", "get")} <= described


def test_every_reference_in_the_description_leads_somewhere(app):
    text = json.dumps(document(app, "x"))
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(document(app, "x")["components"]["schemas"])
