"""Rows of dialogue become samples, whatever file they came in.

In: mappings. Out: Sample, or a reason why not. Imports ``importers/source`` and, for rows that are lines of a
transcript, ``importers/lines``.
"""
