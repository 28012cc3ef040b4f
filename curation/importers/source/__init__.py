"""A file's bytes become text, JSON, XML or rows of a table, safely.

In: a path or bytes. Out: SourceFile, or its rows. Imports only the shared ground.
"""
