"""Which samples train and which evaluate, with no leak between them, and prompts that are held out.

In: approved samples and the earlier split. Out: a side for each. Imports ``dedup`` and ``importers/source``.
"""
