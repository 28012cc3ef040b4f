"""The lines around a transcript sample as HTML, and the sample's own cues as the file has them. Escaped."""

from __future__ import annotations

from markupsafe import Markup

from annotations.context import Line, surroundings
from annotations.store.types import Item
from annotations.ui import markup
from annotations.ui.session import Desk


def context(desk: Desk, item: Item) -> str:
    """Return the lines before and behind a sample, and its raw cues; the reason where they cannot be shown."""
    found = surroundings(item.sample.source, desk.persona)
    if found is None:
        return markup.quiet(desk.say("context_row"))
    if found.problem:
        return markup.quiet(desk.say(f"context_{found.problem}", path=found.path))
    lines = [(line, "") for line in found.before]
    lines += [(line, "own") for line in found.own]
    lines += [(line, "") for line in found.after]
    raw = "\n\n".join(dict.fromkeys(line.raw for line in found.own if line.raw))
    body = Markup("").join(_line(desk, line, own) for line, own in lines)
    cues = markup.folded(desk.say("context_raw"), Markup('<pre tabindex="0">{}</pre>').format(raw)) if raw else ""
    return Markup("{}{}").format(body, cues)


def _line(desk: Desk, line: Line, own: str) -> Markup:
    twin = Markup('<span class="twin">{}</span>').format(line.twin) if line.twin else ""
    return Markup('<div class="line {}">{}<b>{}</b>: {}<div class="place">{}</div></div>').format(
        own, twin, line.speaker or desk.say("context_unnamed"), line.text, line.locator
    )
