"""A Space whose GGUF stays in a model repository: found, pinned, fetched, compared. The Hub is a fake server."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from huggingface_hub import HfApi

from curation.errors import InosukeError, UsageError
from serve.commands.space import space
from serve.model_files import gguf_choice, weights
from serve.space.folder import write_space
from tests.serve.conftest import PROJECT
from tests.tools.gguf_files import manifest, write_gguf
from tests.tools.hub import READER, WRITER, environment, running

REPO = "writer/inosuke"


@pytest.fixture
def project(finished, tiny_model, tokenizer):
    shutil.copy(PROJECT / "constraints.txt", finished)
    folder = finished / "models" / "run-1" / "gguf"
    write_gguf(folder / "model-F16.gguf", tiny_model, tokenizer)
    manifest(folder, served="model-F16.gguf")
    return finished


@pytest.fixture
def file(project):
    return project / "models" / "run-1" / "gguf" / "model-F16.gguf"


@pytest.fixture
def hub(file):
    """The Hub, with the run's GGUF published, and then a later commit on top."""
    with running() as server:
        api = HfApi(endpoint=server.url, token=WRITER)
        api.create_repo(REPO)
        server.edit(REPO, "gguf/model-F16.gguf", file.read_bytes(), kind="models")
        api.create_tag(REPO, tag="v1")
        server.edit(REPO, "README.md", b"later", kind="models")
        yield server


@pytest.fixture
def api(hub):
    return HfApi(endpoint=hub.url, token=READER)


def made(project, tmp_path, api, source=REPO):
    out = tmp_path / "space"
    write_space(out, root=project, weights_from=source, api=api)
    return out


def test_the_folder_names_repository_commit_and_hash_and_holds_no_weights(project, file, hub, api, tmp_path):
    out = made(project, tmp_path, api)
    assert not list(out.rglob("*.gguf"))
    assert json.loads((out / "weights.json").read_text(encoding="utf-8")) == {
        "repo": REPO,
        "revision": hub.repos[f"models/{REPO}"].head.oid,
        "file": "gguf/model-F16.gguf",
        "folder": "models/run-1",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "bytes": file.stat().st_size,
    }
    assert "huggingface_hub==" in (out / "requirements.txt").read_text(encoding="utf-8")
    assert "python -m serve.model_files.weights" in (out / "Dockerfile").read_text(encoding="utf-8")


def test_a_tag_is_pinned_as_the_commit_that_it_means(project, hub, api, tmp_path):
    out = made(project, tmp_path, api, f"{REPO}@v1")
    pinned = weights.Weights.model_validate_json((out / "weights.json").read_bytes())
    assert pinned.revision == hub.repos[f"models/{REPO}"].tags["v1"] != hub.repos[f"models/{REPO}"].head.oid


def test_the_image_fetches_the_file_and_then_answers(project, file, hub, api, tmp_path):
    out = made(project, tmp_path, api)
    hub.edit(REPO, "gguf/model-F16.gguf", b"another model", kind="models")  # after the pin: no matter
    outside = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "HF_HUB_OFFLINE")}
    done = subprocess.run(
        [sys.executable, "-m", "serve.model_files.weights"],
        cwd=out,
        env=outside | environment(hub.url, str(tmp_path / "hf")),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "SHA-256 as expected" in done.stdout, done.stderr
    assert gguf_choice.choose(out / "models" / "run-1").path.read_bytes() == file.read_bytes()


def test_other_bytes_are_refused_and_do_not_stay(project, hub, api, tmp_path):
    out = made(project, tmp_path, api)
    hub.repos[f"models/{REPO}"].head.files["gguf/model-F16.gguf"] = b"GGUF, but not ours"
    with pytest.raises(InosukeError, match=r"is not the file .* its SHA-256 is [0-9a-f]{64}; expected [0-9a-f]{64}"):
        weights.fetch(out, api)
    assert not list(out.rglob("*.gguf"))


def test_a_repository_that_is_gone_is_reported_with_a_remedy(project, hub, api, tmp_path):
    out = made(project, tmp_path, api)
    hub.repos.clear()
    with pytest.raises(InosukeError, match=r"cannot be fetched.*secret called HF_TOKEN"):
        weights.fetch(out, api)


def test_a_build_reads_the_token_that_docker_mounts(project, hub, api, tmp_path, monkeypatch):
    out = made(project, tmp_path, api)
    hub.repos[f"models/{REPO}"].private = True
    secret = tmp_path / "HF_TOKEN"
    monkeypatch.setattr(weights, "_SECRET", secret)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda token: HfApi(endpoint=hub.url, token=token or READER))
    with pytest.raises(InosukeError, match="cannot be fetched"):
        weights.fetch(out)
    secret.write_text(f"{WRITER}\n", encoding="utf-8")
    assert weights.fetch(out).startswith("Fetched gguf/model-F16.gguf")


def test_a_folder_that_holds_its_weights_fetches_nothing(tmp_path):
    assert weights.fetch(tmp_path) == "No weights.json: the weights are in the folder."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gguf/model-F16.gguf": b"older"}, "is another file in writer/inosuke"),
        ({}, "has no gguf/model-F16.gguf"),
    ],
)
def test_a_repository_without_this_very_file_is_refused_and_nothing_is_written(
    project, hub, api, tmp_path, change, message
):
    hub.repos[f"models/{REPO}"].head.files = change
    with pytest.raises(InosukeError, match=rf"{message}.*Publish this run there first"):
        made(project, tmp_path, api)
    assert not (tmp_path / "space").exists()


def test_anything_but_a_repository_is_wrong_usage(project, api, tmp_path):
    with pytest.raises(UsageError, match=r"is not a model repository.*Expected OWNER/NAME"):
        made(project, tmp_path, api, "a/b/c")
    with pytest.raises(InosukeError, match="writer/nowhere cannot be read"):
        made(project, tmp_path, api, "writer/nowhere")


def test_a_run_without_a_gguf_has_nothing_to_leave_there(project, api, tmp_path):
    shutil.rmtree(project / "models" / "run-1" / "gguf")
    with pytest.raises(UsageError, match="run run-1 has none"):
        made(project, tmp_path, api)


def test_the_command_takes_a_repository(project, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: HfApi(endpoint=hub.url, token=READER))
    result = CliRunner().invoke(space, ["--out", str(tmp_path / "space"), "--weights-from", REPO])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "space" / "weights.json").is_file()
