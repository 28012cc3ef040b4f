"""Text of manga pages, in reading order.

In: a SourceFile. Out: Imported. Imports ``importers/source`` and ``importers/lines``.
"""
