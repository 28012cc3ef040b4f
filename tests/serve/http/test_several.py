"""Several characters on one server: each below /NAME/, together at the root."""

import os
import shutil
import subprocess
import sys

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from prometheus_client.parser import text_string_to_metric_families

from curation.errors import UsageError
from serve import create_app
from serve.config import ServerConfig, read_config
from serve.http.several import together
from tests.serve.conftest import PROJECT, Parrot, serving
from tests.tools.chromium import PHONE, Storyteller, needs_chromium, send
from tests.tools.gguf_files import manifest, write_gguf
from tests.tools.personas import ANNE, anne

SAID = [{"role": "user", "content": "một hai"}]


def both(persona, engines=None, **config):
    first, second = engines or (Parrot(model="parrot-1"), Parrot(model="parrot-2"))
    return together(
        [
            ServerConfig.model_validate({"ENGINE": engine, "PERSONA": each, **config})
            for engine, each in ((first, persona), (second, anne()))
        ],
        {},
    )


@pytest.fixture
def engines():
    return Parrot(model="parrot-1"), Parrot(model="parrot-2")


@pytest.fixture
def client(persona, engines, tmp_path):
    return both(persona, engines, ROOT=tmp_path, RATE=0).test_client()


def test_each_character_has_a_page_and_an_api_of_its_own(client, engines):
    for name, shown, engine in (("inosuke", "Inosuke", engines[0]), ("anne", "Anne", engines[1])):
        page = client.get(f"/{name}/").get_data(as_text=True)
        assert f"<h1>{shown}</h1>" in page and f'href="/{name}/portrait"' in page
        assert client.get(f"/{name}/api/info").json["character"] == shown
        assert client.post(f"/{name}/api/chat", json={"messages": SAID}).json["reply"] == "một hai "
        assert len(engine.seen) == 1
        assert client.get(f"/{name}/static/main.js").status_code == 200
        assert client.get(f"/{name}/openapi.json").json["servers"] == [{"url": f"/{name}"}]
    assert client.get("/anne").headers["Location"] == "anne/"
    assert client.get("/nobody").status_code == client.get("/nobody/api/info").status_code == 404
    assert client.post("/api/chat", json={"messages": SAID}).status_code == 404


def test_the_first_page_lists_them_in_the_language_of_the_visitor(client):
    page = client.get("/", headers={"Accept-Language": "en"})
    text = page.get_data(as_text=True)
    assert '<html lang="en">' in text and "Choose whom to talk to" in text
    for name in ("inosuke", "anne"):
        assert f'<a href="{name}/">' in text and f'src="{name}/portrait"' in text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"] and "Accept-Language" in page.headers["Vary"]
    assert "Chọn người để trò chuyện" in client.get("/", headers={"Accept-Language": "vi"}).get_data(as_text=True)
    assert '<html lang="vi">' in client.get("/?language=vi", headers={"Accept-Language": "en"}).get_data(as_text=True)


def test_a_client_chooses_the_character_by_the_model(client, engines):
    assert [m["id"] for m in client.get("/v1/models").json["data"]] == ["inosuke", "anne"]
    assert client.get("/v1/models/anne").json["root"] == "parrot-2"
    body = {"model": "anne", "messages": SAID}
    assert client.post("/v1/chat/completions", json=body).json["choices"][0]["message"]["content"] == "một hai "
    assert client.post("/v1/completions", json={"model": "anne", "prompt": "ba"}).status_code == 200
    assert (len(engines[0].seen), len(engines[1].seen)) == (0, 2)
    for wrong in ({"model": "gpt-4"}, {}, {"model": 3}):
        refused = client.post("/v1/chat/completions", json=wrong | {"messages": SAID})
        assert (refused.status_code, refused.json["error"]["code"]) == (404, "model_not_found")
        assert "Expected one of inosuke, anne" in refused.json["error"]["message"]
    assert client.get("/v1/models/gpt-4").status_code == 404
    broken = client.post("/v1/chat/completions", data="{", content_type="application/json")
    assert broken.status_code == 400


def test_one_rate_counts_a_client_for_all_characters(persona, tmp_path):
    client = both(persona, ROOT=tmp_path, RATE=6).test_client()
    paths = ["/inosuke/api/chat", "/anne/api/chat"] * 3
    statuses = [client.post(path, json={"messages": SAID}).status_code for path in paths]
    assert statuses == [200] * 5 + [429]
    assert client.post("/v1/chat/completions", json={"model": "anne", "messages": SAID}).status_code == 429


