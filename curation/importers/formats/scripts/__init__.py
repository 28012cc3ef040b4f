"""Scripts and wiki pages: names before, above or around the lines.

In: a SourceFile. Out: Imported. Imports ``importers/source``, ``importers/lines`` and ``transcripts`` (what is a name).
"""
