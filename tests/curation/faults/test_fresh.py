"""Faults that were written before anyone looked at how the checks work (``fresh.jsonl``), through `inosuke dataset`.

The rows with ``aside`` were kept apart at first (0.75). Then they were read and the roots of their kinds repaired, so
both shares are of faults that are known; of others, docs/experiments/2026-11-30-unseen-faults.md tells the share.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.conftest import ROOT
from tests.curation.faults.test_planted import built, sound

TABLE = """
[address]
self = ["ta"]
user = ["ngươi"]
Tanjiro = ["hắn", "thằng đó"]
Rengoku = ["ông ấy"]
Shinobu = ["bà chị"]
"""
NAMES = 'names = ["Tanjiro", "Zenitsu", "Nezuko", "Kanao", "Rengoku", "Shinobu", "Giyu", "Aoi"]'
# kind → the codes that name it; a rejection by the importer names a label, too.
CODES = {
    "other_script": {"language"},
    "other_language": {"language"},
    "no_diacritics": {"no_diacritics"},
    "chat_spelling": {"chat_spelling", "typing_error"},
    "assistant": {"assistant_words"},
    "role_label": {
        "role_label", "label_in_reply", "possible_speaker", "template_words", "reply_by_user", "ends_with_user",
    },
    "control_token": {"template_words"},
    "markup": {"markup"},
    "link": {"link", "personal_data"},
    "mojibake": {"damaged_letters", "repaired_letters", "lost_letters"},
    "lost_letters": {"lost_letters", "damaged_letters", "repaired_letters", "not_unicode", "undecodable"},
    "loop": {"loop"},
    "cut_off": {"cut_off"},
    "prompt_echoed": {"prompt_echoed", "user_line_repeated"},
    "placeholder": {"placeholder", "template_words", "empty_reply"},
    "profanity": {"profanity"},
    "name_spelling": {"name_spelling"},
    "typing_error": {"typing_error"},
    "confused_word": {"typing_error"},
    "avoided_word": {"out_of_character"},
    "stage_direction": {"stage_direction"},
    "personal_data": {"personal_data"},
    "wrong_address": {"wrong_address"},
    "lost_referent": {"lost_referent"},
}  # fmt: skip
REPAIRED, ASIDE = 0.9, 0.85


def test_planted_faults_are_named_and_none_that_is_named_is_exported(project: Callable[..., Path]) -> None:
    lines = (Path(__file__).with_name("fresh.jsonl")).read_text(encoding="utf-8").splitlines()
    faults = [json.loads(line) for line in lines]
    rows = [{"instruction": f"Hỏi: {f['prompt']}", "input": "", "output": f["reply"]} for f in faults]
    persona = (ROOT / "persona.toml").read_text(encoding="utf-8")
    persona = persona.replace('# names = ["Giyuu"]', f"{NAMES}\n# ") + TABLE
    codes, exported, _ = built(project, [*rows, *sound()], persona)
    found: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    flagged_sound = []
    for number, fault in enumerate(faults, 1):
        if fault["kind"] == "sound":
            if number not in exported:
                flagged_sound.append((fault["reply"], codes[number]))
            continue
        named = bool(codes[number] & CODES[fault["kind"]])
        assert not (named and number in exported), fault
        found[fault["kind"], fault["aside"]].append(named)
    assert flagged_sound == []
    low = {kind: hits for (kind, aside), hits in found.items() if not aside and sum(hits) < len(hits) - 1}
    assert low == {}
    for aside, least in ((False, REPAIRED), (True, ASIDE)):
        all_hits = [hit for (_, kept), hits in found.items() if kept == aside for hit in hits]
        assert sum(all_hits) >= least * len(all_hits), (sum(all_hits), len(all_hits), aside)