def test_keys_and_hosts_hold_at_the_root_too(persona, tmp_path):
    key = "a-key-of-the-owner"
    client = both(persona, ROOT=tmp_path, KEYS=key).test_client()
    for path in ("/", "/v1/models", "/anne/", "/inosuke/api/info", "/metrics"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": f"Bearer {key}"}).status_code == 200
        assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {key}"}
    body = {"model": "anne", "messages": SAID}
    assert client.post("/v1/chat/completions", json=body, headers=elsewhere).status_code == 403


def test_monitoring_tells_the_characters_apart(client):
    client.post("/anne/api/chat", json={"messages": SAID})
    client.post("/anne/api/chat", json={"messages": SAID})
    client.post("/inosuke/api/chat", json={"messages": SAID})
    assert client.get("/readyz").json == {"status": "ready", "running": 0, "waiting": 0}
    text = client.get("/metrics").get_data(as_text=True)
    seen = {
        (s.name, s.labels.get("character")): s.value for f in text_string_to_metric_families(text) for s in f.samples
    }
    assert seen["inosuke_answers_total", "anne"] == 2 and seen["inosuke_answers_total", "inosuke"] == 1
    assert seen["inosuke_running", "anne"] == 0
    assert ("process_resident_memory_bytes", None) in seen and text.count("# TYPE inosuke_answers_total") == 1


def test_feedback_of_all_goes_into_one_folder(persona, tmp_path):
    client = both(persona, ROOT=tmp_path, FEEDBACK_KEY="the-owners-own-key").test_client()
    given = {"conversation": "c", "turn": 1, "rating": "up", "consent": True}
    given["messages"] = [*SAID, {"role": "assistant", "content": "một hai"}]
    for name in ("inosuke", "anne"):
        assert client.post(f"/{name}/api/feedback", json=given).status_code == 204
    fetched = client.get("/api/feedback", headers={"Authorization": "Bearer the-owners-own-key"})
    assert len(fetched.get_data().splitlines()) == 2


def test_what_cannot_be_told_apart_is_refused(persona):
    with pytest.raises(UsageError, match="Inosuke would be at /inosuke/, and another run has it too"):
        together([ServerConfig.model_validate({"ENGINE": Parrot(), "PERSONA": persona})] * 2, {})
    for name, place in (("Static", "static"), ("Room", "room")):
        taken = persona.model_copy(update={"name": name})
        with pytest.raises(UsageError, match=f"at /{place}/, and the server itself uses it"):
            together([ServerConfig.model_validate({"ENGINE": Parrot(), "PERSONA": taken})], {})
    with pytest.raises(UsageError, match="the run a was named twice"):
        create_app({"RUN": ["a", "b", "a"]})


def test_runs_are_named_with_commas_or_in_a_list(monkeypatch):
    monkeypatch.setenv("INOSUKE_RUN", "a, b")
    assert [each.run for each in read_config({}).each_run()] == ["a", "b"]
    assert [each.run for each in read_config({"RUN": ("c", "d")}).each_run()] == ["c", "d"]
    assert [each.run for each in read_config({"RUN": "c"}).each_run()] == ["c"]


# ---------------------------------------------------------------- the command


def test_the_command_serves_two_runs(finished, tiny_model, tokenizer):
    folder = finished / "models" / "run-1" / "gguf"
    write_gguf(folder / "model-F16.gguf", tiny_model, tokenizer)
    manifest(folder, served="model-F16.gguf")
    shutil.copytree(finished / "models" / "run-1", finished / "models" / "run-2")
    shutil.copy(ANNE, finished / "models" / "run-2" / "persona.toml")
    process = subprocess.Popen(
        [sys.executable, "-m", "serve", "--port", "0", "--run", "run-1", "--run", "run-2"], cwd=finished,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Open "):
                break
        assert {"/inosuke/ is Inosuke\n", "/anne/ is Anne\n"} <= set(said), process.stderr.read()
        url = said[-1].split()[1]
        body = {"messages": SAID, "settings": {"max_new_tokens": 3}}
        runs = [httpx.post(f"{url}/{n}/api/chat", json=body, timeout=60).json()["run"] for n in ("inosuke", "anne")]
        assert runs == ["run-1", "run-2"]
        assert httpx.get(f"{url}/readyz").json()["status"] == "ready"
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in errors


# ---------------------------------------------------------------- in the browser


def in_chromium(test):
    for mark in needs_chromium:
        test = mark(test)
    return test


@in_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_the_list_of_characters(browser, persona, tmp_path, scheme, device):
    with serving(both(persona, ROOT=tmp_path)) as url:
        # Its own policy forbids the page the script that looks at it.
        context = browser.new_context(color_scheme=scheme, bypass_csp=True, **device)
        page = context.new_page()
        page.goto(url)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/{scheme}{'-phone' if device else ''}.png")
        context.close()


@in_chromium
def test_conversations_of_two_characters_stay_apart(browser, persona, tmp_path):
    quiet = persona.model_copy(update={"greetings": {}})
    app = both(quiet, (Storyteller(), Storyteller()), ROOT=tmp_path)
    said = []
    with serving(app) as url:
        context = browser.new_context(locale="vi-VN")
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(url)
        page.get_by_role("link", name="Inosuke").click()
        expect(page).to_have_url(f"{url}/inosuke/")
        page.wait_for_selector("#prompts button")
        send(page, "Chào Inosuke")
        page.fill("#input", "nháp cho Inosuke")
        expect(page.locator("#conversations li")).to_have_count(1)
        page.goto(f"{url}/anne/")
        expect(page.locator("h1")).to_have_text("Anne")
        page.wait_for_selector("#prompts button")
        expect(page.locator("#conversations li")).to_have_count(0)
        expect(page.locator("#input")).to_have_value("")
        send(page, "Chào Anne")
        page.goto(f"{url}/inosuke/")
        expect(page.locator("#conversations li")).to_have_count(1)
        expect(page.locator("#conversations")).to_contain_text("Chào Inosuke")
        names = page.evaluate("indexedDB.databases().then((all) => all.map((one) => one.name).sort())")
        assert names == ["inosuke:anne", "inosuke:inosuke"]
        context.close()
    assert said == []
