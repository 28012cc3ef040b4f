"""A transcript's raw lines become utterances: markup removed, signs and songs marked, labels read.

In: RawLine. Out: Utterance. Imports ``importers/source``, ``transcripts`` (what is a name) and ``cleaning``.
"""
