"""A run opened to be measured on the weights that are served: loaded once, it scores rows and answers prompts.

In: a finished run. Out: scores and replies of its adapter and of its base. What is served is the GGUF file that
``gguf.json`` names where there is one and no GPU; else the unquantised base with the adapter.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.contracts.gguf import read_gguf_list
from curation.contracts.rows import ExportedRow, HeldOut
from train.data.dialogues import Encoded, encode
from train.model.generate import Reply, replies
from train.model.load import device, end_ids, load_adapter, load_base, load_tokenizer
from train.model.out_of_memory import release
from train.model.scoring import Score, measure_rows
from train.model.whole_weights import as_served, describe
from train.progress import bar, quiet_libraries
from train.recipe import Recipe
from train.run.finished import FinishedRun

Say = Callable[[str], None]


@dataclass(slots=True)
class Subject:
    """``gguf`` is the served file. The model answers as its base within ``disable_adapter()``."""

    trained: FinishedRun
    recipe: Recipe
    gguf: Path | None
    tokenizer: Any
    model: Any

    @property
    def weights(self) -> dict[str, str]:
        """What was measured, by side, for reports."""
        whole = describe(self.recipe)
        return {
            "base": whole,
            "adapter": f"gguf/{self.gguf.name}, as served" if self.gguf else f"{whole} with the adapter",
            "replies": f"{whole}, greedy",
        }

    def encode(self, rows: Iterable[ExportedRow]) -> tuple[list[Encoded], list[str]]:
        """Render rows as this run was trained. Returns them and the ids of rows that are too long."""
        recipe = self.recipe
        return encode(rows, self.tokenizer, self.trained.persona, recipe.max_length, recipe.prompt)

    def adapter_scores(self, rows: Sequence[Encoded]) -> list[Score]:
        """Score rows with the adapter, as served."""
        ends = end_ids(self.tokenizer)
        if self.gguf is None:
            return measure_rows(self.model, rows, ends, "Adapter")
        from train.gguf import llamacpp

        with bar(len(rows), "GGUF", "row") as shown:
            return llamacpp.score(self.gguf, rows, ends, shown.update)

    def base_scores(self, rows: Sequence[Encoded]) -> list[Score]:
        """Score rows with the base."""
        with self.model.disable_adapter():
            return measure_rows(self.model, rows, end_ids(self.tokenizer), "Base")

    def adapter_replies(self, prompts: Sequence[HeldOut], limit: int) -> list[Reply]:
        """Answer prompts with the adapter, in at most ``limit`` tokens each."""
        return self._replies(prompts, limit, "Adapter")

    def base_replies(self, prompts: Sequence[HeldOut], limit: int) -> list[Reply]:
        """Answer prompts with the base."""
        with self.model.disable_adapter():
            return self._replies(prompts, limit, "Base")

    def close(self) -> None:
        """Give the memory back: there is room for one model."""
        self.model = None
        release()

    def _replies(self, prompts: Sequence[HeldOut], limit: int, title: str) -> list[Reply]:
        with bar(len(prompts), title, "prompt") as shown:
            return replies(
                self.model,
                self.tokenizer,
                self.trained.persona,
                [p.messages for p in prompts],
                self.recipe.prompt,
                limit,
                shown.update,
            )


def open_subject(trained: FinishedRun, say: Say) -> Subject:
    """Load a run once. Raises InosukeError when its base, its adapter or its tokenizer cannot be loaded."""
    quiet_libraries()
    recipe = as_served(trained.base, trained.recipe)
    tokenizer = load_tokenizer(str(trained.folder / "tokenizer"), needs_template=trained.recipe.prompt == "chat")
    gguf = served_gguf(trained, say) if device().kind == "cpu" else None
    say(f"Loading {trained.base.name} and the adapter of {trained.name}: {describe(recipe)}")
    model = load_adapter(load_base(trained.base, recipe), trained.folder / "adapter")
    return Subject(trained, recipe, gguf, tokenizer, model)


def served_gguf(trained: FinishedRun, say: Say) -> Path | None:
    """Return the GGUF file that is served, if it can be scored here."""
    name = read_gguf_list(trained.folder).served
    file = trained.folder / "gguf" / name if name else None
    if file is None or not file.is_file():
        return None
    if importlib.util.find_spec("cyllama") is None:
        say(f"Note: gguf/{file.name} is served, but cyllama, which scores it, is not installed: measuring the adapter.")
        return None
    return file
