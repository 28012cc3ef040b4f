"""A server or token that is wrong: one clear error message, exit status 1 or 2, and never the token."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from click.testing import CliRunner

from annotations.commands.label_studio import label_studio, names_of
from annotations.labelstudio import poll
from annotations.labelstudio.connection import LabelStudioError, Server, connect, from_environment
from annotations.labelstudio.poll import hints, listening, watch
from annotations.labelstudio.pull_verdicts import Pulled
from curation.errors import InosukeError, UsageError
from curation.review.decisions import Client
from tests.annotations.labelstudio.project import Desk, item

TOKEN = "feedfacefeedfacefeedfacefeedfacefeedface"


class Fake(BaseHTTPRequestHandler):
    """Answers every request with ``answer`` and remembers what was asked."""

    answer: Callable[[Fake], tuple[int, str, str] | None]
    asked: list[tuple[str, str, str]]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        said = type(self).answer(self)
        if said is None:  # a cut connection
            self.connection.close()
            return
        status, kind, body = said
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[Callable[..., tuple[str, list[tuple[str, str, str]]]]]:
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Any) -> tuple[str, list[tuple[str, str, str]]]:
        asked: list[tuple[str, str, str]] = []
        handler = type("Answering", (Fake,), {"answer": answer, "asked": asked})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, "application/json", '{"detail": "Invalid token."}'), "The token is wrong or has expired"),
        ((403, "application/json", '{"detail": "No."}'), "may not do this"),
        ((404, "text/html", "<!doctype html><html>nothing</html>"), "a page of HTML. Check LABEL_STUDIO_URL"),
        ((429, "application/json", '{"detail": "Slow down."}'), "It is busy"),
        ((500, "text/html", "<html>Server Error</html>"), "The server has failed"),
        ((200, "text/html", "<html>Welcome to nginx</html>"), "not Label Studio's API"),
        ((301, "text/html", ""), "redirects elsewhere"),
        (None, "cannot be reached"),
        ((401, "application/json", json.dumps({"detail": f"no user has {TOKEN}"})), "no user has …"),
    ],
    ids=["401", "403", "404", "429", "500", "html", "redirect", "cut", "echoed token"],
)
def test_each_wrong_answer_is_an_error_message_without_the_token(
    fake: Any, monkeypatch: pytest.MonkeyPatch, answer: Any, expected: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # the SDK's pauses between its attempts
    url, _ = fake(lambda request: answer)
    with pytest.raises(LabelStudioError) as caught:
        connect(Server(url, TOKEN))
    assert expected in str(caught.value)
    assert TOKEN not in str(caught.value) and TOKEN not in repr(Server(url, TOKEN))
    assert caught.value.__cause__ is None and caught.value.exit_status == 1


def test_a_port_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(LabelStudioError, match="cannot be reached"):
        connect(Server("http://127.0.0.1:9/", TOKEN))


def test_a_subpath_is_kept_for_both_kinds_of_token(fake: Any) -> None:
    refresh = jwt.encode({"token_type": "refresh", "exp": time.time() + 999}, "k" * 32)
    access = jwt.encode({"token_type": "access", "exp": time.time() + 999}, "k" * 32)

    def answer(request: Fake) -> tuple[int, str, str]:
        said = {"access": access} if request.path.endswith("refresh/") else {"id": 1, "email": "a@b.c"}
        return 200, "application/json", json.dumps(said)

    url, asked = fake(answer)
    connect(from_environment({"LABEL_STUDIO_URL": f"{url}labels", "LABEL_STUDIO_API_KEY": TOKEN}))
    connect(from_environment({"LABEL_STUDIO_URL": f"{url}labels/", "LABEL_STUDIO_API_KEY": refresh}))
    assert asked == [
        ("GET", "/labels/api/current-user/whoami", f"Token {TOKEN}"),
        ("POST", "/labels/api/token/refresh/", ""),
        ("GET", "/labels/api/current-user/whoami", f"Bearer {access}"),
    ]


def test_an_expired_personal_token_is_reported_before_any_request(fake: Any) -> None:
    expired = jwt.encode({"token_type": "refresh", "exp": time.time() - 5}, "k" * 32)
    url, asked = fake(lambda request: (200, "application/json", "{}"))
    with pytest.raises(LabelStudioError, match=r"expired\. Please obtain a new refresh token\. The token is wrong"):
        connect(Server(url, expired))
    assert asked == []


def test_tls_certificates_are_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    real = httpx.Client

    def spy(**options: Any) -> httpx.Client:
        made.append(options)
        return real(**options)

    monkeypatch.setattr(httpx, "Client", spy)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(LabelStudioError):
        connect(Server("https://127.0.0.1:9/", TOKEN))
    assert made and all(options.get("verify", True) is True for options in made)


# ---------------------------------------------------------------- where the server and the token are

URL = {"LABEL_STUDIO_URL": "https://labels.example.org/sub"}


def test_the_token_comes_from_the_environment_or_from_a_private_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    file.chmod(0o600)
    expected = Server("https://labels.example.org/sub/", TOKEN)
    assert from_environment({**URL, "LABEL_STUDIO_API_KEY": TOKEN}) == expected
    assert from_environment({**URL, "LABEL_STUDIO_API_KEY_FILE": str(file)}) == expected
    file.chmod(0o640)
    with pytest.raises(UsageError, match="mode 0640 lets others on this machine read the token"):
        from_environment({**URL, "LABEL_STUDIO_API_KEY_FILE": str(file)})


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "LABEL_STUDIO_URL is not set"),
        ({"LABEL_STUDIO_URL": "labels.example.org"}, "is not an http"),
        ({"LABEL_STUDIO_URL": "https://hoa:secret@labels.example.org"}, "holds a user or password"),
        (URL, "neither LABEL_STUDIO_API_KEY nor LABEL_STUDIO_API_KEY_FILE"),
        ({**URL, "LABEL_STUDIO_API_KEY": "two words"}, "characters that no token has"),
        ({**URL, "LABEL_STUDIO_API_KEY_FILE": "/nowhere/token"}, "cannot be read"),
    ],
)
def test_what_is_missing_is_named(environment: dict[str, str], expected: str) -> None:
    with pytest.raises(UsageError, match=expected) as caught:
        from_environment(environment)
    assert "secret" not in str(caught.value) and "two words" not in str(caught.value)


def test_annotators_are_pairs() -> None:
    assert names_of(("Hoa@x.org=hoa", "m@x.org=minh=1")) == {"Hoa@x.org": "hoa", "m@x.org": "minh=1"}
    for wrong in ("hoa", "hoa=x", "a@b="):
        with pytest.raises(UsageError, match="expected EMAIL=NAME"):
            names_of((wrong,))


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize("command", ["push", "pull", "status"])
def test_a_server_that_fails_loses_nothing_and_shows_no_token(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    desk = Desk(tmp_path, [item(1)])
    url, _ = fake(lambda request: (500, "text/html", f"<html>{TOKEN}</html>"))
    environment = {"LABEL_STUDIO_URL": url, "LABEL_STUDIO_API_KEY": TOKEN, "REVIEW_DB": ""}
    run = CliRunner().invoke(label_studio, [command, "--persona", str(tmp_path / "persona.toml")], env=environment)
    assert isinstance(run.exception, InosukeError) and run.exception.exit_status == 1
    assert TOKEN not in run.output and TOKEN not in str(run.exception)
    assert desk.store.log.events() == []


@pytest.mark.parametrize("command", [[], ["push"], ["pull"], ["status"], ["watch"]], ids=" ".join)
def test_every_command_has_an_example(command: list[str]) -> None:
    run = CliRunner().invoke(label_studio, [*command, "--help"])
    assert run.exit_code == 0 and "Example:" in run.output


# ---------------------------------------------------------------- webhooks


def test_watch_continues_after_any_inosuke_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    desk = Desk(tmp_path, [item(1), item(2)])
    hint, stop = threading.Event(), threading.Event()
    busy = InosukeError("another `inosuke` command has been writing for a minute")
    answers: list[Any] = [busy, busy, Pulled("p"), Pulled("p", new=1)]
    since: list[Any] = []
    said: list[Any] = []

    def pull(*_: Any, **options: Any) -> Pulled:
        since.append(options["since"])
        hint.set()  # so that it looks again at once
        answer = answers.pop(0)
        if not answers:
            stop.set()
        if isinstance(answer, Exception):
            raise answer
        answer.newest = datetime(2026, 11, 22, tzinfo=UTC)
        found: Pulled = answer
        return found

    monkeypatch.setattr(poll, "pull", pull)
    server = Server("http://x/", TOKEN)
    watch(server, "p", desk.persona, desk.store, interval=3600, hint=hint, stop=stop, report=said.append)
    assert [str(said[0]), said[1].new, len(said)] == [str(busy), 1, 2], "the same failure is said once"
    assert since[:3] == [None] * 3 and since[3] is not None, "after a failure everything is read again"


def test_watch_closes_tasks_when_the_store_has_verdicts_that_no_pull_brought(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, [item(1), item(2)])
    hint, stop = threading.Event(), threading.Event()
    desk.store.queue.load(desk.items)
    here, other = (item.sample.id for item in desk.items[:2])

    def decide(sample_id: str, client: Client) -> None:
        desk.store.decide(sample_id, "An", "approve", revision=0, client=client)

    steps: list[tuple[str, Callable[[], object]]] = [
        ("the first pull reads everything", lambda: None),
        ("nothing", lambda: None),
        ("a verdict that the pull brings", lambda: decide(here, "label-studio")),
        ("a verdict at the desk", lambda: decide(other, "streamlit")),
        ("nothing again", stop.set),
    ]
    pulled: list[str] = []
    closed: list[str] = []
    said: list[Any] = []

    def pull(*_: Any, **__: Any) -> Pulled:
        hint.set()  # so that it looks again at once
        name, happens = steps[len(pulled)]
        pulled.append(name)
        happens()
        return replace(Pulled("p"), newest=datetime(2026, 11, 22, tzinfo=UTC))

    monkeypatch.setattr(poll, "pull", pull)
    watch(
        Server("http://x/", TOKEN),
        "p",
        desk.persona,
        desk.store,
        interval=3600,
        hint=hint,
        stop=stop,
        report=said.append,
        close=lambda: closed.append(pulled[-1]),
    )
    assert said == []
    assert len(pulled) == len(steps)
    assert closed == ["the first pull reads everything", "a verdict at the desk"]


def test_only_the_secret_path_is_a_hint() -> None:
    hint = threading.Event()
    with listening("127.0.0.1", 0, hint) as (port, path):
        base = f"http://127.0.0.1:{port}"
        assert httpx.post(f"{base}/", json={}).status_code == 404 and not hint.is_set()
        assert httpx.post(f"{base}{path}", json={"action": "anything"}).status_code == 204 and hint.is_set()


@pytest.mark.parametrize("listen", ["8091", "host:", "127.0.0.1:99999", ":80"])
def test_listen_takes_a_host_and_a_port(listen: str) -> None:
    with (
        pytest.raises(UsageError, match="expected HOST:PORT"),
        hints(Server("http://x/", TOKEN), "p", listen, None, threading.Event()),
    ):
        pass
