"""A whole dialogue in one text, with the marks of a prompt template between its turns → turns. Pure.

Guanaco (``### Human:``), ChatML, Llama 2 and 3, Gemma, Zephyr, Vicuna (``USER:``), Anthropic's HH (``Human:``), alpaca.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from curation.importers.records.turns import ROLES, Turn


class Template(NamedTuple):
    """A mark that names the next turn's speaker in group 1, what ends a turn, and a text that all such texts hold."""

    mark: re.Pattern[str]
    ends: re.Pattern[str] | None
    sign: str


def _template(mark: str, ends: str, sign: str) -> Template:
    return Template(re.compile(mark, re.IGNORECASE), re.compile(ends) if ends else None, sign)


TEMPLATES = (
    _template(r"<\|im_start\|>[ \t]*((?:user|assistant|system)\b|[^\n<]{1,40}(?=\n))", r"<\|im_end\|>", "<|im_start|>"),
    _template(r"<\|start_header_id\|>([^\n<]{1,40})<\|end_header_id\|>", r"<\|eot_id\|>|<\|end_of_text\|>",
              "<|start_header_id|>"),
    _template(r"<start_of_turn>([^\n<]{1,40})\n", r"<end_of_turn>|<eos>", "<start_of_turn>"),
    _template(r"<\|(user|assistant|system|prompter|human|bot|model)\|>", r"</s>|<\|end\|>|<\|endoftext\|>", "<|"),
    _template(r"#{2,3}\s*(human|user|assistant|gpt|bot|ai|system|instruction|input|response)\s*:", r"</s>", "##"),
    _template(r"(?:^|\n{2,}|(?<=</s>))\s*(human|assistant)\s*:", r"</s>|<\|endoftext\|>", "uman:"),
    _template(r"(?:^|(?<=\s)|(?<=</s>))(?-i:(USER|ASSISTANT)):", r"</s>", "ASSISTANT:"),
)  # fmt: skip
# What stands above every alpaca prompt, whoever the character is.
_ALPACA = "Below is an instruction"
_CONTROL = re.compile(r"<\|begin_of_text\|>|<bos>|^<s>")


def turns_in(text: str) -> list[Turn] | None:
    """Return the turns of a text that a template's marks divide, or None for any other text."""
    if "[INST]" in text:
        return _llama2(text)
    for template in TEMPLATES:
        if template.sign in text and (turns := _cut(text, template)):
            return turns
    return None


def _cut(text: str, template: Template) -> list[Turn] | None:
    marks = list(template.mark.finditer(text))
    if len(marks) < 2 or len({m[1].strip().casefold() for m in marks}) < 2:
        return None
    turns: list[Turn] = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        words = text[mark.end() : following.start() if following else len(text)]
        if template.ends and (end := template.ends.search(words)):
            words = words[: end.start()]
        if words.strip():
            who = mark[1].strip()
            who = who.casefold() if who.casefold() in ROLES else who
            if who == "input" and turns:  # of an alpaca prompt: belongs to the instruction
                turns[-1] = turns[-1]._replace(words=f"{turns[-1].words}\n\n{words.strip()}")
            else:
                turns.append(Turn(who, words.strip()))
    lead = _CONTROL.sub("", text[: marks[0].start()]).strip()
    if lead and turns and not lead.startswith(_ALPACA):
        return [Turn("system", lead), *turns]
    return turns


def _llama2(text: str) -> list[Turn] | None:
    turns: list[Turn] = []
    for part in text.split("[INST]")[1:]:
        asked, _, replied = part.partition("[/INST]")
        system = ""
        if "<<SYS>>" in asked and "<</SYS>>" in asked:
            system, _, asked = asked.partition("<<SYS>>")[2].partition("<</SYS>>")
        for who, words in (("system", system), ("user", asked), ("assistant", replied)):
            words = words.replace("</s>", "").replace("<s>", "").strip()
            if words:
                turns.append(Turn(who, words))
    return turns or None
