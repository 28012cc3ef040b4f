"""The file formats, by what they hold. A format is one file here and one row in ``importers/registry.py``.

In: a SourceFile. Out: Imported. Imports ``importers/source``, ``importers/lines``, ``importers/records`` and
``transcripts``.
"""
