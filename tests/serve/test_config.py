"""What the environment says, what goes before it, and what is wrong with it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.errors import UsageError
from serve import config as settings
from serve import create_app
from serve.commands import serve


@pytest.fixture
def told(monkeypatch):
    """Run the command with some options; returns what the server was told, with the environment read."""

    def run(*options):
        seen = []
        monkeypatch.setattr("serve.wsgi.server.run_server", lambda host, port, config, say: seen.append(config))
        CliRunner().invoke(serve.serve, options, catch_exceptions=False)
        return settings.whole(seen[0])

    return run


def test_an_option_that_is_left_out_is_read_from_the_environment(told, monkeypatch):
    words = {"RUN": "2026", "ENGINE": "llamacpp", "GGUF": "F16", "URL": "http://u", "MODEL": "7", "PERSONA": "p.toml"}
    for key, value in {**words, "WAITING": "3", "RATE": "1.5", "CONTEXT": "512", "PROXIES": "1"}.items():
        monkeypatch.setenv(f"INOSUKE_{key}", value)
    seen = told()
    assert {key: seen[key] for key in words} == words
    assert (seen["WAITING"], seen["RATE"], seen["CONTEXT"], seen["PROXIES"]) == (3, 1.5, 512, 1)
    seen = told("--run", "mine", "--waiting", "0", "--persona", "other.toml")
    assert (seen["RUN"], seen["WAITING"], seen["PERSONA"]) == ("mine", 0, Path("other.toml"))


@pytest.mark.parametrize(
    ("text", "names"),
    [("a.example, b.example", ("a.example", "b.example")), ("*", None), ("", ("localhost", "127.0.0.1", "::1"))],
)
def test_names_come_with_commas(monkeypatch, text, names):
    monkeypatch.setenv("INOSUKE_HOSTS", text)
    assert settings.whole({})["HOSTS"] == names


def test_an_empty_folder_keeps_no_feedback(monkeypatch, parrot, persona):
    monkeypatch.setenv("INOSUKE_FEEDBACK", "")
    monkeypatch.setenv("INOSUKE_CONTEXT", "")  # left out
    app = create_app({"ENGINE": parrot, "PERSONA": persona})
    assert app.test_client().get("/api/info").json["feedback"] is False


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("RATE", "abc", "a valid number"),
        ("RATE", "inf", "a finite number"),
        ("CONTEXT", "abc", "a valid integer"),
        ("CONTEXT", "-1", "greater than or equal to 1"),
        ("PROXIES", "abc", "a valid integer"),
        ("WAITING", "1001", "less than or equal to 1000"),
    ],
)
def test_a_variable_that_is_wrong_is_named(monkeypatch, key, value, says):
    monkeypatch.setenv(f"INOSUKE_{key}", value)
    with pytest.raises(UsageError, match=rf"the environment variable INOSUKE_{key} is '{value}'; expected {says}"):
        create_app({})


def test_a_setting_of_a_caller_that_is_wrong_is_named():
    with pytest.raises(UsageError, match=r"the setting WAITING is 'many'; expected a valid integer"):
        create_app({"WAITING": "many"})
