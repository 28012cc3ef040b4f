"""Cards for tests: Hypothesis makes them with unknown keys at every level."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from hypothesis import strategies as st

from curation.character_cards.png_chunks import SIGNATURE, text_chunk

WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
# Unknown keys begin with a letter that no specification has.
UNKNOWN = st.dictionaries(WORDS.map("ж".__add__), JSON, max_size=2)


def merged(known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with these keys and unknown ones."""
    return st.builds(lambda a, b: {**b, **a}, st.fixed_dictionaries(known), UNKNOWN)


ENTRY = merged(
    {
        "keys": st.lists(WORDS, max_size=2),
        "content": WORDS,
        "extensions": UNKNOWN,
        "enabled": st.booleans(),
        "insertion_order": st.integers(),
        "use_regex": st.booleans(),
        "id": st.integers() | WORDS,
    }
)
# A small entry repeated makes a huge book without a huge example to shrink.
ENTRIES = st.lists(ENTRY, max_size=3) | st.builds(lambda e, n: [e] * n, ENTRY, st.sampled_from([500]))
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("name", "description", "personality", "scenario", "first_mes", "mes_example"), WORDS),
    **dict.fromkeys(("creator_notes", "system_prompt", "post_history_instructions", "creator"), WORDS),
    "character_version": WORDS,
    "alternate_greetings": st.lists(WORDS, max_size=3),
    "group_only_greetings": st.lists(WORDS, max_size=2),
    "tags": st.lists(WORDS, max_size=2),
    "extensions": UNKNOWN,
    "character_book": merged({"extensions": UNKNOWN, "entries": ENTRIES}),
}
CARDS = merged({"spec": st.just("chara_card_v3"), "spec_version": st.just("3.0"), "data": merged(FIELDS)}) | merged(
    {"spec": st.just("chara_card_v2"), "spec_version": st.just("2.0"), "data": merged(FIELDS)}
)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


HEAD = chunk(b"IHDR", b"\0\0\0\2\0\0\0\2\x08\2\0\0\0") + chunk(b"tEXt", b"Software\0a painter")
TAIL = chunk(b"IDAT", zlib.compress(bytes(14))) + chunk(b"xYzw", b"unknown") + chunk(b"IEND", b"")


def png(*texts: bytes) -> bytes:
    """Return a picture of 2 × 2 pixels with other chunks around, and these chunks before its pixels."""
    return SIGNATURE + HEAD + b"".join(texts) + TAIL


def card_png(value: dict[str, Any], keyword: str = "ccv3") -> bytes:
    """Return a picture that carries a card."""
    return png(text_chunk(keyword, base64.b64encode(json.dumps(value).encode())))


def card(**fields: Any) -> dict[str, Any]:
    """Return a whole V3 card."""
    texts = [
        "description",
        "personality",
        "scenario",
        "creator_notes",
        "system_prompt",
        "post_history_instructions",
        "creator",
    ]
    data = {
        **dict.fromkeys(texts, ""),
        "character_version": "1",
        "name": "Boar",
        "first_mes": "Hello {{user}}, I am {{char}}, the king!",
        "alternate_greetings": ["What do you want from me?"],
        "group_only_greetings": [],
        "mes_example": "<START>\n{{user}}: Who are you?\n{{char}}: The king of this hill, {{user}}!",
        "tags": ["wild"],
        "extensions": {"other": {"deep": [1, None]}},
        "character_book": {
            "extensions": {},
            "entries": [
                {
                    "keys": ["mountain"],
                    "content": "@@depth 4\nThe mountain is the home of the boars.",
                    "extensions": {},
                    "enabled": True,
                    "insertion_order": 0,
                    "use_regex": False,
                }
            ],
        },
    }
    return {"spec": "chara_card_v3", "spec_version": "3.0", "data": {**data, **fields}}
