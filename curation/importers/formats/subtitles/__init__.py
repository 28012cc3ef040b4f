"""Subtitles: cues with times, and sometimes a speaker.

In: a SourceFile. Out: Imported. Imports ``importers/source``, ``importers/lines`` and ``transcripts`` (labels).
"""
