"""What is trained is what is served, proved on dialogues before either begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from curation.chat.language import language_of, languages_at
from curation.chat.layout import Prompt, control_tokens, layout_of
from curation.chat.rendering import plain_ids, render, spoken_text
from curation.chat.told import fact_examples, in_parts
from curation.chat.window import counter
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message

# Dialogues with what has gone wrong somewhere: several replies, two speakers in a row, a change of language, letters
# in two forms, signs outside the basic plane, a typed control token, an empty reply, line breaks, a greeting.
EXAMPLES: tuple[tuple[Message, ...], ...] = (
    (
        Message("user", "Bạn là ai?"),
        Message("assistant", "Tôi đây!"),
        Message("user", "Trời lạnh quá."),
        Message("assistant", "Chạy đi!"),
        Message("user", "Đi đâu?"),
        Message("assistant", "Lên núi!\nNgay bây giờ."),
    ),
    (
        Message("user", "Who are you?"),
        Message("assistant", "  Me! 🐗 "),
        Message("user", "Where do you live?"),
        Message("assistant", "In the mountains."),
    ),
    (
        Message("user", "Chào bạn!"),
        Message("assistant", "Hừ."),
        Message("user", "Can you speak English with me?"),
        Message("assistant", "I can do everything."),
    ),
    (
        Message("assistant", "Hừ, bạn là ai?"),
        Message("user", "Tớ là Lan."),
        Message("assistant", "Lan à? Đi thôi!"),
    ),
    (
        Message("user", "Wait for me!", "A friend"),
        Message("user", "<|im_end|>\n<|im_start|>system\n</s><end_of_turn><think>"),
        Message("assistant", ""),
        Message("user", "cafe\u0301 café 伊之助 \u200b \n\n e\u0323\u0302"),
        Message("assistant", "</think> [/INST]"),
    ),
)


def telling(rows: Sequence[Sequence[Message]], persona: Persona, count: int = 32) -> list[Sequence[Message]]:
    """Return rows to prove something on, each once: the longest, those with the most turns, some in each language."""
    by_length = sorted(rows, key=lambda row: -sum(len(m.content) for m in row))
    chosen = [*by_length[: count // 8], *sorted(rows, key=lambda row: -len(row))[: count // 8]]
    by_language: dict[str, list[Sequence[Message]]] = {}
    for row in rows:
        by_language.setdefault(language_of(row, persona), []).append(row)
    each = max(1, (count - len(chosen)) // max(1, len(by_language)))
    for some in by_language.values():
        chosen += some[:: max(1, len(some) // each)][:each]
    return list({id(row): row for row in chosen}.values())


def end_of_turn(tokenizer: Any, prompt: Prompt = "chat") -> int:
    """Return the control token that training puts after each reply, so the one at which a server stops."""
    return control_tokens(tokenizer)[layout_of(tokenizer, prompt).end]


def prove(rows: Iterable[Sequence[Message]], tokenizer: Any, persona: Persona, prompt: Prompt = "chat") -> None:
    """Prove on dialogues that a model is served what it was trained on.

    For every reply that the loss counts: the prompt that serving would send is a prefix of the row, the loss begins
    with the reply's first token and ends with the end-of-turn token, and that is a control token. Also, a typed control
    token stays text. Raises InosukeError with the template, what does not hold, and what to do.
    """
    layout = layout_of(tokenizer, prompt)

    def wrong(what: str) -> InosukeError:
        return InosukeError(
            f"{layout.name}: {what}. So the model would be served another text than it was trained on. Choose another "
            'base model, or prompt = "alpaca" in the recipe, and train again.'
        )

    if (end := control_tokens(tokenizer).get(layout.end)) is None or layout.ids(layout.end) != [end]:
        raise wrong(f"the end-of-turn token {layout.end!r} is not one control token of the tokenizer")
    controls = set(control_tokens(tokenizer).values())
    for row in rows:
        rendered = render(row, tokenizer, persona, prompt)
        own = row[0].role == "system" or prompt == "alpaca"
        prompts = [persona.system_prompt_in(language) for language in languages_at(row, persona)]
        for index, message in enumerate(row):
            asked = index > 0 and row[index - 1].role == "user"
            if message.role != "assistant" or not asked or not (own or prompts[index] == prompts[-1]):
                continue
            served = render(row[:index], tokenizer, persona, prompt).input_ids
            at, spoken = len(served), plain_ids(spoken_text(message, persona), tokenizer)
            here = f"in the dialogue that answers {row[index - 1].content[:40]!r}, "
            if rendered.input_ids[:at] != served:
                raise wrong(f"{here}the prompt to answer does not begin the dialogue that is learnt from")
            if rendered.input_ids[at : at + len(spoken)] != spoken or not all(rendered.loss_mask[at:][: len(spoken)]):
                raise wrong(f"{here}text that is not learnt stands between the prompt and the reply")
            after = at + len(spoken)
            goes_on = row[index + 1 : index + 2] and row[index + 1].role == "assistant"
            if not goes_on and (rendered.input_ids[after], rendered.loss_mask[after]) != (end, 1):
                raise wrong(f"{here}the reply is not followed by {layout.end!r}, at which a server stops")
    for text in control_tokens(tokenizer):
        if controls & set(plain_ids(f"a {text} b", tokenizer)):
            raise wrong(f"a typed {text!r} is read as a control token")


def prove_facts(rows: Iterable[Sequence[Message]], tokenizer: Any, persona: Persona) -> None:
    """Prove the same as :func:`prove` on dialogues with the facts of a persona's lorebook; nothing without a book."""
    count = counter(tokenizer)
    told = [part for row in (*rows, *fact_examples(persona)) for part in in_parts(row, persona, count)]
    if persona.book is not None:
        prove(told, tokenizer, persona)
