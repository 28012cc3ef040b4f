"""Which schemas a reply may be asked to follow, and what is said about the others."""

import pytest

from serve.json_form import form_problem

PERSON = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Person",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20, "description": "Who."},
        "mood": {"enum": ["loud", "proud"]},
        "friends": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "maxItems": 3},
        "boar": {"const": True},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def nested(depth):
    return {"type": "array", "items": nested(depth - 1)} if depth else {"type": "string"}


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": ["string", "null"]}, PERSON, nested(8)])
def test_a_plain_schema_is_accepted(schema):
    assert form_problem(schema) is None


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "string", "pattern": "(a{1,99999}){1,99999}"}, "'pattern', which is not supported; expected"),
        ({"$ref": "https://example.org/x"}, "'$ref', which is not supported"),
        ({"properties": {"a": {"format": "date"}}}, "'format', which is not supported"),
        ({"type": "strange"}, "'type' is 'strange'; expected a JSON type"),
        ({"type": []}, "expected a JSON type"),
        ({"type": "array", "minItems": 1_000_000}, "'minItems' is '1000000'; expected a number from 0 to 64"),
        ({"maxItems": True}, "expected a number"),
        ({"items": ["a"]}, "expected an object"),
        ({"properties": []}, "expected an object"),
        ({"enum": [{}]}, "expected a list of texts"),
        ({"const": []}, "expected a text"),
        ({"anyOf": []}, "expected a list of schemas"),
        ({"required": "a"}, "expected a list of names"),
        ({"additionalProperties": {}}, "expected true or false"),
        (nested(9), "nested more than 8 deep"),
        ({"title": "x" * 8000}, "more than 8000 characters"),
    ],
)
def test_anything_else_is_named(schema, says):
    assert says in form_problem(schema)
