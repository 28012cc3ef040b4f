"""The split: which samples train and which evaluate, so that nothing leaks between the two, and held-out prompts.

In: approved samples and the sides of earlier builds. Out: a side for each sample. Imports ``dedup`` and
``importers/source``.
"""
