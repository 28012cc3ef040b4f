"""Rows in tables and JSON, and archives of files in any other format.

In: a SourceFile. Out: Imported. Imports ``importers/source`` and ``importers/records``.
"""
