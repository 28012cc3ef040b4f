"""A run's folder: written whole, resumed, found again, read.

In: a name. Out: paths and types. Imports ``model`` and ``data``.
"""
