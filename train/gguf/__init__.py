"""Merges an adapter into its base, and writes and measures the GGUF files that llama.cpp reads.

In: a finished run. Out: ``merged/``, ``gguf/`` and gguf.json. May import ``model``, ``data`` and ``run``.
"""
