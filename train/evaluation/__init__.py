"""Measures a trained adapter beside its base: figures with intervals, a report, a blind page and its votes.

In: a finished run. Out: evaluation.json and two pages. May import ``model``, ``data`` and ``run``.
"""
