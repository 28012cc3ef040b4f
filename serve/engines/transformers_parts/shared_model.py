"""One base model with the adapters of several characters, which take turns. Knows nothing of text or of runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from peft import PeftModel


class SharedModel:
    """A base model with an adapter for each of several characters. One of them computes at a time.

    Which adapter is on is a state of the whole model, so a step holds the model from the choice of its adapter until
    its scores are there. The caches are not here: each character keeps its own.
    """

    def __init__(self, base: Any, adapters: Sequence[Path]) -> None:
        self.model: Any = PeftModel.from_pretrained(base, adapters[0], adapter_name="0")
        for number, adapter in enumerate(adapters[1:], 1):
            self.model.load_adapter(adapter, adapter_name=str(number))
        self.model.eval()
        self._lock = threading.Lock()
        self._speaking = "0"

    def turn(self, number: int) -> Callable[[], AbstractContextManager[None]]:
        """Return what gives the model with the adapter of that number, for the length of a block."""
        return partial(self._turn, str(number))

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        with self._lock:
            if self._speaking != name:
                self.model.set_adapter(name)
                self._speaking = name
            yield
