"""Code that makes training on a CPU faster or smaller, and the table of all patches on libraries (``patches.py``).

In: a model. Out: the same model with other ``forward`` methods and the same results. May import nothing else of
``train/``.
"""
