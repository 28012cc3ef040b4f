import json
import os
import re
import shutil
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from curation.errors import InosukeError
from serve.cli import space
from serve.space import write_space
from tests.serve.conftest import PROJECT


@pytest.fixture
def ready(finished):
    shutil.copy(PROJECT / "constraints.txt", finished)
    return finished


def test_the_folder_is_complete_and_its_start_command_works(ready, tmp_path):
    out = tmp_path / "space"
    written = {p.as_posix() for p in write_space(out, root=ready)}
    assert {
        "Dockerfile",
        "README.md",
        ".gitattributes",
        "requirements.txt",
        "constraints.txt",
        "models/latest",
        "models/run-1/adapter/adapter_model.safetensors",
        "models/base/Tiny/model.safetensors",
        "serve/web/templates/index.html",
        "serve/web/static/main.js",
        "curation/chat.py",
    } <= written
    assert not any("__pycache__" in name or name.startswith("serve/space") for name in written)

    dockerfile = (out / "Dockerfile").read_text(encoding="utf-8")
    start = json.loads(re.search(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)[1])
    frame = re.search(r'INOSUKE_FRAME_ANCESTORS="(.*)"', dockerfile)[1]
    assert start[0] == "python" and start[-2:] == ["--port", "7860"]
    process = subprocess.Popen(
        [sys.executable, *start[1:-1], "0"],  # the same command on a free port
        cwd=out,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "INOSUKE_FRAME_ANCESTORS": frame},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Open "):
                break
        assert said[-1].startswith("Open "), "".join(said)
        assert any(line.startswith("Warning: listening on 0.0.0.0") for line in said)
        url = said[-1].split()[1].replace("0.0.0.0", "127.0.0.1")
        # A Space is called by its public name and shown in a frame of the Hub's page.
        page = httpx.get(url, headers={"Host": "me-inosuke.hf.space"})
        assert page.status_code == 200
        assert page.headers["Content-Security-Policy"].endswith("frame-ancestors https://huggingface.co")
        body = {"messages": [{"role": "user", "content": "a"}], "settings": {"max_new_tokens": 2}}
        assert httpx.post(f"{url}/api/chat", json=body).json()["run"] == "run-1"
    finally:
        process.terminate()
        process.communicate(timeout=120)


def test_the_card_has_the_front_matter_of_a_docker_space(ready, tmp_path):
    write_space(tmp_path / "space", root=ready)
    card = (tmp_path / "space" / "README.md").read_text(encoding="utf-8")
    head = dict(line.split(": ", 1) for line in card.split("---\n")[1].strip().split("\n"))
    assert (head["title"], head["sdk"], head["app_port"]) == ("Inosuke", "docker", "7860")
    assert len(head["short_description"]) <= 60  # the Hub refuses a longer one
    assert "run `run-1`" in card


def test_every_requirement_is_pinned_as_in_the_constraints(ready, tmp_path):
    write_space(tmp_path / "space", root=ready)
    pins = (tmp_path / "space" / "requirements.txt").read_text(encoding="utf-8").split()
    constraints = (PROJECT / "constraints.txt").read_text(encoding="utf-8").lower().split()
    assert [pin for pin in pins if pin.lower() not in constraints] == []


def test_a_folder_with_something_in_it_is_left_alone(ready, tmp_path):
    out = tmp_path / "space"
    out.mkdir()
    (out / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InosukeError, match="is not empty"):
        write_space(out, root=ready)
    assert [p.name for p in out.iterdir()] == ["mine.txt"]


def test_a_fresh_clone_of_a_space_is_filled(ready, tmp_path):
    (tmp_path / "space" / ".git").mkdir(parents=True)
    assert write_space(tmp_path / "space", root=ready)
    assert (tmp_path / "space" / ".git").is_dir()


def test_nothing_half_written_is_left_behind(finished, tmp_path):
    with pytest.raises(InosukeError, match=r"constraints\.txt is missing"):
        write_space(tmp_path / "space", root=finished)
    assert not (tmp_path / "space").exists() and not (tmp_path / "space.part").exists()


def test_the_command_says_what_it_wrote(ready, tmp_path, monkeypatch):
    monkeypatch.chdir(ready)
    result = CliRunner().invoke(space, ["--out", str(tmp_path / "space")], catch_exceptions=False)
    assert re.match(r"\d+ files in ", result.output)
