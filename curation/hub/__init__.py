"""The Hugging Face Hub: prepare a dataset or a model for publication, send it in one commit, load it back.

In: an export or a run. Out: a commit. Imports ``export`` and ``cleaning``.
"""
