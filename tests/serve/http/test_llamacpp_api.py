"""What clients of llama.cpp's server ask it about."""

import threading

from serve import create_app
from tests.serve.conftest import Parrot, serving


def test_a_client_finds_the_window_the_places_and_the_sampling(client):
    props = client.get("/props").json
    assert props["default_generation_settings"]["n_ctx"] == 2048
    assert props["default_generation_settings"]["params"]["repeat_penalty"] == 1.05
    assert (props["total_slots"], props["model_alias"], props["model_path"]) == (1, "inosuke", "parrot-1")
    assert props["modalities"] == {"vision": False, "audio": False}
    assert client.get("/health").json == {"status": "ok"}


def test_the_places_that_are_taken_are_told(persona):
    import httpx

    parrot = Parrot(slots=2, gate=threading.Event())
    with serving(create_app({"ENGINE": parrot, "PERSONA": persona})) as url:
        assert [slot["is_processing"] for slot in httpx.get(f"{url}/slots").json()] == [False, False]
        body = {"messages": [{"role": "user", "content": "a b"}], "stream": True}
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=body) as answer:
            assert parrot.begun.wait(20)
            assert [slot["is_processing"] for slot in httpx.get(f"{url}/slots").json()] == [True, False]
            parrot.gate.set()
            assert answer.read().endswith(b"data: [DONE]\n\n")


def test_a_text_becomes_the_ids_that_logit_bias_takes(client, parrot, monkeypatch):
    assert client.post("/tokenize", json={"content": "ta"}).json == {"tokens": [116, 97]}
    error = client.post("/tokenize", json={"content": "ta", "with_pieces": True}).json["error"]
    assert error["message"] == "`with_pieces` is not supported. Leave it out."
    assert client.post("/tokenize", json={"content": "x" * 100_001}).status_code == 400
    monkeypatch.setattr(parrot, "tokens", lambda text: None)
    assert client.post("/tokenize", json={"content": "ta"}).status_code == 404


def test_only_health_is_open_on_a_server_with_keys(parrot, persona):
    client = create_app({"ENGINE": parrot, "PERSONA": persona, "KEYS": ["k" * 16]}).test_client()
    statuses = {path: client.get(path).status_code for path in ("/health", "/props", "/slots")}
    assert statuses == {"/health": 200, "/props": 401, "/slots": 401}
