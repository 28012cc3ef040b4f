"""Which files of which folders go into a dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from curation.errors import InosukeError
from curation.persona import load_persona
from curation.pipeline import sources

PERSONA = """
name = "Mei"
languages = ["en"]
system_prompt = "You are Mei."

[[sources]]
path = "datasets/sources/own"
rights = "own"
held_out = ["prompts*"]

[[sources]]
path = "datasets/sources/missing"

[corpus]
rights = "licensed"
"""


def test_files_come_in_a_stable_order_with_the_entry_that_covers_them(project: Callable[..., Path]) -> None:
    files = {"own/b.jsonl": "", "own/a/z.srt": "", "own/prompts.jsonl": "", "own/notes.xyz": "", "own/a.license": ""}
    root = project(files, PERSONA)
    found, unknown = sources.find(load_persona(root / "persona.toml"))
    assert [(f.name, f.folder, f.about.rights, f.held_out) for f in found] == [
        ("datasets/sources/own/a/z.srt", "datasets/sources/own", "own", False),
        ("datasets/sources/own/b.jsonl", "datasets/sources/own", "own", False),
        ("datasets/sources/own/prompts.jsonl", "datasets/sources/own", "own", True),
    ]
    assert [path.name for path in unknown] == ["notes.xyz"]


def test_a_corpus_replaces_the_folders_of_the_persona(project: Callable[..., Path], tmp_path: Path) -> None:
    root = project({"own/a.jsonl": "", "corpus/x.jsonl": ""}, PERSONA)
    persona = load_persona(root / "persona.toml")
    folder = root / "datasets" / "sources" / "corpus"
    for corpus, name in ((folder, "corpus/x.jsonl"), (folder / "x.jsonl", "x.jsonl")):
        (found,) = sources.find(persona, corpus)[0]
        assert (found.name, found.folder, found.about.rights) == (name, corpus.name, "licensed")


def test_held_out_prompts_alone_are_nothing_to_import(project: Callable[..., Path]) -> None:
    root = project({"own/prompts.jsonl": ""}, PERSONA)
    with pytest.raises(InosukeError, match=r"nothing to import in .*own\. Expected files with one of the suffixes"):
        sources.find(load_persona(root / "persona.toml"))
