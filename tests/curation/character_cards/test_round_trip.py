"""Import and then export keeps every key at every level; unedited cards come back byte for byte."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.character_cards import containers
from curation.character_cards.drafting import import_card
from curation.character_cards.export import export_card
from curation.character_cards.png_chunks import split
from tests.curation.character_cards.making import CARDS, card_png

# `INOSUKE_CARDS=10000 pytest tests/curation/character_cards/test_round_trip.py` is the long run.
MANY = int(os.environ.get("INOSUKE_CARDS", "30"))


def lost(before: Any, after: Any, where: str = "") -> list[str]:
    """Return the places whose value is not there any more, or is another one."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            p for k in before for p in (lost(before[k], after[k], f"{where}.{k}") if k in after else [f"{where}.{k}"])
        ]
    return [] if before == after and type(before) is type(after) else [where]


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=CARDS, as_png=st.booleans())
def test_no_key_is_lost(value: dict[str, Any], as_png: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = (
            card_png(value, "ccv3" if value["spec"].endswith("3") else "Chara")
            if as_png
            else json.dumps(value).encode()
        )
        file = folder / ("in.png" if as_png else "in.json")
        file.write_bytes(raw)
        import_card(file, folder / "boar")
        persona = folder / "boar" / "persona.toml"
        same = folder / f"same{file.suffix}"
        export_card(persona, same, None, 600)
        assert same.read_bytes() == raw
        # An edit changes its own field alone, in every container.
        text = persona.read_text(encoding="utf-8")
        at = text.index("system_prompt = ")
        persona.write_text(text[:at] + 'system_prompt = "Edited."' + text[text.index("\n", at) :], encoding="utf-8")
        out = folder / f"edited{file.suffix}"
        export_card(persona, out, None, 600)
        edited = containers.read(out).value
        assert set(lost(value, edited)) <= {".data.system_prompt"}
        assert edited["data"]["system_prompt"] == "Edited."
        if as_png:
            cards = (b"ccv3", b"chara")
            chunks = [[c.raw for c in split(p)[0] if c.content.split(b"\0")[0].lower() not in cards]
                      for p in (raw, out.read_bytes())]  # fmt: skip
            assert chunks[0] == chunks[1]
