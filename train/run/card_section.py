"""A section that a later command adds to a run's model card: replaced where it exists, else put before ``## Use``."""

from __future__ import annotations

from pathlib import Path

from curation.files import write_atomically


def put(card: Path, name: str, body: str) -> None:
    """Write ``body`` (Markdown with its own heading) as the section ``name``. Does nothing if there is no card."""
    if not card.is_file():
        return
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    text = card.read_text(encoding="utf-8")
    part = f"{start}{body.strip()}\n{end}"
    if start in text and end in text:
        before, _, rest = text.partition(start)
        after = rest.partition(end)[2]
        text = before + part + after
    else:
        before, found, after = text.partition("## Use\n")
        text = f"{before}{part}\n{found}{after}" if found else f"{text.rstrip()}\n\n{part}"
    write_atomically(card, text)
