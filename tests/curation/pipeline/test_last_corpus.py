"""`inosuke dataset` keeps to the corpus of the last build, says which it is, and goes back with --starter."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from inosuke import cli
from tests.conftest import ROOT

Project = Callable[..., Path]
STARTER = '{"instruction": "Hỏi: Suối có lạnh không?", "input": "", "output": "Lạnh thì ta cười to hơn!"}\n'
MINE = '{"instruction": "Hỏi: Trời sắp mưa à?", "input": "", "output": "Mưa thì ta húc thủng mây!"}\n'


@pytest.fixture
def root(project: Project) -> Path:
    root = project({"handwritten/quotes.vi.jsonl": STARTER})
    (root / "của tôi").mkdir()
    (root / "của tôi" / "quotes.vi.jsonl").write_text(MINE * 2, encoding="utf-8")
    return root


def dataset(root: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["dataset", "--persona", str(root / "persona.toml"), *options])


def built(root: Path, *options: str) -> str | None:
    done = dataset(root, "--json", *options)
    assert done.exit_code == 0, (done.output, done.exception)
    corpus: str | None = json.loads(done.stdout)["corpus"]
    return corpus


def texts(root: Path) -> str:
    latest = (root / "datasets/export/latest").read_text(encoding="utf-8").strip()
    return (root / "datasets/export" / latest / "jsonl/chat.train.jsonl").read_text(encoding="utf-8")


def test_the_corpus_of_the_last_build_is_kept_until_another_is_named(root: Path) -> None:
    assert built(root) is None and "Lạnh" in texts(root)
    mine = root / "của tôi"
    assert built(root, "--corpus", str(mine)) == str(mine) and "Mưa" in texts(root)
    for _ in range(2):
        assert built(root) == str(mine)
        assert "Mưa" in texts(root) and "Lạnh" not in texts(root)
    assert built(root, "--starter") is None and "Lạnh" in texts(root)
    assert built(root) is None, "and stays there"
    assert not (root / "datasets/corpus.json").exists()


def test_the_command_says_what_it_builds_from(root: Path) -> None:
    mine = root / "của tôi"
    assert dataset(root).stdout.startswith("Built from the source folders of persona.toml.\n")
    named = dataset(root, "--corpus", str(mine)).stdout
    assert named.startswith(f"Built from {mine}. The next builds are too; --starter goes back")
    again = dataset(root).stdout
    assert again.startswith(f"Built from {mine}, like the last time. --starter goes back")
    assert "Nothing has changed since the last build." in again


def test_a_build_that_fails_changes_nothing_of_what_is_remembered(root: Path) -> None:
    mine = root / "của tôi"
    built(root, "--corpus", str(mine))
    assert dataset(root, "--corpus", str(root / "gone")).exit_code != 0
    (root / "empty").mkdir()
    assert dataset(root, "--corpus", str(root / "empty")).exit_code != 0
    assert built(root) == str(mine)


def test_a_corpus_is_found_again_from_another_folder_and_after_the_project_moved(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    assert built(root, "--corpus", "của tôi") == "của tôi"
    monkeypatch.chdir(root.parent)
    assert built(root) == str(root / "của tôi")
    moved = Path(shutil.move(root, tmp_path_factory.mktemp("moved") / "project"))
    assert built(moved) == str(moved / "của tôi")


def test_the_folder_that_one_stands_in_has_its_own_name(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "của tôi")
    built(root, "--corpus", ".")
    assert '"source": "của tôi/quotes.vi.jsonl"' in texts(root)


def test_a_corpus_that_is_gone_is_an_error_that_names_both_ways_on(root: Path) -> None:
    mine = root / "của tôi"
    built(root, "--corpus", str(mine))
    shutil.rmtree(mine)
    done = dataset(root)
    assert getattr(done.exception, "exit_status", None) == 2
    assert re.search(r"của tôi: the last build was made from this corpus.*--corpus .*--starter", str(done.exception))
    assert built(root, "--starter") is None


@pytest.mark.parametrize("content", ["", "[]", '{"path": 3}', "{"])
def test_a_damaged_note_stops_the_build_and_either_option_writes_it_again(content: str, root: Path) -> None:
    note = root / "datasets" / "corpus.json"
    note.write_text(content, encoding="utf-8")
    done = dataset(root)
    assert getattr(done.exception, "exit_status", None) == 1
    assert re.search(r"corpus\.json: damaged.*--corpus.*--starter", str(done.exception))
    assert built(root, "--corpus", str(root / "của tôi")) and built(root)


def test_both_options_at_once_are_wrong_usage(root: Path) -> None:
    done = dataset(root, "--starter", "--corpus", str(root / "của tôi"))
    assert getattr(done.exception, "exit_status", None) == 2 and "Give one of them." in str(done.exception)


def test_an_export_of_an_older_version_from_a_corpus_is_a_warning(root: Path) -> None:
    built(root, "--corpus", str(root / "của tôi"))
    (root / "datasets" / "corpus.json").unlink()  # older versions did not write it
    done = dataset(root)
    assert "Warning: the export before was built from the corpus `của tôi`, this one from persona.toml's" in done.stderr
    assert "Warning" not in dataset(root).stderr


def test_a_source_folder_that_a_corpus_hides_is_named_when_it_is_added(root: Path, tmp_path: Path) -> None:
    (tmp_path / "tracks").mkdir()
    add = ["source", "add", str(tmp_path / "tracks"), "--persona", str(root / "persona.toml")]
    built(root, "--corpus", str(root / "của tôi"))
    said = CliRunner().invoke(cli, add).stdout
    assert "the last dataset was built from" in said and "`inosuke dataset --starter`" in said


def test_a_persona_with_the_licence_in_its_card_is_told_what_to_change(root: Path) -> None:
    persona = root / "persona.toml"
    assert "Note:" not in dataset(root).stderr
    old = persona.read_text(encoding="utf-8").replace("[card]", '[card]\nlicense = "mit"\norigin = "Mine."')
    persona.write_text(old.replace('license = "cc-by-4.0"\n', ""), encoding="utf-8")
    note = dataset(root).stderr
    assert "Note: persona.toml: `license` and `origin` of [card] belong to a source folder." in note
    latest = (root / "datasets/export/latest").read_text(encoding="utf-8").strip()
    assert "license: mit\n" in (root / "datasets/export" / latest / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ([], "inosuke dataset"),
        (["CORPUS=../my corpus"], 'inosuke dataset --corpus "../my corpus"'),
        (["STARTER=1"], "inosuke dataset --starter"),
    ],
)
def test_make_dataset_takes_the_same_choices(arguments: list[str], command: str) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    run = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/.ready", "dataset", *arguments],
        cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    lines = [" ".join(line.split()).partition("bin/")[2] for line in run.stdout.splitlines()]
    assert command in [line.strip() for line in lines], run.stdout
