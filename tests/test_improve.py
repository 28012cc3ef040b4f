"""The loop closed: what a visitor writes on the page is learnt, compared blind with the run before, and served.

Every part is the real one: the page in a browser, the server, the commands, the desk's routes, and `make improve`. Only
the base model is a tiny one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from click.testing import CliRunner
from playwright.sync_api import expect

from annotations.signing import sign
from annotations.store.database import store_url
from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from curation.cleaning.normalise import clean_text
from curation.contracts.preferences import read_preferences
from curation.contracts.rows import read_chat_rows
from curation.folders import Folders
from curation.newest import newest_export, newest_run
from curation.persona import load_persona
from inosuke import cli
from serve import create_app
from tests.annotations.ui.stage_client import StageClient
from tests.conftest import ROOT
from tests.curation.pipeline.test_stages import ROWS, jsonl
from tests.serve.conftest import live  # noqa: F401 - a fixture
from tests.tools.chromium import act, browser, needs_chromium, send, teller, turns, url, visit  # noqa: F401 - fixtures too
from tests.train.conftest import Project, tiny_base, tokenizer  # noqa: F401

pytestmark = [pytest.mark.slow]

BIN = Path(sys.executable).parent
ENVIRONMENT = {"INOSUKE_ENGINE": "transformers", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
KEY = "the-owners-own-key"
BETTER = "Nó đi kiếm ăn, lát nữa ta gọi một tiếng là về!"
HELD_OUT = [
    {"instruction": "Cậu có sợ ma không?", "input": "", "output": "Ma nào? Ta húc bay hết!"},
    {"instruction": "Chạy thi với tớ nhé?", "input": "", "output": "Thi thì thi, ta chấp ngươi một vòng!"},
]
# A short prompt: the tiny model has a token a byte.
PERSONA = """
name = "Inosuke"
languages = ["vi"]
system_prompt = "Ngươi là Inosuke."

[[sources]]
path = "datasets/sources/handwritten"
rights = "own"
trusted = true

[[sources]]
path = "datasets/sources/eval"
rights = "own"
held_out = ["*"]

