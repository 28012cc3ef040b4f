"""What rows or a JSON file look like that no importer reads, for the error message. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SHOWN_KEYS = 8
# What programs write that hold no dialogue, or none that can be told: the keys that give it away, and its name.
_SIGNS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), name)
    for keys, name in (
        ("entries", "a SillyTavern world book (lorebook)"),
        ("temp rep_pen", "a preset of a chat program"),
        ("temperature top_p", "a preset of a chat program"),
        ("spec data", "a character card"),
        ("first_mes personality", "a character card"),
        ("chat_metadata", "the head of a SillyTavern chat"),
        ("cells nbformat", "a Jupyter notebook"),
        ("parse", "an answer of the MediaWiki API"),
        ("query", "an answer of the MediaWiki API"),
        ("events wireMagic", "YouTube captions (json3)"),
        ("type features", "GeoJSON"),
        ("openapi", "an OpenAPI description"),
        ("$schema", "a JSON schema or a configuration"),
        ("name version dependencies", "a package.json"),
        ("name version", "a package.json"),
        ("architectures", "the configuration of a model"),
        ("added_tokens model", "a tokenizer"),
        ("tokenizer_class", "the configuration of a tokenizer"),
        ("best_metric log_history", "the state of a training run"),
        ("nodes links", "a workflow (ComfyUI)"),
        ("layers assets", "a Lottie animation"),
        ("images annotations", "annotated images (COCO)"),
        ("streams format", "what ffprobe says of a video"),
        ("thumbnails formats", "what yt-dlp says of a video"),
        ("pages blocks", "OCR of pages"),
        ("img_path blocks", "a page of mokuro"),
        ("errors", "an error answer of a server"),
        ("error", "an error answer of a server"),
    )
)
_FORMS = {str: "texts", int: "numbers", float: "numbers", bool: "truth values", list: "lists", type(None): "nulls"}


def looks_like(rows: Sequence[Any]) -> str:
    """Return what rows look like, as the middle of a sentence: `looks like a package.json`."""
    if not rows:
        return "holds no rows"
    first = rows[0]
    if not isinstance(first, Mapping):
        return f"looks like a list of {len(rows):,} {_FORMS.get(type(first), 'values')}, not of rows"
    keys = list(first)
    known = next((name for signs, name in _SIGNS if signs <= set(map(str, keys))), None)
    listed = ", ".join(f"`{str(key)[:40]}`" for key in keys[:_SHOWN_KEYS]) + (" …" if len(keys) > _SHOWN_KEYS else "")
    what = f"looks like {known}" if known else "looks like none of the known formats"
    many = f"{len(rows):,} rows with the keys" if len(rows) > 1 else "an object with the keys"
    return f"{what} ({many} {listed or 'none'}{_wrapped(first) if len(rows) == 1 else ''})"


def _wrapped(value: Mapping[str, Any]) -> str:
    """Return what the first list of an object holds that is not rows: `; `data` is an empty list`."""
    for name, part in value.items():
        if isinstance(part, list) and not any(isinstance(row, Mapping) for row in part):
            kind = _FORMS.get(type(part[0]), "values") if part else ""
            return f"; `{str(name)[:40]}` is " + (f"a list of {len(part):,} {kind}" if part else "an empty list")
    return ""
