"""What is left in a text of programs (placeholders, marks of prompt templates) and of wrong encodings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from curation.record import Flag

# Letters in capitals of Western Europe, and marks, one of which every pair of wrong letters has.
_ODD = re.compile("[\u0080-\u00bf\u00c2-\u00d0\ufffd€‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œž]")
# `{{user}}`, `<START>`, `<|im_end|>`, `[INST]`, `### Human:`. A cheap look first: most texts have none of these marks.
_OPENS = re.compile(r"[{<\[#▁Ġ＜￨]|im_(?:start|end)")
_TEMPLATE = re.compile(
    r"\{\{[^{}\n]{1,40}\}\}|<(?:START|USER|BOT|CHAR|user|bot|char|assistant|human|system)>|"
    r"[<＜][|｜￨][^|｜￨<>\n]{1,40}(?:[|｜￨][>＞])?|\[\|[^|\]\n]{1,40}\|\]|(?<!<)\|?\b(?:im_start|im_end)\b(?:\|>?)?|"
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|BOS|EOS|END|PAD|UNK|CLS|SEP|MASK|gMASK|sop)\]|"
    r"<</?SYS>>|</?s>|</?(?:INST|im_start|im_end|END|end)>|</?(?:start|end)_of_(?:turn|text|image|utterance)>|<0x[0-9A-F]{2}>|<(?:extra_id_|unused|reserved_)\d+>|"
    r"</?(?:bos|eos|pad|unk|eot|eop|eod|sep|cls|mask|image|audio|video|think|thinking|tool_call|tool_response|tools?|"
    r"function_calls?|scratchpad|answer|response|instruction)>|[▁Ġ](?=\w)|"
    r"#{2,3} ?(?:Human|Assistant|Instruction|Response|Input|User|System|Output|Prompt|Câu hỏi|Trả lời|Hướng dẫn)\b"
)


def template_words_in(text: str) -> list[str]:
    """Return the placeholders and template marks of a text, each once, in the order in which they come."""
    if not _OPENS.search(text):
        return []
    return list(dict.fromkeys(_TEMPLATE.findall(text)))


def damage_flags(texts: Iterable[str]) -> tuple[Flag, ...]:
    """Return a flag for turns in which a program's words were left, and one for letters that look damaged."""
    flags: list[Flag] = []
    told = list(texts)
    found = [word for text in told for word in template_words_in(text)]
    if found:
        flags.append(Flag("template_words", ", ".join(dict.fromkeys(found))))
    odd = next((text for text in told if looks_damaged(text)), None)
    if odd is not None:
        flags.append(Flag("damaged_letters", odd[:80]))
    return tuple(flags)


def looks_damaged(text: str) -> bool:
    """Return whether letters stand side by side that only a wrong encoding puts there, or bytes were lost."""
    if text.isascii() or not _ODD.search(text):
        return False
    from ftfy.badness import is_bad

    return "\ufffd" in text or bool(is_bad(text))
