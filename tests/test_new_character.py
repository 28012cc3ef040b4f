"""`inosuke new` as it is used: a folder for another character, with its example rows as they are, to a chat page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.train.conftest import tiny_base, tokenizer  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
NAME = "Trần Mai"
# The first character's name, story and words. Names of the project, its command and its marks are not theirs.
ANOTHERS = re.compile(r"\b(inosuke|hashibira|kimetsu|demon slayer|boars?|lợn rừng|ta|ngươi)\b", re.IGNORECASE)
PROJECTS = re.compile(
    r"AI-Inosuke|`inosuke [^`]*`|\binosuke (?=[a-z-]+\b)|<!-- inosuke:\w+|INOSUKE_\w+|Inosuke-Ignored|\binosuke\.\w+"
)
# Written by train and dataset from weights and tables: no words of a person.
BINARY = {".safetensors", ".parquet", ".png", ".gguf", ".db", ".bin", ".pt"}


def anothers(text: str) -> list[str]:
    """Return the first character's words in a text, each with what stands around it."""
    text = PROJECTS.sub("", text)
    return [text[max(0, m.start() - 40) : m.end() + 20] for m in ANOTHERS.finditer(text)]


def made(*targets: str, folder: Path) -> str:
    """Run make in the project for a character's folder and return all that it said."""
    command = ["make", "--no-print-directory", "--old-file", ".venv/.ready", "HERE=", f"BIN={BIN.as_posix()}"]
    done = subprocess.run(
        [*command, f"CHARACTER={folder}", *targets],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:  # noqa: F811
    """Her folder, by the command alone; only the base is a tiny one."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    root = tmp_path_factory.mktemp("characters") / "mai of the hill"
    options = ["--language", "vi", "--language", "en", "--self", "tớ", "--user", "cậu", "--into", root]
    subprocess.run([BIN / "inosuke", "new", NAME, *options], stdin=subprocess.DEVNULL, check=True)
    with (root / "persona.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[models]\ncpu = "{tiny_base.as_posix()}"\ngpu = "{tiny_base.as_posix()}"\n')
    return root


@pytest.fixture(scope="module")
def trained(folder: Path) -> str:
    said = made("dataset", "train", folder=folder)
    [run] = (path.parent.parent.name for path in (folder / "models").glob("*/adapter/adapter_model.safetensors"))
    # A tiny random model speaks too badly to become the newest by itself.
    (folder / "models" / "latest").write_text(f"{run}\n", encoding="utf-8")
    return said


def test_make_dataset_and_train_run_at_once_and_warn_of_the_examples(trained: str, folder: Path) -> None:
    assert "Warning: 20 rows are still examples" in trained
    assert re.search(r"Warning: \d+ of \d+ training dialogues are still examples of `inosuke new`", trained)
    assert next((folder / "models").glob("*/adapter/adapter_model.safetensors"))
    assert not (ROOT / "models" / "mai of the hill").exists()


def test_nothing_of_the_first_character_is_in_any_file(trained: str, folder: Path) -> None:
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix not in BINARY and p.name != "tokenizer.json"]
    files = [p for p in files if "tools" not in p.parts]  # a program that the training fetched
    found = {p.relative_to(folder).as_posix(): anothers(p.read_text(encoding="utf-8")) for p in files}
    assert {name: words for name, words in found.items() if words} == {}
    assert anothers(trained) == []
    assert {"persona.toml", "guidelines.md", "eval/prompts.jsonl", ".gitignore"} <= set(found)
    assert any(name.startswith("models/") and name.endswith("README.md") for name in found)


def test_the_page_is_the_new_characters(trained: str, folder: Path) -> None:
    words = [BIN / "inosuke", "serve", "--port", "0", "--engine", "transformers"]
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as server:
        try:
            assert server.stdout is not None
            said = ""
            for line in server.stdout:
                said += line
                if place := re.search(r"http://127\.0\.0\.1:\d+", line):
                    break
            else:
                pytest.fail(f"the server ended: {said}")
            with urllib.request.urlopen(place[0], timeout=60) as response:
                page = response.read().decode()
            with urllib.request.urlopen(f"{place[0]}/api/info", timeout=60) as response:
                info = response.read().decode()
        finally:
            server.terminate()
            server.wait(timeout=30)
    assert NAME in re.search("<title>(.*?)</title>", page, re.DOTALL)[1]  # type: ignore[index]
    told = tomllib.loads((folder / "persona.toml").read_text(encoding="utf-8"))
    assert told["greetings"]["vi"][0] in page + json.dumps(json.loads(info), ensure_ascii=False)
    assert anothers(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)) == []
    assert anothers(info) == []


def test_the_space_is_the_new_characters(trained: str, folder: Path) -> None:
    made("space", folder=folder)
    card = (folder / "build" / "space" / "README.md").read_text(encoding="utf-8")
    assert NAME in card and anothers(card) == []


def test_examples_are_not_published(trained: str, folder: Path) -> None:
    done = subprocess.run(
        [BIN / "inosuke", "publish", "someone/mai", "--private", "--dry-run"],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", env={"HF_HUB_OFFLINE": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "are still examples of `inosuke new`" in done.stderr
