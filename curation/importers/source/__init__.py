"""A file's bytes become text, JSON or XML, safely.

In: a path. Out: SourceFile. Imports the shared ground alone.
"""
