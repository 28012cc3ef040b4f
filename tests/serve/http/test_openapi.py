"""The description of the API is held against the API: schemathesis makes up requests from it, right and wrong ones."""

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
    derandomize=True,  # a failure that CI sees is one that everybody sees
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server_and_every_answer_is_described(case):
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            negative_data_rejection,
        ]
    )


def test_every_route_of_the_api_is_described(app):
    described = set(document("x")["paths"])
    served = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"}
    assert served - described == {"/", "/openapi.json", "/v1/models/<path:name>"}
    assert described <= served
