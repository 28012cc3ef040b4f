"""A trained adapter beside its base: figures with intervals, a report, a blind page and its votes.

In: a finished run. Out: evaluation.json and two pages. Imports ``model``, ``data``, ``run`` and ``gguf``.
"""
