"""What a training shows: messages on standard error, one bar, and nothing that the libraries would print."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import click

from curation import console
from train.distributed import of_environment


def say(line: str) -> None:
    """Print a progress message to standard error; standard output is for the result."""
    click.echo(line, err=True)


def bar(total: int, title: str, unit: str) -> Any:
    """Return the progress bar of :mod:`curation.console`; of several processes only the first one shows it."""
    return console.bar(total, title, unit, quiet=not of_environment().is_first)


def quiet_libraries() -> None:
    """Turn off transformers' own bars and hints; the commands report what matters."""
    from transformers.utils import logging as log

    logging: Any = log  # its functions have no types
    logging.set_verbosity_error()
    # peft 0.21 reads an attribute of transformers 5.23 by its old name.
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
