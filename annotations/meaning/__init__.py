"""The desk's second reader: samples that are near an open one by meaning, search by meaning, and verdicts on pairs.

In: the store's samples and records. Out: ranked samples with their cosine, and records "the same" or "not the same". A
verdict on a pair decides nothing about a sample. Imports ``curation.meaning``, ``store`` and ``team``.
"""
