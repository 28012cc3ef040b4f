"""Merging an adapter, and the files that llama.cpp reads, measured.

In: a finished run. Out: ``merged/``, ``gguf/`` and gguf.json. Imports ``model``, ``data`` and ``run``.
"""
