"""The Space that needs no server: its files, and the page in a real browser."""

import functools
import hashlib
import http.server
import json
import random
import re
import shutil
import threading

import pytest
import yaml
from click.testing import CliRunner
from playwright.sync_api import expect

from curation import chat
from curation.errors import InosukeError, UsageError
from curation.persona import load_persona
from curation.record import Message
from serve.commands.space import space
from serve.engine import Settings
from serve.engines.prompts import Reader
from serve.engines.tokenizer import ChatTokenizer
from serve.space.static_folder import MOST_BYTES, POLICY, write_static_space
from serve.space.upload import push
from tests.conftest import ROOT
from tests.tools.chromium import act, needs_chromium, send, turns

VENDOR = ROOT / "serve" / "space" / "page" / "vendor"


@pytest.fixture
def folder(light, tmp_path):
    """A static Space of the tiny run, with its weights in several parts."""
    out = tmp_path / "space"
    write_static_space(out, root=light, part_bytes=50_000)
    return out


def test_the_parts_are_the_file_and_each_has_its_hash(folder, light):
    weights = json.loads((folder / "space.json").read_text(encoding="utf-8"))["weights"]
    parts = [(folder / entry["file"]).read_bytes() for entry in weights["parts"]]
    whole = (light / "models" / "run-1" / "gguf" / "model-F16.gguf").read_bytes()
    assert b"".join(parts) == whole and len(whole) == weights["bytes"] and len(parts) > 2
    assert [hashlib.sha256(part).hexdigest() for part in parts] == [entry["sha256"] for entry in weights["parts"]]


def test_the_folder_is_a_static_space(folder):
    _, head, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert {"sdk": "static", "app_file": "index.html"}.items() <= yaml.safe_load(head).items()
    assert "wllama" in text and "run `run-1`" in text
    assert "MIT License" in (folder / "static" / "vendor" / "wllama.LICENSE").read_text(encoding="utf-8")
    assert not list(folder.rglob("*.d.ts")) and not list(folder.rglob("*.py"))


def test_the_page_has_a_policy_that_lets_it_compile_webassembly_and_nothing_else_from_elsewhere(folder):
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert POLICY.replace("'", "&#39;") in page
    assert "unsafe-inline" not in POLICY and "'unsafe-eval'" not in POLICY and "http" not in POLICY
    assert not re.search(r'(?:src|href)="(?:/|https?:)', page)  # it works in any folder


def test_the_service_worker_keeps_every_file_that_the_page_asks_for(folder):
    lines = (folder / "sw.js").read_text(encoding="utf-8").split("\n")
    kept = json.loads(lines[1].removeprefix("const FILES = ").rstrip(";"))
    assert {"index.html", "space.json", "static/main.js", "static/vendor/wllama.wasm", "portrait.svg"} <= set(kept)
    assert all((folder / name).is_file() for name in kept)


def test_a_changed_run_gives_the_service_worker_another_version(folder, light, tmp_path):
    persona = light / "models" / "run-1" / "persona.toml"
    persona.write_text(persona.read_text(encoding="utf-8").replace("Inosuke", "Inoshishi"), encoding="utf-8")
    write_static_space(tmp_path / "other", root=light)
    versions = [(f / "sw.js").read_text(encoding="utf-8").split("\n")[0] for f in (folder, tmp_path / "other")]
    assert versions[0] != versions[1]


def test_a_run_without_a_gguf_is_refused_with_the_command_that_makes_one(ready, tmp_path):
    with pytest.raises(InosukeError, match=r"no GGUF file.*inosuke gguf run-1"):
        write_static_space(tmp_path / "space", root=ready)
    assert not (tmp_path / "space").exists()


def test_a_gguf_that_no_browser_can_load_is_refused(ready, tmp_path):
    path = ready / "models" / "run-1" / "gguf" / "model-Q8_0.gguf"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.write(b"GGUF\x03\0\0\0")
        file.truncate(MOST_BYTES + 1)  # takes no space on the disk
    with pytest.raises(InosukeError, match=r"has 2\.1 GB, and a browser loads at most 2\.1 GB.*smaller"):
        write_static_space(tmp_path / "space", root=ready)


def test_the_command_writes_it_and_refuses_weights_from_elsewhere(light, tmp_path, monkeypatch):
    monkeypatch.chdir(light)
    done = CliRunner().invoke(space, ["--static"], catch_exceptions=False)
    assert re.match(r"\d+ files in build.static-space\. Try it with `python -m http\.server", done.output)
    refused = CliRunner().invoke(space, ["--static", "--weights-from", "me/boar"])
    assert isinstance(refused.exception, UsageError) and "--weights-from" in str(refused.exception)


class Hub:
    def __init__(self):
        self.calls = []

    def create_repo(self, repo, **more):
        self.calls.append(("create", repo, more["space_sdk"]))

    def upload_folder(self, **more):
        self.calls.append(("upload", more["repo_id"]))


def test_it_is_pushed_as_a_static_space(folder):
    hub = Hub()
    assert push(folder, "me/boar", hub, sdk="static") == "https://huggingface.co/spaces/me/boar"
    assert hub.calls == [("create", "me/boar", "static"), ("upload", "me/boar")]


def test_wllama_is_npm_s_own():
    package = ROOT / "node_modules" / "@wllama" / "wllama"
    if not package.is_dir():
        pytest.skip("npm ci has not been run")
    assert (VENDOR / "wllama.js").read_bytes() == (package / "esm" / "index.min.js").read_bytes()
    assert (VENDOR / "wllama.wasm").read_bytes() == (package / "esm" / "single-thread" / "wllama.wasm").read_bytes()


# ------------------------------------------------------------------------------------------------------ in the browser


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(folder):
    """The folder on a static server, as a Space is."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


LOADED = ".loading"


def load(page):
    page.get_by_role("button", name="Tải về", exact=True).click()
    expect(page.locator(LOADED)).to_be_hidden()


@pytest.mark.browser
@needs_chromium[1]
def test_the_page_answers_in_the_browser(visit, site):
    page = visit(address=site)
    expect(page.locator(LOADED)).to_contain_text("Cần tải mô hình về một lần: 0 MB")
    load(page)
    send(page, "Chào")
    first, reply = turns(page)[-2:]
    assert first == "Chào" and reply
