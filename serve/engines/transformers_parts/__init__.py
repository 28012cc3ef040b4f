"""The parts of the transformers engine: batch, KV cache, sampling, text from tokens.

In: token ids. Out: tokens and text. Imports ``serve/engine.py`` and the shared ground alone.
"""
