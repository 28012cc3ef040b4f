"""A folder that Hugging Face builds as a Space, and its upload.

In: a run. Out: files. Imports ``model_files``. Never copied into a Space itself.
"""
