"""A suggested rewrite: from a real `inosuke serve` process, never in this one, and never without a request."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotations.suggest import Suggester, Suggestion, prompt_of, suggester
from curation.errors import UsageError
from curation.record import Message
from tests.annotations.model_server import model_server
from tests.conftest import ROOT

TALK = (Message("user", "Ngươi sợ gì?", "Bạn"), Message("assistant", "Tôi sợ ma."))


@pytest.fixture
def model() -> Iterator[str]:
    with model_server() as url:
        yield url


@pytest.fixture
def made(tmp_path: Path) -> Iterator[list[Suggester]]:
    started: list[Suggester] = []
    yield started
    for one in started:
        one.close()


def answer(asking: Suggester) -> Suggestion:
    """Return what became of the request, as the page learns it: by asking for its state."""
    deadline = time.monotonic() + 120
    while asking.state(TALK).status in ("loading", "writing") and time.monotonic() < deadline:
        time.sleep(0.1)
    return asking.state(TALK)


def test_a_request_starts_the_server_and_its_answer_is_a_suggestion(
    model: str, tmp_path: Path, made: list[Suggester]
) -> None:
    persona = str(ROOT / "persona.toml")
    asking = Suggester(tmp_path, ("--engine", "openai", "--url", model, "--persona", persona))
    made.append(asking)
    assert asking.state(TALK) == Suggestion("none")
    assert asking.ask(TALK).status == "loading"
    found = answer(asking)
    assert (found.status, found.text, found.error) == ("ready", "Ta không sợ! (Ngươi sợ gì?)", "")
    assert asking.ask(TALK) == asking.state(TALK) == found, "a request that was answered is not sent again"
    assert asking.ask(TALK, again=True).status == "writing"
    assert answer(asking).status == "ready"
    assert json.loads(json.dumps(found.to_json()))["status"] == "ready"


def test_without_a_trained_model_the_message_says_what_to_do(tmp_path: Path, made: list[Suggester]) -> None:
    asking = Suggester(tmp_path)
    made.append(asking)
    asking.ask(TALK)
    found = answer(asking)
    assert found.status == "failed"
    assert "Run `make train`" in found.error and "needs a trained model" in found.error
    asking.ask(TALK, again=True)
    assert answer(asking).status == "failed", "another request tries again"


def test_what_is_asked_is_the_dialogue_before_the_last_reply() -> None:
    talk = (Message("system", "Ngươi là Inosuke."), *TALK, Message("user", "Thật à?"), Message("assistant", "Ừ."))
    assert prompt_of(talk) == [
        {"role": "user", "content": "Ngươi sợ gì?"},
        {"role": "assistant", "content": "Tôi sợ ma."},
        {"role": "user", "content": "Thật à?"},
    ]
    for nothing in ((), (Message("assistant", "Ta!"),), (Message("user", " "), Message("assistant", "Ta!"))):
        with pytest.raises(UsageError, match="no line to answer"):
            prompt_of(nothing)


def test_one_process_asks_one_model_for_each_project(tmp_path: Path) -> None:
    assert suggester(tmp_path) is suggester(tmp_path / ".")


def test_the_module_loads_no_model() -> None:
    heavy = "{'torch', 'transformers', 'xllamacpp', 'serve'}"
    code = f"import sys, annotations.suggest; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "[]"
