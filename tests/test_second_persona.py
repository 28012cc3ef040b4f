"""Another character is a folder of `inosuke new` and her lines: a girl from another story, from them to a reply.

Every step is a command or a request, and nothing is replaced: what decides is the persona.toml that the command wrote.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.train.conftest import tiny_base, tokenizer  # noqa: F401 - fixtures

pytestmark = pytest.mark.slow

COMMAND = Path(sys.executable).with_name("inosuke")
# The first character's name and story, and words for a man: none of them belongs to her.
ANOTHERS = re.compile(r"\b(inosuke|hashibira|kimetsu|demon slayer|boar|he|him|his|himself)\b", re.IGNORECASE)


def said(root: Path, *words: str) -> str:
    """Run a command in the project and return all that it said."""
    done = subprocess.run(
        [COMMAND, *words], cwd=root, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def anothers(text: str) -> list[str]:
    """Return the first character's words in a text, each with what stands around it.

    The names of the project, of its command and of its marks in a card are not the character's.
    """
    text = re.sub(r"(?<=;base64,)[\w+/=]+", "", text)  # a picture's letters may spell anything
    text = re.sub(r"AI-Inosuke|`inosuke [^`]*`|\binosuke (?=[a-z-]+\b)|<!-- inosuke:\w+", "", text)
    return [text[max(0, m.start() - 40) : m.end() + 20] for m in ANOTHERS.finditer(text)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:  # noqa: F811
    """Her project: what `inosuke new` writes, her lines and a prompt for the examples, a recipe for a tiny base."""
    root = tmp_path_factory.mktemp("anne")
    said(root, "new", "Anne", "--alias", "Anne Shirley", "--yes", "--into", ".")
    shutil.rmtree(root / "lines")
    shutil.copytree(ROOT / "tests" / "second_persona" / "lines", root / "lines")
    (root / "eval" / "prompts.jsonl").write_text(
        '{"id": "rain", "messages": [{"role": "user", "content": "Rain again."}], "reference": "How romantic!"}\n',
        encoding="utf-8",
    )
    (root / "tiny.toml").write_text(
        f'base = "{tiny_base.as_posix()}"\nmax_length = 1024\nlora_rank = 8\nepochs = 2\nbatch_size = 2\n'
        "learning_rate = 3e-3\nsamples = 1\n",
        encoding="utf-8",
    )
    return root


@pytest.fixture(scope="module")
def dataset(project: Path) -> dict[str, Any]:
    said(project, "review", "sync")
    result: dict[str, Any] = json.loads(said(project, "dataset", "--json").strip().splitlines()[-1])
    return result


@pytest.fixture(scope="module")
def trained(project: Path, dataset: dict[str, Any]) -> str:
    return said(project, "train", "--recipe", "tiny.toml", "--no-gguf", "--run", "anne")


@pytest.fixture(scope="module")
def server(project: Path, trained: str) -> Iterator[str]:
    """`inosuke serve` on any free port, with the run that the test has trained; ends with the tests."""
    words = [COMMAND, "serve", "--port", "0", "--engine", "transformers", "--run", "anne"]
    with subprocess.Popen(
        words, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        try:
            lines = []
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield found.group(0)
                    break
            else:
                pytest.fail("the server ended: " + "".join(lines))
        finally:
            process.terminate()
            process.wait(timeout=30)


def test_her_lines_become_a_dataset(dataset: dict[str, Any], project: Path) -> None:
    assert dataset["approved"] == 36
    assert dataset["exported"]["train"] + dataset["exported"]["eval"] == 36
    assert not dataset["rejected"]
    card = (Path(dataset["path"]) / "README.md").read_text(encoding="utf-8")
    assert card.count("Anne") > 1 and anothers(card) == []


def test_the_commands_speak_of_her(project: Path, dataset: dict[str, Any]) -> None:
    for words in (["dataset"], ["dataset", "stats", "--samples", "2"], ["review", "status"], ["import", "lines"]):
        assert anothers(said(project, *words)) == [], words


def test_she_is_trained(trained: str, project: Path) -> None:
    assert anothers(trained) == []
    metrics = json.loads((project / "models" / "anne" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["training"]["rows"] > 20
    assert anothers((project / "models" / "anne" / "README.md").read_text(encoding="utf-8")) == []


def test_she_is_evaluated(trained: str, project: Path) -> None:
    assert anothers(said(project, "evaluate", "anne", "--replies", "2")) == []
    assert anothers((project / "models" / "anne" / "report.html").read_text(encoding="utf-8")) == []


def test_she_answers_on_her_own_page(server: str) -> None:
    with urllib.request.urlopen(server, timeout=60) as response:
        page = response.read().decode()
    assert "Anne" in re.search("<title>(.*?)</title>", page, re.DOTALL).group(1)  # type: ignore[union-attr]
    assert anothers(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)) == []
    body = json.dumps({"messages": [{"role": "user", "content": "Who are you?"}], "stream": False}).encode()
    request = urllib.request.Request(f"{server}/api/chat", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as response:
        answer = json.load(response)
    assert isinstance(answer["reply"], str) and answer["run"] == "anne"