[[sources]]
path = "datasets/feedback"
rights = "private"
"""


def inosuke(*arguments: str | Path, root: Path) -> Any:
    """Run a command in a project and return what it prints as JSON."""
    words = [*map(str, arguments), "--json"]
    if arguments[0] != "feedback":
        words += ["--persona", str(root / "persona.toml")]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout.strip().splitlines()[-1])


@contextmanager
def improving(root: Path) -> Iterator[tuple[str, str | None]]:
    """Run `make improve`; yield what it said, and where it serves, if it comes so far."""
    command = ["make", "--no-print-directory", "--old-file", ".venv/.ready", "HERE=", f"BIN={BIN.as_posix()}"]
    with subprocess.Popen(
        [*command, f"CHARACTER={root}", "PORT=0", "improve"],
        cwd=ROOT, env=os.environ | ENVIRONMENT, process_group=0,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said, place = "", None
        try:
            for line in process.stdout:
                said += line
                if place := re.search(r"Open (http://127\.0\.0\.1:\d+)", line):
                    break
            yield said, place and place[1]
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 15)  # make and the server that it started


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:  # noqa: F811
    """A project of twelve rows, and a first run that answers with them."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    root = tmp_path_factory.mktemp("improve") / "project"
    sources = root / "datasets" / "sources"
    (sources / "handwritten").mkdir(parents=True)
    (sources / "handwritten" / "conversations.vi.jsonl").write_text(jsonl(*ROWS), encoding="utf-8")
    (sources / "eval").mkdir()
    (sources / "eval" / "prompts.jsonl").write_text(jsonl(*HELD_OUT), encoding="utf-8")
    (root / "persona.toml").write_text(PERSONA, encoding="utf-8")
    inosuke("dataset", root=root)
    preference = {"epochs": 2, "learning_rate": 1e-4, "max_dialogue_loss": 0.5}
    # A reply of a tiny model may take all its 200 tokens, each of them three bytes.
    recipe = Project(root, tiny_base).recipe(
        quantization="none", epochs=30, samples=0, max_length=1024, preference=preference
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # in a model this small they only wait for each other
    inosuke("train", "--recipe", recipe, "--run", "first", "--no-gguf", root=root)
    torch.set_num_threads(threads)
    return root


@pytest.fixture
def root(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which the review desk opens."""
    copied = Path(shutil.copytree(trained, tmp_path / "project"))
    monkeypatch.setenv("REVIEW_PERSONA", str(copied / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    return copied


def approve_all(root: Path) -> list[str]:
    """Approve what waits, through the routes of the desk; return the replies."""
    persona, store = load_persona(root / "persona.toml"), ReviewStore(store_url(root))
    refresh(store, Folders(root), persona.review)
    store.people.add("An")
    stage = StageClient({"token": sign(store, "An"), "language": "vi", "filters": {}, "sample": None})
    shown = []
    while stage.item is not None:
        shown.append(stage.shown)
        assert stage.judge("approve").status_code == 200
    store.close()
    return shown


@pytest.mark.browser
@needs_chromium[1]
def test_a_visitors_better_answer_is_learnt_compared_and_served(root, tmp_path, visit, live) -> None:  # noqa: F811
    row = read_chat_rows(newest_export(root / "datasets" / "export"), "train")[0]
    asked = row.messages[0].content
    # The page, on a server with a disk of its own.
    app = create_app({"ROOT": root, "ENGINE": "transformers", "FEEDBACK": tmp_path / "space", "FEEDBACK_KEY": KEY})
    with live(app) as address:
        assert httpx.get(f"{address}/api/info").json()["run"] == "first"
        page = visit(address=address)
        send(page, asked)
        assert turns(page)[0] == asked and len(turns(page)) == 2
        act(page, 1, "Gợi ý câu trả lời hay hơn…")
        page.click("#dialog-yes")
        page.fill("#dialog-area", BETTER)
        page.click("#dialog-yes")
        expect(page.locator("#toast")).to_contain_text("Đã gửi góp ý.")
        into = root / "datasets" / "feedback"
        pulled = inosuke("feedback", "pull", address, "--key", KEY, "--into", into, root=root)
        assert pulled["new"] == 1
    [line] = [json.loads(line) for file in into.glob("*.jsonl") for line in file.read_text("utf-8").splitlines()]
    said = line["messages"][-1]["content"]  # by a tiny model: broken letters and all
    # The queue and the desk.
    made = inosuke("dataset", root=root)
    assert (made["awaiting_review"], made["flagged"]["feedback_better"], made["preferences"]) == (1, 1, {})
    [shown] = approve_all(root)
    assert BETTER in shown
    # The rest is one command.
    with improving(root) as (told, place):
        assert place is not None, told
        newest = newest_run(root / "models")
        assert httpx.get(f"{place}/api/info").json()["run"] == newest.name
    [pair] = read_preferences(newest_export(root / "datasets" / "export"), "train")
    assert (pair.prompt[-1].content, pair.chosen, pair.origin) == (asked, BETTER, "better_answer")
    assert pair.rejected == clean_text(said)
    metrics = json.loads((newest / "metrics.json").read_text(encoding="utf-8"))
    assert newest.name.endswith("-improved") and metrics["started_from"] == "first"
    assert metrics["preference"]["train"] == 1
    evaluation = json.loads((newest / "evaluation.json").read_text(encoding="utf-8"))
    assert evaluation["against"]["run"] == "first"
    assert [a["prompt"] for a in evaluation["answers"]] == [h["instruction"] for h in HELD_OUT]
    blind = (newest / "ab.html").read_text(encoding="utf-8")
    assert blind.count('<section class="pair"') == 2 and "another trained model" in blind
    assert newest.name not in blind.replace(evaluation["page"], "") and "first" not in blind.split("</style>")[1]


def test_without_preferences_nothing_is_trained_and_what_is_missing_is_told(root: Path) -> None:
    with improving(root) as (told, place):
        assert place is None
    assert "this export has no preferences to learn from" in told and "inosuke feedback pull" in told
    assert [p.name for p in (root / "models").glob("*/metrics.json")] == ["metrics.json"]
    assert newest_run(root / "models").name == "first"
