"""What is on the screen while something runs: our own progress bar, on a terminal only, and none of the libraries'."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from train.distributed import of_environment


@contextmanager
def bar(total: int, what: str, unit: str) -> Iterator[Callable[[int], object]]:
    """Show a bar and give the function that moves it on by so many ``unit``; the bar goes when the block ends."""
    hidden = not sys.stderr.isatty() or not of_environment().is_first
    with tqdm(total=total, desc=what, unit=unit, leave=False, disable=hidden) as shown:
        yield shown.update


def quiet() -> None:
    """Keep transformers' own bars and hints off the screen; what matters is said by the commands."""
    from transformers.utils import logging as log

    logging: Any = log  # its functions have no types
    logging.set_verbosity_error()
    # peft 0.21 asks transformers 5.23 by the attribute's old name.
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
