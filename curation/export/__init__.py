"""The exported dataset: rows, manifest, card, charts, and the differences between two versions.

In: approved samples with their sides. Out: ``datasets/export/<version>/``. Imports ``review``, ``split`` and ``dedup``.
"""
