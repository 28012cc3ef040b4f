"""The trained model, to be asked prompts once its run has a name: for sample answers, and to measure how it speaks.

In: what a training leaves in memory, and the folder of its adapter. Out: a model that answers with its adapter and,
within ``disable_adapter()``, as its base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from curation.contracts.run import Speaking
from train.data.dialogues import Encoded, Export, prompts
from train.model.base_model import BaseModel
from train.model.generate import Reply, replies
from train.model.load import end_ids, load_adapter, load_base
from train.model.out_of_memory import release
from train.model.scoring import Score, measure_rows
from train.model.whole_weights import as_served
from train.progress import bar
from train.recipe import Recipe
from train.speaking.measure import chosen_prompts, measure, spread


@dataclass(frozen=True, slots=True)
class Sampled:
    """A held-out prompt's last user turn and what base and adapter answered."""

    prompt: str
    base: Reply
    adapter: Reply


@dataclass(slots=True)
class Speaker:
    """Answers prompts with the trained adapter. ``trained`` is the model of the training; :meth:`model` may replace it.

    What is reported has to be measured on what is served: an adapter that was trained on an NF4 base is put on the
    unquantised one, unless a GPU has no room for it. On a CPU that also answers several times faster.
    """

    base: BaseModel
    recipe: Recipe
    tokenizer: Any
    trained: Any

    def model(self, adapter: Path) -> Any:
        """Return the model that answers, which is loaded once; ``adapter`` is the folder of the trained adapter."""
        served = as_served(self.base, self.recipe)
        if served != self.recipe:
            self.trained = None  # there must never be two models in memory
            release()
            self.recipe = served
            self.trained = load_adapter(load_base(self.base, served), adapter)
        return self.trained

    def scores(self, adapter: Path, rows: Sequence[Encoded]) -> tuple[list[Score], list[Score]]:
        """Score each row with base and adapter."""
        model, ends = self.model(adapter), end_ids(self.tokenizer)
        by_adapter = measure_rows(model, rows, ends, "Adapter")
        with model.disable_adapter():
            return measure_rows(model, rows, ends, "Base"), by_adapter

    def samples(self, adapter: Path, export: Export) -> list[Sampled]:
        """Answer as many held-out prompts as the recipe says, with base and adapter."""
        turns = [p.messages for p in spread(prompts(export), self.recipe.samples)]
        if not turns:
            return []
        model = self.model(adapter)
        answer = partial(replies, model, self.tokenizer, export.persona, turns, self.recipe.prompt)
        with model.disable_adapter():
            by_base = answer()
        return [Sampled(t[-1].content, b, a) for t, b, a in zip(turns, by_base, answer(), strict=True)]

    def speaking(self, adapter: Path, export: Export) -> Speaking:
        """Answer held-out prompts with the adapter as the server would, and measure the replies."""
        model = self.model(adapter)
        tried = [p.messages for p in chosen_prompts(export)]
        name, recipe = self.base.name, self.recipe
        with bar(len(tried), "Speaking", "prompt") as shown:
            return measure(model, self.tokenizer, export.persona, tried, name, recipe.prompt, recipe.seed, shown.update)
