"""Names of local folders do not reach the Hub; what they tell apart stays apart."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.hub.neutral import Names, persona_file
from tests.curation.conftest import Shell
from tests.tools.exports import PERSONA_FILE
from tests.tools.hub import FakeHub

Project = Callable[..., Path]


@pytest.mark.parametrize(
    ("folders", "path", "neutral"),
    [
        (["corpus"], "corpus/quotes.json", "source-1/quotes.json"),
        (["a", "../films of Mai"], "../films of Mai/ep1.srt", "source-2/ep1.srt"),
        (["../films"], "../films/season 1/ep1.srt", "source-1/1/ep1.srt"),
        (["../films"], "../films/all.zip/Mai/ep1.srt", "source-1/1/ep1.srt"),
        (["C:/Users/Mai/films"], "C:/Users/Mai/films/ep1.srt", "source-1/ep1.srt"),
        (["/home/mai/films"], "/home/mai/films/x/ep1.srt", "source-1/1/ep1.srt"),
        (["films", "films/extra"], "films/extra/ep1.srt", "source-2/ep1.srt"),
        (["films"], "films-of-mai/ep1.srt", "source-2/ep1.srt"),
        (["quotes.json"], "quotes.json", "source-1/quotes.json"),
    ],
)
def test_a_path_keeps_its_file_and_loses_its_folders(folders: list[str], path: str, neutral: str) -> None:
    assert Names(folders, [path]).path(path) == neutral


name = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
paths = st.lists(st.lists(name, min_size=2, max_size=4).map("/".join), max_size=8)


@given(paths=paths, folders=st.lists(name, max_size=3, unique=True))
def test_different_files_stay_different_and_only_the_file_is_named(paths: list[str], folders: list[str]) -> None:
    names = Names(folders, paths)
    assert len({names.path(path) for path in paths}) == len(set(paths))
    for path in paths:
        first, *_, last = names.path(path).split("/")
        assert first.startswith("source-") and last == path.rpartition("/")[2]
        assert names.path(path).count("/") <= 2


def test_a_folder_that_was_included_or_audited_has_its_neutral_name() -> None:
    names = Names(["../films"], ["../films/a/1.srt", "../films/b/2.srt", "../films/3.srt"])
    assert names.around("../films") == "source-1"
    assert names.around("../films/b/") == "source-1/2"
    assert names.around("../films/3.srt") == "source-1/3.srt"
    assert names.around("0123456789abcdef") is None


def test_what_persona_toml_says_of_its_folders_is_neutral_too() -> None:
    names = Names(["../films of Mai", "lines"], [])
    data = {"name": "A", "sources": [{"path": "../films of Mai", "rights": "own"}, {"path": "lines"}]}
    assert persona_file(data, names)["sources"] == [{"path": "source-1", "rights": "own"}, {"path": "source-2"}]
    assert persona_file({"name": "A"}, names) == {"name": "A"}


@pytest.mark.parametrize("corpus", [None, "Nhật ký của Mai"])
@pytest.mark.parametrize("private", [True, False])
def test_no_published_file_names_a_folder_of_the_person(
    corpus: str | None, private: bool, project: Project, shell: Shell, hub: FakeHub
) -> None:
    root = project({})
    persona = PERSONA_FILE.read_text(encoding="utf-8").replace(
        '[corpus]\nrights = "private"', '[corpus]\nrights = "own"'
    )
    persona += '\n[[sources]]\npath = "../nhà của Mai"\nrights = "own"\nlicense = "mit"\ntrusted = true\n'
    (root / "persona.toml").write_text(persona, encoding="utf-8")
    where = root / corpus if corpus else root.parent / "nhà của Mai"
    shutil.rmtree(where, ignore_errors=True)
    rows = [{"instruction": f"Hỏi: Câu {n}?", "input": "", "output": f"Đáp {n}! {'Hú' * n}!"} for n in range(8)]
    for sub, part in (("", rows[:4]), ("Tập/của Mai", rows[4:])):
        (where / sub).mkdir(parents=True, exist_ok=True)
        (where / sub / "quotes.json").write_text(json.dumps(part, ensure_ascii=False), encoding="utf-8")
    held = [{"id": "p", "messages": [{"role": "user", "content": "Ai?"}], "reference": "Ta!", "tests": "identity"}]
    (where / "test_set.jsonl").write_text(json.dumps(held[0], ensure_ascii=False), encoding="utf-8")
    options = ["--persona", root / "persona.toml"]
    built: Any = shell("dataset", *(["--corpus", where] if corpus else []), *options)
    assert built[0] == 0, built
    status, said, error = shell("publish", "writer/lines", *(["--private"] if private else []), *options)
    assert status == 0, (said, error)
    files = hub["writer/lines"].head.files
    for path, content in files.items():
        text = content.decode("utf-8", "replace") + json.dumps(content.decode("utf-8", "replace"))
        assert "Mai" not in path + text and "Tập" not in text, path
    chat = [json.loads(line) for line in files["jsonl/chat.train.jsonl"].decode().splitlines()]
    number = 1 if corpus else 6
    assert {row["source"] for row in chat} == {f"source-{number}/quotes.json", f"source-{number}/1/quotes.json"}
    published = tomllib.loads(files["persona.toml"].decode())
    assert [source["path"].partition("-")[0] for source in published["sources"]] == ["source"] * 6
    assert f"| `source-{number}` | 8 | own |" in files["README.md"].decode()
    assert "Mai" in said or corpus is None, "the person who publishes sees their own names"
