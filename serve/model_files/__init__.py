"""Runs, GGUF files, weights and portraits on the disk: found, checked, fetched.

In: a folder. Out: what to serve. Imports the shared ground alone.
"""
