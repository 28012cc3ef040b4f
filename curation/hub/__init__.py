"""The Hugging Face Hub: datasets and models put together, sent in one commit, loaded back.

In: an export or a run. Out: a commit. Imports ``export`` and ``cleaning``.
"""
