"""Loads transformers' trainer without the packages that it imports but no training here uses.

It imports datasets (and with it pandas and pyarrow) to recognise that package's Dataset, and scipy for the losses of
object detection. Both cost memory and seconds; see docs/experiments/2026-11-26-unused-packages.md.
"""

from __future__ import annotations

from importlib import import_module

UNUSED = ("is_datasets_available", "is_scipy_available")


def load_trainer() -> None:
    """Import ``transformers.trainer`` and everything it needs; modules that are already loaded stay.

    ``datasets`` and ``scipy`` are reported as missing while it is imported. transformers caches that answer.
    """
    # patch: lean-imports
    utils = import_module("transformers.utils")
    answers = {question: getattr(utils, question) for question in UNUSED}
    try:
        for question in UNUSED:
            setattr(utils, question, lambda: False)
        import_module("transformers.trainer")
    finally:
        for question, answer in answers.items():
            setattr(utils, question, answer)
