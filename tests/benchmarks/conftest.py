"""The tiny base model of train's tests."""

from tests.train.conftest import tiny_base, tokenizer

__all__ = ["tiny_base", "tokenizer"]
