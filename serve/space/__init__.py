"""A folder that Hugging Face builds as a Space, and its upload. Is never copied into a Space itself.

In: a run. Out: files. Imports ``engines`` (the table alone) and ``model_files``.
"""
