"""The one place that knows prompt shapes: alpaca rows ⇄ messages, and messages → token ids with a loss mask.

Training and serving both call :func:`render`; nothing else builds a prompt. :func:`prove` shows on dialogues that the
two get the same ids. Knows nothing of files, importers or models. What others call stands here; the modules are

``alpaca``: rows of the first corpora; ``pairs``: prompt and reply for other trainers; ``language``: which system
prompt a conversation gets; ``layout``: the text around turns, from a chat template; ``told``: topic, memory and facts;
``rendering``: token ids; ``window``: what fits; ``proof``: that training and serving agree.
"""

from curation.chat.alpaca import BadRow, from_alpaca, to_alpaca
from curation.chat.language import language_of
from curation.chat.layout import Prompt
from curation.chat.pairs import Exchange, exchanges, system_prompt
from curation.chat.proof import EXAMPLES, end_of_turn, prove, prove_facts, telling
from curation.chat.rendering import Rendered, render
from curation.chat.told import (
    FACTS,
    REMEMBERED,
    Told,
    fact_examples,
    in_parts,
    with_facts,
    with_memory,
    with_topic,
)
from curation.chat.window import Abandoned, Fitted, count, counter, fit

__all__ = [
    "EXAMPLES",
    "FACTS",
    "REMEMBERED",
    "Abandoned",
    "BadRow",
    "Exchange",
    "Fitted",
    "Prompt",
    "Rendered",
    "Told",
    "count",
    "counter",
    "end_of_turn",
    "exchanges",
    "fact_examples",
    "fit",
    "from_alpaca",
    "in_parts",
    "language_of",
    "prove",
    "prove_facts",
    "render",
    "system_prompt",
    "telling",
    "to_alpaca",
    "with_facts",
    "with_memory",
    "with_topic",
]
