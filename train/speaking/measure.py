"""Measures how a trained model speaks before it may be served: held-out prompts, answered with its base's sampling.

In: a loaded model (or replies) and an export. Out: :class:`curation.contracts.run.Speaking`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from curation import bases, chat
from curation.bases import Sampling
from curation.contracts.rows import HeldOut
from curation.contracts.run import Speaking
from curation.persona import Persona
from curation.record import Message
from curation.repeats import find_loop
from train.data.dialogues import Export, eval_prompts
from train.model.generate import Reply, replies
from train.speaking.language import guess_language

PROMPTS = 40
MAX_NEW_TOKENS = 200  # of a served reply, where the visitor does not ask for another number
SHOWN_LOOPS = 3
# For a base that the table does not know: what `inosuke serve` takes.
SAMPLING = Sampling(temperature=0.5, top_p=0.9, repeat_penalty=1.05)


def sampling_of(base: str) -> Sampling:
    """Return the sampling that suits a base, by its name or Hub id."""
    known = bases.find(base)
    return known.sampling if known else SAMPLING


def chosen_prompts(export: Export, most: int = PROMPTS) -> list[HeldOut]:
    """Return up to ``most`` held-out prompts and prompts of eval rows, with as many of each language as there are.

    They are spread over the lists, whatever order these are in; the same export always gives the same prompts.
    """
    by_language: dict[str, list[HeldOut]] = {}
    seen: set[tuple[Message, ...]] = set()
    for prompt in (*export.held_out, *eval_prompts(export)):
        # Templates stand in many rows; one of them tells as much as all.
        if prompt.messages not in seen:
            seen.add(prompt.messages)
            by_language.setdefault(guess_language(prompt.messages[-1].content, export.persona) or "", []).append(prompt)
    lists = [spread(prompts, most) for _, prompts in sorted(by_language.items())]
    counts = _shares([len(prompts) for prompts in lists], most)
    return [p for prompts, n in zip(lists, counts, strict=True) for p in spread(prompts, n)]


def measure(
    model: Any,
    tokenizer: Any,
    persona: Persona,
    tried: Sequence[Sequence[Message]],
    base: str,
    prompt: chat.Prompt,
    seed: int,
    after_batch: Callable[[int], object] = lambda prompts_done: None,
) -> Speaking:
    """Answer the prompts ``tried`` as the server would, and count. ``base`` is the base's name or Hub id."""
    sampling = sampling_of(base)
    answers = replies(
        model, tokenizer, persona, tried, prompt, MAX_NEW_TOKENS, after_batch, sampling=sampling, seed=seed
    )
    figures = count(tried, answers, persona)
    return figures.model_copy(
        update={"sampling": sampling.model_dump(), "max_new_tokens": MAX_NEW_TOKENS, "seed": seed}
    )


def count(prompts: Sequence[Sequence[Message]], answers: Sequence[Reply], persona: Persona) -> Speaking:
    """Count the replies that loop, end, and are in the language of their prompt (it ends with a user turn)."""
    loops = [find_loop(a.text, ended=a.ended) for a in answers]
    kept = [keeps_language(p, a.text, persona) for p, a in zip(prompts, answers, strict=True)]
    return Speaking(
        prompts=len(answers),
        looping=sum(loop is not None for loop in loops),
        ended=sum(a.ended for a in answers),
        judged=sum(k is not None for k in kept),
        right_language=sum(k is True for k in kept),
        loops=[loop for loop in loops if loop is not None][:SHOWN_LOOPS],
    )


def keeps_language(prompt: Sequence[Message], reply: str, persona: Persona) -> bool | None:
    """Return whether a reply is in the language of its prompt; None for a shout, which could be in any."""
    asked, said = (guess_language(text, persona) for text in (prompt[-1].content, reply))
    return None if asked is None or said is None else asked == said


def spread(items: Sequence[HeldOut], count: int) -> list[HeldOut]:
    """Take ``count`` items, evenly over the list, since prompts are listed by topic."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def _shares(available: list[int], total: int) -> list[int]:
    """Divide ``total`` as evenly as ``available`` allows."""
    taken = [0] * len(available)
    while sum(taken) < min(total, sum(available)):
        for i, most in enumerate(available):
            if taken[i] < most and sum(taken) < total:
                taken[i] += 1
    return taken
