"""The language of a prompt or a reply, which may be five words long: too short for langdetect."""

from __future__ import annotations

import re

from curation.persona import Persona

VIETNAMESE = re.compile(r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]")
# In the starter corpus at least 40% of the words of a Vietnamese line have such a letter, and none of an English one's.
# An English reply may hold a name that has one.
VIETNAMESE_SHARE = 0.2
FEWEST_WORDS = 3


def guess_language(text: str, persona: Persona) -> str | None:
    """Return the one of the persona's languages that a text is in, or None where that cannot be told."""
    words = re.findall(r"\w+", text.lower())
    if len(words) < FEWEST_WORDS:
        return None
    if sum(VIETNAMESE.search(w) is not None for w in words) >= VIETNAMESE_SHARE * len(words):
        return "vi"
    others = [code for code in persona.languages if code != "vi"]
    return others[0] if len(others) == 1 else None
