"""Runs, GGUF files and weights on the disk: found, checked, fetched.

In: a folder. Out: what to serve. Imports the shared ground alone.
"""
