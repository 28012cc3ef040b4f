"""The training itself: steps, evaluations, budget, memory and time said beforehand.

In: a model and encoded dialogues. Out: an adapter and its history. Imports ``model``, ``data`` and ``run``.
"""
