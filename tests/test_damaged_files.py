"""A damaged file between two stages gives the same clear error in every command that reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation import newest
from curation.contracts.gguf import read_gguf_list
from curation.contracts.manifest import read_manifest
from curation.contracts.run import read_metrics
from curation.errors import InosukeError
from inosuke import cli
from tests.train.conftest import ONE, TWO, write_export

COMMANDS = {
    "train": ["train", "--run", "new"],
    "publish": ["publish", "someone/lines", "--dry-run"],
    "dataset stats": ["dataset", "stats"],
    "dataset diff": ["dataset", "diff", "latest"],
    "evaluate": ["evaluate"],
    "merge": ["merge"],
    "gguf": ["gguf"],
    "serve": ["serve", "--port", "0"],
    "publish-model": ["publish-model", "run-1", "someone/model", "--dry-run"],
}
# file → what reads it alone, and the commands that do. publish-model is told a run's name, so it reads no pointer.
READERS = {
    "datasets/export/latest": (
        lambda root: newest.newest_export(root / "datasets" / "export"),
        ("train", "publish", "dataset stats", "dataset diff"),
    ),
    "datasets/export/v1/manifest.json": (
        lambda root: read_manifest(root / "datasets" / "export" / "v1"),
        ("train", "publish", "dataset stats", "dataset diff"),
    ),
    "models/latest": (
        lambda root: newest.newest_run(root / "models"),
        ("evaluate", "merge", "gguf", "serve"),
    ),
    "models/run-1/metrics.json": (
        lambda root: read_metrics(root / "models" / "run-1"),
        ("evaluate", "merge", "gguf", "serve", "publish-model"),
    ),
    "models/run-1/gguf/gguf.json": (
        lambda root: read_gguf_list(root / "models" / "run-1"),
        ("serve", "publish-model"),
    ),
}
DAMAGE = {"bytes that are not text": b"\xff\xfe", "cut off": b'{"version": ', "empty": b""}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an export and a finished run, as small as commands need to get to these files."""
    write_export(tmp_path, [ONE, TWO], [TWO])
    run = tmp_path / "models" / "run-1"
    for name in ("recipe.toml", "README.md"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("", encoding="utf-8")
    for name in ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "gguf/model-Q8_0.gguf"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"GGUF\x03\x00\x00\x00")
    (run / "tokenizer").mkdir()
    (run / "persona.toml").write_bytes((tmp_path / "persona.toml").read_bytes())
    metrics = {
        "run": "run-1",
        "base_model": {"name": "Tiny", "path": "models/base/Tiny", "sha256": None},
        "dataset": {"version": "v1", "path": "datasets/export/v1", "files": {}},
    }
    (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (run / "gguf" / "gguf.json").write_text('{"files": []}', encoding="utf-8")
    newest.set_latest(tmp_path / "models", "run-1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said_by(command: str, root: Path) -> str:
    """Return the error that a command ends with."""
    if command == "serve":  # it loads beside its listening socket, in a process of its own
        done = subprocess.run(
            [sys.executable, "-m", "serve", *COMMANDS[command][1:]],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        return done.stderr.strip().splitlines()[-1].removeprefix("Error: ")
    result = CliRunner().invoke(cli, COMMANDS[command])
    assert isinstance(result.exception, InosukeError), (result.exception, result.output)
    return str(result.exception)


@pytest.mark.parametrize(
    ("name", "command"), [(name, command) for name, (_, commands) in READERS.items() for command in commands]
)
def test_every_command_says_the_same_of_a_damaged_file(name: str, command: str, project: Path) -> None:
    read, _ = READERS[name]
    for damage in DAMAGE.values() if command != "serve" else [DAMAGE["cut off"]]:
        (project / name).write_bytes(damage)
        with pytest.raises(InosukeError) as expected:
            read(project)
        wanted = str(expected.value).replace(str(project) + os.sep, "")
        assert said_by(command, project).replace(str(project) + os.sep, "") == wanted
        assert wanted.startswith(f"{name}: damaged")
