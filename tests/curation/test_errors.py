"""pydantic's errors in words."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from curation.errors import explain


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner = Inner()
    name: str


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "x", "nmae": 1}, "unknown key `nmae`. Known here: inner, name"),
        ({"name": "x", "inner": {"cuont": 1}}, "unknown key `inner.cuont`. Known here: count"),
        ({}, "the key `name` is missing. Add it."),
        ({"name": "x", "inner": {"count": "many"}}, "`inner.count` is 'many': Input should be a valid integer"),
    ],
)
def test_pydantic_errors_name_the_key_and_what_is_known(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate(given)
    assert explain(error.value, Outer).startswith(said)


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate({"name": "x", "inner": {"count": "9" * 5000 + "x"}})
    assert len(explain(error.value, Outer)) < 250
