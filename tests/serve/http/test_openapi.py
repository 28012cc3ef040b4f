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

from curation.persona import load_persona
from serve import create_app
from serve.http.openapi import document
from tests.serve.conftest import PROJECT, Parrot

_app = create_app(
    {"ENGINE": Parrot(slots=4), "PERSONA": load_persona(PROJECT / "persona.toml"), "FEEDBACK": None, "HOSTS": None}
)
_schema = schemathesis.openapi.from_wsgi("/openapi.json", _app)


@_schema.parametrize()
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,  # the same requests everywhere
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server_and_every_answer_is_as_described(case):
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            negative_data_rejection,
        ]
    )


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
