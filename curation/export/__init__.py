"""The dataset that leaves: rows, manifest, card, charts, versions and what changed between two.

In: samples with their sides. Out: ``datasets/export/<version>/``. Imports ``review``, ``split`` and ``dedup``.
"""
