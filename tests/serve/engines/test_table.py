"""One row for each engine; what depends on the engines follows from the table."""

from importlib import import_module

import pytest
from click.testing import CliRunner

from serve.commands.serve import serve
from serve.engines import ENGINES, RUN_ENGINES
from serve.space.folder import REQUIREMENTS
from tests.serve.conftest import PROJECT


@pytest.mark.parametrize("name", ENGINES)
def test_a_row_leads_to_a_module_that_loads_the_engine_of_its_name(name):
    module = import_module(ENGINES[name].module)
    assert callable(module.load)
    assert name in {getattr(value, "name", None) for value in vars(module).values()}


def test_the_help_of_the_command_lists_every_engine():
    text = " ".join(CliRunner().invoke(serve, ["--help"]).output.split())
    assert all(f"{name} ({entry.description})" in text for name, entry in ENGINES.items())


def test_a_space_can_run_the_engines_of_a_run_and_has_a_dockerfile_for_each():
    assert set(REQUIREMENTS) == set(RUN_ENGINES)
    files = {path.name for path in (PROJECT / "serve" / "space").glob("Dockerfile.*")}
    assert files == {f"Dockerfile.{name}" for name in RUN_ENGINES}
