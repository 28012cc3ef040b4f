"""Magi's JSON: texts in its order, linked to characters by name or by cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curation.importers import read
from curation.persona import Persona
from curation.record import Imported
from curation.transcripts.scenes import to_samples

BOXES = [[10.5, 10.5, 50.0, 90.0]] * 4
PAGE: dict[str, Any] = {
    "panels": BOXES[:1],
    "texts": BOXES,
    "characters": BOXES[:3],
    "text_character_associations": [[0, 1], [1, 0], [3, 2]],
    "character_cluster_labels": [0, 1, 2],
    "is_essential_text": [True, True, False, True],
    "character_names": ["Inosuke", "Tanjiro", "Other"],
    "ocr": ["Where are you hiding?", "Up on the roof, of course!", "CRASH", "Hm?"],
}


def load(tmp_path: Path, persona: Persona, value: object) -> Imported:
    path = tmp_path / "chapter 1.json"
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
    return read(path, persona)


def test_texts_have_the_names_that_magi_gives_and_sounds_are_rejected(tmp_path: Path, persona: Persona) -> None:
    found = load(tmp_path, persona, [PAGE, {**PAGE, "ocr": None}])
    assert found.format == "magi"
    assert [(u.speaker, u.text) for u in found.utterances] == [
        ("Tanjiro", "Where are you hiding?"),
        ("Inosuke", "Up on the roof, of course!"),
        (None, "Hm?"),
    ]
    assert [(r.reason, r.text[:5]) for r in found.rejected if r.reason == "stage_direction"] == [
        ("stage_direction", "CRASH")
    ]
    assert [r.reason for r in found.rejected if r.reason == "bad_page"] == ["bad_page"]
    samples, _ = to_samples([found], persona)
    assert [m.role for m in samples[0].messages] == ["user", "assistant"]


def test_without_a_bank_of_names_the_clusters_are_voices(tmp_path: Path, persona: Persona) -> None:
    found = load(tmp_path, persona, {k: v for k, v in PAGE.items() if k != "character_names"})
    assert [u.speaker for u in found.utterances] == ["Character 1", "Character 0", "Character 2"]
