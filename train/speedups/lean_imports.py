"""Loads transformers' trainer without packages that it loads in passing and no training here has a use for.

It loads datasets (and with it pandas and pyarrow) to recognise that package's Dataset, and scipy for the losses of
object detection: 120 of 520 MB before a model is there, and seconds.
"""

from __future__ import annotations

from importlib import import_module

UNUSED = ("is_datasets_available", "is_scipy_available")


def load_trainer() -> None:
    """Import ``transformers.trainer`` and all it needs; what is loaded already stays.

    Its questions whether a package is installed are answered with no while it is loaded, and by itself ever after: it
    keeps the answer that it imported.
    """
    utils = import_module("transformers.utils")
    answers = {question: getattr(utils, question) for question in UNUSED}
    try:
        for question in UNUSED:
            setattr(utils, question, lambda: False)
        import_module("transformers.trainer")
    finally:
        for question, answer in answers.items():
            setattr(utils, question, answer)
