"""What the stage loads when the annotator opens it: near-duplicates, neighbours by meaning, lines, guidelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from annotations.desk_api.bodies import Part
from annotations.store.types import Item
from annotations.ui.sample.context_page import context
from annotations.ui.sample.guidelines_page import guidelines_html
from annotations.ui.sample.meaning_page import meaning
from annotations.ui.sample.twins_page import side_by_side
from annotations.ui.session import Desk

OF_SAMPLE: dict[str, Callable[[Desk, Item], str]] = {"twins": side_by_side, "context": context}


def part(desk: Desk, body: Part) -> dict[str, Any]:
    """Return a part as ``html``; with ``wait`` it is not ready, and the page asks again. Changes nothing."""
    if body.part == "guidelines":
        return {"html": guidelines_html(desk)}
    if body.part == "meaning":
        return meaning(desk, desk.store.queue.item(body.sample, desk.who)).to_json()
    return {"html": OF_SAMPLE[body.part](desk, desk.store.queue.item(body.sample, desk.who))}
