"""Settings from the environment, from the command line, and wrong ones."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.errors import UsageError
from serve import create_app
from serve.commands.serve import serve
from serve.config import read_config


@pytest.fixture
def settings_of(monkeypatch):
    """Run the command with some options; returns the server's settings, with those of the environment."""

    def run(*options):
        seen = []
        monkeypatch.setattr("serve.wsgi.server.run_server", lambda host, port, config, say: seen.append(config))
        CliRunner().invoke(serve, options, catch_exceptions=False)
        return read_config(seen[0]).model_dump()

    return run


def test_an_option_that_is_left_out_is_read_from_the_environment(settings_of, monkeypatch):
    words = {"RUN": "2026", "ENGINE": "llamacpp", "GGUF": "F16", "URL": "http://u", "MODEL": "7", "PERSONA": "p.toml"}
    for key, value in {**words, "WAITING": "3", "RATE": "1.5", "CONTEXT": "512", "PROXIES": "1"}.items():
        monkeypatch.setenv(f"INOSUKE_{key}", value)
    seen = settings_of()
    assert {key: seen[key.lower()] for key in words} == {**words, "PERSONA": Path("p.toml")}
    assert (seen["waiting"], seen["rate"], seen["context"], seen["proxies"]) == (3, 1.5, 512, 1)
    seen = settings_of("--run", "mine", "--waiting", "0", "--persona", "other.toml")
    assert (seen["run"], seen["waiting"], seen["persona"]) == ("mine", 0, Path("other.toml"))


@pytest.mark.parametrize(
    ("text", "names"),
    [("a.example, b.example", ("a.example", "b.example")), ("*", None), ("", ("localhost", "127.0.0.1", "::1"))],
)
def test_host_names_are_separated_by_commas(monkeypatch, text, names):
    monkeypatch.setenv("INOSUKE_HOSTS", text)
    assert read_config({}).hosts == names


def test_an_empty_folder_keeps_no_feedback(monkeypatch, parrot, persona):
    monkeypatch.setenv("INOSUKE_FEEDBACK", "")
    monkeypatch.setenv("INOSUKE_CONTEXT", "")  # counts as left out
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
    with pytest.raises(
        UsageError, match=rf"the environment variable INOSUKE_{key}: `{key}` is '{value}': Input should be .*{says}"
    ):
        create_app({})


def test_a_setting_of_a_caller_that_is_wrong_is_named():
    with pytest.raises(UsageError, match=r"the setting WAITING: `WAITING` is 'many': Input should be a valid integer"):
        create_app({"WAITING": "many"})


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ("http://localhost:3000", ("http://localhost:3000",)),
        ("https://chat.example:443/, http://[::1]:80", ("https://chat.example", "http://[::1]")),
        (["HTTPS://Chat.Example"], ("https://chat.example",)),
        (None, ()),
    ],
)
def test_origins_are_written_as_browsers_write_them(given, origins):
    assert read_config({"CORS": given}).cors == origins


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "chat.example", "https://*.example", "https://a.example/page", "http://u@a.example", "ftp://a.example",
     "http://a.example:boar", "http://"],
)  # fmt: skip
def test_what_is_not_one_origin_is_refused(origin):
    with pytest.raises(UsageError, match=r"the setting CORS: .*origin"):
        read_config({"CORS": [origin]})


def test_a_policy_for_system_messages_is_one_of_three(monkeypatch):
    assert read_config({}).system == "after"
    monkeypatch.setenv("INOSUKE_SYSTEM", "theirs")
    assert read_config({}).system == "theirs"
    with pytest.raises(UsageError, match="SYSTEM"):
        read_config({"SYSTEM": "both"})
