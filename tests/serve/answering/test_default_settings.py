"""Sampling settings: what suits the served run's base, unless the operator or a request says otherwise."""

import json

import pytest

from curation.errors import UsageError
from serve import create_app
from serve.engine import Settings
from serve.engines.llamacpp import request
from tests.tools.gguf_files import manifest, write_gguf
from tests.tools.trained_bases import GEMMA, QWEN

ASKED = [{"role": "user", "content": "a"}]
BODY = {"messages": ASKED, "settings": {"max_new_tokens": 2}}


class Recorder:
    """Passes requests on to llama.cpp and keeps their bodies."""

    def __init__(self, server):
        self.server, self.bodies = server, []

    def handle_completions(self, body, callback):
        self.bodies.append(body)
        return self.server.handle_completions(body, callback)


@pytest.fixture
def served(finished, tiny_model, tokenizer):
    """Return a function that serves the run as one of a base, with settings of the operator."""
    folder = finished / "models" / "run-1"
    write_gguf(folder / "gguf" / "model-F16.gguf", tiny_model, tokenizer)
    manifest(folder / "gguf", served="model-F16.gguf")

    def serve(base, **config):
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        (folder / "metrics.json").write_text(json.dumps(metrics | {"base_model": base}), encoding="utf-8")
        app = create_app({"ROOT": finished, "ENGINE": "llamacpp", **config})
        service = app.extensions["inosuke"]
        recorder = service.engine._server = Recorder(service.engine._server)
        (chosen,) = [line for line in service.chosen if line.startswith("sampling: ")]
        return app.test_client(), recorder, chosen

    return serve


KEYS = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "dry_multiplier")


def sent(recorder):
    body = recorder.bodies[-1]
    return tuple(body[key] for key in KEYS)


def test_a_request_without_settings_gets_those_of_the_base(served):
    client, recorder, chosen = served(QWEN)
    assert chosen == (
        "sampling: temperature 0.7, top_p 0.8, top_k 20, repetition_penalty 1.05 (as suits Qwen2.5-3B-Instruct)"
    )
    shown = client.get("/api/info").json["settings"]
    assert (shown["temperature"], shown["top_k"], shown["max_new_tokens"]) == (0.7, 20, 200)
    client.post("/api/chat", json=BODY)
    assert sent(recorder) == (0.7, 0.8, 20, 0.0, 1.05, 0.0)
    client.post("/v1/chat/completions", json={"messages": ASKED, "max_tokens": 2})
    assert sent(recorder) == (0.7, 0.8, 20, 0.0, 1.05, 0.0)


def test_a_value_of_a_request_wins_even_where_it_is_our_own_default(served):
    client, recorder, _ = served(GEMMA)
    client.post("/api/chat", json=BODY)
    assert sent(recorder) == (0.3, 0.95, 0, 0.0, 1.05, 0.8)
    client.post(
        "/api/chat", json={"messages": ASKED, "settings": {"max_new_tokens": 2, "temperature": 0.5, "top_k": 7}}
    )
    assert sent(recorder) == (0.5, 0.95, 7, 0.0, 1.05, 0.8)
    client.post(
        "/v1/chat/completions",
        json={"messages": ASKED, "max_tokens": 2, "temperature": 0, "min_p": 0.1, "top_k": 3, "dry_multiplier": 0},
    )
    assert sent(recorder) == (0.0, 0.95, 3, 0.1, 1.05, 0.0)


def test_the_operator_wins_over_the_base_and_a_request_over_the_operator(served, monkeypatch):
    monkeypatch.setenv("INOSUKE_TEMPERATURE", "0.2")
    client, recorder, chosen = served(GEMMA, REPETITION_PENALTY=1.0)
    assert (
        chosen
        == "sampling: temperature 0.2, top_p 0.95, dry_multiplier 0.8 (set by the operator and as suits gemma-3-270m)"
    )
    client.post("/api/chat", json=BODY)
    assert sent(recorder) == (0.2, 0.95, 0, 0.0, 1.0, 0.8)
    client.post("/api/chat", json={"messages": ASKED, "settings": {"max_new_tokens": 2, "temperature": 1.5}})
    assert sent(recorder) == (1.5, 0.95, 0, 0.0, 1.0, 0.8)


def test_a_base_that_is_not_in_the_table_gets_the_defaults(served):
    client, _, chosen = served({"name": "Tiny", "path": "models/base/Tiny", "sha256": "ab"})
    assert chosen.endswith("(the defaults for any model)")
    assert client.get("/api/info").json["settings"]["temperature"] == 0.5


def test_a_wrong_value_of_the_operator_is_named(parrot, persona, monkeypatch):
    monkeypatch.setenv("INOSUKE_TEMPERATURE", "hot")
    with pytest.raises(UsageError, match="the environment variable INOSUKE_TEMPERATURE"):
        create_app({"ENGINE": parrot, "PERSONA": persona})


def test_llama_cpp_is_told_every_sampler():
    body = request([1], 4, Settings(top_k=5, min_p=0.2))
    assert body["samplers"] == ["penalties", "dry", "temperature", "top_k", "top_p", "min_p"]
    assert (body["top_k"], body["min_p"]) == (5, 0.2)
