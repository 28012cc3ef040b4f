"""What `inosuke publish-model` shows and asks before it sends anything: the same door as `inosuke publish`."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.newest import set_latest
from tests.curation.conftest import Shell
from tests.tools.exports import PERSONA_FILE
from tests.tools.hub import FakeHub
from tests.tools.terminals import answered

REPO, STORED = "writer/model", "models/writer/model"
BASE = {
    "name": "SmolLM2-135M-Instruct",
    "path": "models/base/SmolLM2-135M-Instruct",
    "sha256": "ab",
    "source": "embedded",
}
Go = Callable[..., tuple[int, str, str]]


def trained(root: Path, name: str, weights: str = "weights" * 1000, **more: str) -> Path:
    """Make a run with an adapter and a merged model."""
    folder = root / "models" / name
    files = {
        "adapter/adapter_config.json": '{"base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}',
        "adapter/adapter_model.safetensors": weights,
        "merged/model.safetensors": weights * 10,
        "merged/config.json": "{}",
        "tokenizer/tokenizer.json": "{}",
        "recipe.toml": "",
        "metrics.json": json.dumps({"run": name, "base_model": BASE}),
        "README.md": "---\nlibrary_name: peft\n---\n\n# Inosuke\n",
    }
    for path, text in (files | more).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    shutil.copy(PERSONA_FILE, folder / "persona.toml")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(PERSONA_FILE, tmp_path / "persona.toml")
    trained(tmp_path, "run-1")
    return tmp_path


@pytest.fixture
def go(root: Path, shell: Shell) -> Go:
    def run(
        *options: str, run: str = "run-1", token: str | None = "hf_writer_token_1234567890"
    ) -> tuple[int, str, str]:
        return shell("publish-model", run, REPO, "--persona", root / "persona.toml", *options, token=token)

    return run


def test_a_dry_run_shows_visibility_licence_what_is_there_and_sizes(root: Path, go: Go, hub: FakeHub) -> None:
    status, said, error = go("--dry-run")
    assert (status, error, hub.repos) == (0, "", {}), "nothing is created"
    assert "\n  visible   new, public\n  base      SmolLM2-135M-Instruct (https://huggingface.co/" in said
    assert (
        "\n  licence   Apache-2.0\n  notice    Apache License 2.0" in said
        and "LICENSE and NOTICE go with the model" in said
    )
    assert "\n  there     nothing: the repository does not exist\n  new       " in said
    assert "adapter_model.safetensors 7.0 kB" in said and "replaced" not in said
    assert go("--private")[0] == 0
    trained(root, "run-2", "others!" * 900)
    commits = len(hub.repos[STORED].commits)
    status, said, _ = go("--dry-run", run="run-2")
    assert status == 0 and "\n  visible   private\n" in said and len(hub.repos[STORED].commits) == commits
    assert "\n  there     run run-1 (version " in said
    replaced = next(line for line in said.splitlines() if line.startswith("  replaced"))
    assert "adapter_model.safetensors 6.3 kB" in replaced and "tokenizer.json" not in replaced, "it is the same"
    facts = json.loads(go("--dry-run", "--json", run="run-2")[1])
    assert facts["replaced"]["adapter_model.safetensors"] == 6300 and facts["visibility"] == "private"
    assert (facts["questions"], facts["licence"]) == ([], "Apache-2.0")


def test_a_dry_run_without_a_token_does_not_ask_the_hub(go: Go, hub: FakeHub) -> None:
    status, said, _ = go("--dry-run", token=None)
    assert status == 0 and hub.requests == []
    assert "visible   not known: there is no token" in said and "\n  there     not known\n" in said


def test_files_of_others_want_yes(go: Go, hub: FakeHub) -> None:
    hub.make(REPO, {"adapter_model.safetensors": b"another's"}, kind="models")
    before = hub.repos[STORED].head
    status, said, error = go()
    assert status == 1 and hub.repos[STORED].head is before
    assert "\n  asks      adapter_model.safetensors on the Hub, not from this project, would be replaced" in said
    assert "Nothing was uploaded. If that is what you want, run the command again with --yes." in error
    status, _, error = go("--json")
    assert status == 1 and "--yes" in error and hub.repos[STORED].head is before
    assert go("--yes")[0] == 0
    assert hub.repos[STORED].head.files["adapter_model.safetensors"] == b"weights" * 1000


def test_weights_that_would_go_want_yes(go: Go, hub: FakeHub) -> None:
    assert go("--merged")[0] == 0
    before = hub.repos[STORED].head
    status, said, error = go()
    assert status == 1 and hub.repos[STORED].head is before
    assert "\n  removed   " in said and "model.safetensors" in said
    assert "would be removed. Nothing was uploaded. To keep what is there, publish to a repository of" in error
    assert go("--yes")[0] == 0 and "model.safetensors" not in hub.repos[STORED].head.files


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "published"), [("y", True), ("", False)])
def test_on_a_terminal_it_shows_and_asks(
    answer: str, published: bool, root: Path, hub: FakeHub, environment: dict[str, str]
) -> None:
    variables = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"} | environment
    command = ["publish-model", "run-1", REPO, "--persona", str(root / "persona.toml")]
    status, said = answered(command, answer, variables, lambda: not hub.repos)
    assert said.startswith("writer/model: would be published") and "visible   new, public" in said
    assert (status == 0) is published and bool(hub.repos) is published, said
    assert ("Error: not published. Nothing was uploaded." in said) is not published


def test_the_run_notes_where_it_was_published_and_its_card_says_so(
    root: Path, go: Go, hub: FakeHub, shell: Shell
) -> None:
    set_latest(root / "models", "run-1")

    def exported() -> tuple[dict[str, str], str]:
        status, said, error = shell("card", "export", "--out", root / "c.json", "--persona", root / "persona.toml")
        assert (status, error) == (0, "")
        return json.loads((root / "c.json").read_text("utf-8"))["data"]["extensions"]["inosuke"], said

    assert go("--dry-run")[0] == 0
    assert exported()[0] == {"run": "run-1"}, "nothing is invented before it is published"
    assert go("--private")[0] == 0
    commit = hub.repos[STORED].head.oid
    about, said = exported()
    assert about == {"run": "run-1", "adapter_repository": REPO, "adapter_commit": commit}
    assert f"Note: the card names {REPO}, which was published as private." in said
    assert go("--merged", "--yes")[0] == 0
    about = exported()[0]
    assert (about["adapter_commit"], about["merged_commit"]) == (commit, hub.repos[STORED].head.oid)
    (root / "models" / "run-1" / "published.json").write_text("{", "utf-8")
    status, _, error = shell("card", "export", "--out", root / "c.json", "--persona", root / "persona.toml")
    assert status == 1 and "published.json: damaged" in error and "inosuke publish-model" in error
    assert go("--yes")[0] == 0, "a damaged record is replaced"
    assert set(exported()[0]) == {"run", "adapter_repository", "adapter_commit"}
