"""What the licence of a base demands of a published model: files, name, front matter, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from curation import bases, licences
from curation.contracts.run import RunBase
from curation.errors import InosukeError, UsageError
from curation.export import card_merge
from curation.hub.model_repository import publish_model
from inosuke import cli
from tests.curation.conftest import Publish
from tests.tools.exports import PERSONA_FILE
from tests.tools.hub import Commit, FakeHub, Repo
from tests.tools.trained_bases import GEMMA, QWEN

LLAMA = {**QWEN, "name": "meta-llama/Llama-3.2-1B-Instruct", "path": "meta-llama/Llama-3.2-1B-Instruct"}
SMOL = {"name": "SmolLM2-135M-Instruct", "path": "models/base/SmolLM2-135M-Instruct", "sha256": "ab"}
MINE = {"name": "mine", "path": "bases/mine", "sha256": "ab", "source": "folder"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the run `r`, in the current folder. Its card is as older versions wrote it."""
    folder = tmp_path / "models" / "r"
    for name, text in {
        "adapter/adapter_config.json": "{}",
        "adapter/adapter_model.safetensors": "weights",
        "merged/model.safetensors": "weights",
        "tokenizer/tokenizer.json": "{}",
        "README.md": "---\nlicense: other\n---\n\n# Inosuke: r\n\nAn adapter.\n\n## Licence\n\nThe base's.\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for place in (folder, tmp_path):
        shutil.copy(PERSONA_FILE, place / "persona.toml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trained_on(project: Path, base: dict[str, Any], card: str | None = None) -> Path:
    run = project / "models" / "r"
    (run / "metrics.json").write_text(json.dumps({"run": "r", "base_model": base}), encoding="utf-8")
    if card:
        (run / "README.md").write_text(card, encoding="utf-8")
    return run


def publish(repo: str, *options: str) -> Result:
    return CliRunner().invoke(cli, ["publish-model", "r", repo, "--dry-run", *options])


# ------------------------------------------------------------------------------------------------- through the command


def test_a_dry_run_names_the_licence_and_its_files(project: Path) -> None:
    trained_on(project, GEMMA)
    result = publish("me/boar", "--merged", "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.output)
    assert content["licence"] == "gemma" and {"LICENSE", "NOTICE"} <= set(content["files"])
    assert content["warnings"] == []
    assert "licence   gemma" in publish("me/boar", "--merged").output


def test_the_adapter_of_a_cut_base_is_published_with_a_warning(project: Path) -> None:
    trained_on(project, GEMMA)
    (warning,) = json.loads(publish("me/boar", "--json").output)["warnings"]
    assert "vocabulary was cut here" in warning and "--merged" in warning


@pytest.mark.parametrize("stated", ["license: mit", "license: apache-2.0", "license: other\nlicense_name: free"])
def test_a_base_that_forbids_commercial_use_is_not_published_under_another_licence(project: Path, stated: str) -> None:
    trained_on(project, QWEN, f"---\n{stated}\n---\n\n# Inosuke\n")
    error = publish("me/boar").exception
    assert isinstance(error, InosukeError)
    for words in (f"says `license: {stated.split(': ')[-1]}`", "qwen-research", "Nothing was uploaded"):
        assert words in str(error)


def test_a_base_that_forbids_commercial_use_is_published_with_its_licence_and_a_warning(project: Path) -> None:
    trained_on(project, QWEN)
    content = json.loads(publish("me/boar", "--json").output)
    assert content["licence"] == "qwen-research"
    assert content["warnings"] == ["the licence of Qwen2.5-3B-Instruct allows no commercial use of the model."]


def test_the_name_of_a_model_made_from_llama_begins_with_llama(project: Path) -> None:
    trained_on(project, LLAMA)
    error = publish("me/boar").exception
    assert isinstance(error, UsageError) and "such as me/Llama-boar." in str(error)
    assert publish("me/Llama-boar").exit_code == 0


def test_a_base_outside_of_the_table_needs_its_licence_named(project: Path) -> None:
    trained_on(project, MINE)
    error = publish("me/boar").exception
    assert isinstance(error, UsageError) and "mine is not in the table" in str(error) and "--base-licence" in str(error)
    assert json.loads(publish("me/boar", "--base-licence", "mit", "--json").output)["licence"] == "mit"
    assert json.loads(publish("me/boar", "--base-licence", "GEMMA", "--json").output)["licence"] == "gemma"


@pytest.mark.parametrize(
    ("base", "named", "expected"),
    [
        (QWEN, "apache-2.0", "is under qwen-research"),
        (SMOL, "mit", "is under Apache-2.0"),
        ({**MINE, "name": "qwen2.5-3b-instruct-q4"}, "apache-2.0", "is called like Qwen2.5-3B-Instruct"),
        (MINE, "other", "not the identifier of a licence"),
        (MINE, "do what you like", "not the identifier of a licence"),
    ],
)
def test_a_named_licence_that_cannot_be_is_refused(
    project: Path, base: dict[str, Any], named: str, expected: str
) -> None:
    trained_on(project, base)
    error = publish("me/boar", "--base-licence", named).exception
    assert isinstance(error, UsageError) and expected in str(error)


# ----------------------------------------------------------------------------------------------------- what is uploaded


def test_what_gemma_demands_is_uploaded(project: Path, hub: FakeHub, send: Publish) -> None:
    send(trained_on(project, GEMMA), "writer/boar", call=publish_model, merged=True)
    files = hub.repos["models/writer/boar"].head.files
    assert files["LICENSE"].decode().startswith("Gemma Terms of Use\n")
    notice = files["NOTICE"].decode()
    for words in (
        "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n",
        "Its use is restricted: https://ai.google.dev/gemma/prohibited_use_policy",
        "- its vocabulary was cut to the words of the character's languages\n",
        "- the adapter was merged into its weights\n",
    ):
        assert words in notice
    card = card_merge.parse(files["README.md"].decode(), "the card")
    assert card.data["license"] == "gemma" and "The base's." not in card.body and card.body.count("## Licence") == 1
    manifest = json.loads(files["manifest.json"])["files"]
    assert {"LICENSE", "NOTICE"} <= set(manifest)


def test_the_text_of_a_licence_that_is_not_here_comes_from_the_base_on_the_hub(
    project: Path,
    hub: FakeHub,
    send: Publish,
) -> None:
    run = trained_on(project, QWEN)
    with pytest.raises(InosukeError, match=r"Qwen Research License Agreement has to be passed on.*models/r/LICENSE"):
        send(run, "writer/boar", call=publish_model)
    assert "models/writer/boar" not in hub.repos
    hub.repos["models/Qwen/Qwen2.5-3B-Instruct"] = Repo(False, [Commit("1" * 40, "", "", {"LICENSE": b"The text\n"})])
    send(run, "writer/boar", call=publish_model)
    files = hub.repos["models/writer/boar"].head.files
    assert files["LICENSE"] == b"The text\n"
    card = card_merge.parse(files["README.md"].decode(), "the card")
    assert (card.data["license"], card.data["license_name"]) == ("other", "qwen-research")
    assert "**Built with Qwen.**" in card.body.partition("\n## ")[0] and "Copyright (c) Alibaba" in str(files["NOTICE"])


def test_a_text_that_lies_in_the_run_is_taken(project: Path) -> None:
    run = trained_on(project, QWEN)
    (run / "LICENSE").write_text("By hand\n", encoding="utf-8")
    base = bases.find("Qwen2.5-3B-Instruct")
    assert base and licences.text_of(base.licence, run) == "By hand\n"


def test_a_card_on_the_hub_cannot_say_what_the_base_forbids(
    project: Path,
    hub: FakeHub,
    send: Publish,
) -> None:
    run = trained_on(project, GEMMA)
    send(run, "writer/boar", call=publish_model)
    card = hub.repos["models/writer/boar"].head.files["README.md"]
    hub.edit("writer/boar", "README.md", card.replace(b"license: gemma", b"license: mit"), kind="models")
    with pytest.raises(InosukeError, match=r"writer/boar/README\.md on the Hub: its front matter says `license: mit`"):
        send(run, "writer/boar", call=publish_model)


def test_the_card_of_a_run_on_another_base_loses_the_former_licence(
    project: Path,
    hub: FakeHub,
    send: Publish,
) -> None:
    run = trained_on(project, QWEN)
    (run / "LICENSE").write_text("By hand\n", encoding="utf-8")
    send(run, "writer/boar", call=publish_model)
    send(trained_on(project, SMOL), "writer/boar", call=publish_model)
    files = hub.repos["models/writer/boar"].head.files
    data = card_merge.parse(files["README.md"].decode(), "the card").data
    assert {key: value for key, value in data.items() if key.startswith("license")} == {"license": "apache-2.0"}
    assert "Apache License" in files["LICENSE"].decode() and "Built with Qwen" not in files["README.md"].decode()


# -------------------------------------------------------------------------------------------------------------- details


def test_a_permissive_base_leaves_the_choice_of_another_licence() -> None:
    terms = licences.terms_of(RunBase(**SMOL), ())
    assert licences.checked_front_matter({"license": "cc-by-nc-4.0"}, terms, "the card") == {"license": "cc-by-nc-4.0"}
    assert licences.checked_front_matter({"tags": ["a"]}, terms, "the card") == {
        "tags": ["a"],
        "license": "apache-2.0",
    }


@pytest.mark.parametrize("base", bases.all_bases(), ids=lambda base: base.name)
def test_every_licence_of_the_table_can_be_passed_on(base: bases.Base) -> None:
    assert base.licence.text or base.licence.hub_text
    assert base.licence.permissive or base.licence.notice
