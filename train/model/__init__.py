"""The model: found, loaded, quantised, given an adapter; its loss, and what it says.

In: a base and a recipe. Out: modules, losses, replies. Imports ``data`` and ``speedups``.
"""
