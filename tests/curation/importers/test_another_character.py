"""Every importer works for another character: a girl from another story, English only, without user labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.codes import findings
from curation.importers import read
from curation.persona import Persona, load_persona
from curation.pipeline.stages import build
from curation.record import Imported, Sample
from curation.transcripts.scenes import to_samples
from tests.curation.importers.looks import rejections, said, turns

PERSONA = """
name = "Anne"
aliases = ["Anne Shirley"]
languages = ["en"]
system_prompt = "You are Anne Shirley of Green Gables."

[scenes.quote_prompts]
en = ["Tell me something.", "Tell me more, Anne."]

[[sources]]
path = "lines"
rights = "own"
author = "reader"
"""
SRT = """1
00:00:01,000 --> 00:00:02,000
MARILLA: Do you never stop talking?

2
00:00:02,100 --> 00:00:04,000
ANNE: Not while there is so much to imagine!

3
00:01:00,000 --> 00:01:02,000
MATTHEW: The horse is tired.
"""
SCRIPT = """SCENE 1

(the lake, at dusk)
Diana: What do you call it?
Anne: The Lake of Shining Waters, of course!
Diana: It is only a pond.
"""
ROWS = [
    {"instruction": "What is your name?", "input": "", "output": "Anne, and please spell it with an e!"},
    {"messages": [{"role": "user", "content": "Sit down."}, {"role": "assistant", "content": "I would love to!"}]},
    {
        "conversations": [
            {"from": "Gilbert", "value": "Hello, Carrots!"},
            {"from": "anne shirley", "value": "How dare you!"},
        ]
    },
    {"instruction": "", "input": "Marilla: Supper.\nSupper is ready.", "output": "Anne: I am coming!"},
    {"instruction": "A walk", "input": "Diana: Look, a brook!", "output": "It laughs, Diana!\nGilbert: Wait for me."},
]


@pytest.fixture
def anne(tmp_path: Path) -> Persona:
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    (tmp_path / "lines").mkdir()
    return load_persona(tmp_path / "persona.toml")


def imported(persona: Persona, name: str, content: str) -> Imported:
    path = persona.root / "lines" / name
    path.write_text(content, encoding="utf-8")
    return read(path, persona)


def dialogues(found: Imported, persona: Persona) -> list[Sample]:
    return to_samples([found], persona)[0]


def test_rows_of_every_shape(anne: Persona) -> None:
    found = imported(anne, "rows.json", json.dumps(ROWS))
    assert [turns(sample) for sample in found.samples] == [
        [("?", "What is your name?"), ("*", "Anne, and please spell it with an e!")],
        [("?", "Sit down."), ("*", "I would love to!")],
        [("Gilbert", "Hello, Carrots!"), ("*", "How dare you!")],
        [("?", "Marilla: Supper.\nSupper is ready."), ("*", "I am coming!")],
        [("?", "A walk\n\nDiana: Look, a brook!"), ("*", "It laughs, Diana!\nGilbert: Wait for me.")],
    ]
    assert [(f.code, f.detail) for f in findings(found.samples[-1].flags)] == [("possible_speaker", "Gilbert")]
    assert found.rejected == ()


def test_an_srt_file(anne: Persona) -> None:
    found = imported(anne, "one.srt", SRT)
    assert said(found) == [
        ("Marilla", "Do you never stop talking?"),
        ("Anne", "Not while there is so much to imagine!"),
        ("Matthew", "The horse is tired."),
    ]
    samples, rejected = to_samples([found], anne)
    assert [turns(sample) for sample in samples] == [
        [("Marilla", "Do you never stop talking?"), ("*", "Not while there is so much to imagine!")]
    ]
    assert rejections(rejected) == [("character_silent", "Matthew: The horse is tired.")]
    assert [r.detail for r in rejected] == ["the character says nothing in this scene"]


def test_a_script(anne: Persona) -> None:
    found = imported(anne, "lake.txt", SCRIPT)
    assert rejections(found) == [("heading", "SCENE 1"), ("stage_direction", "(the lake, at dusk)")]
    assert [turns(sample) for sample in dialogues(found, anne)] == [
        [("Diana", "What do you call it?"), ("*", "The Lake of Shining Waters, of course!")]
    ]


def test_all_of_them_become_a_dataset(anne: Persona) -> None:
    imported(anne, "rows.json", json.dumps(ROWS))
    imported(anne, "one.srt", SRT)
    imported(anne, "lake.txt", SCRIPT)
    report = build(anne.root / "persona.toml", quiet=True)
    assert (report.errors, sum(report.imported.values())) == ([], len(ROWS) + 2)
    assert report.rejected == {"after_last_reply": 1, "character_silent": 1, "heading": 1, "stage_direction": 1}
