"""The training itself: steps, evaluations, the time budget, and a forecast of memory and time.

In: an export, a recipe and a base. Out: an adapter and its history. May import ``model``, ``data`` and
``run``.
"""
