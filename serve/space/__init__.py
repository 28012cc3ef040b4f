"""A folder that Hugging Face builds as a Space or shows as a static one, and its upload. Is never copied into a Space.

In: a run. Out: files. ``page`` holds what a static Space adds to the served page. Imports ``engines``, ``model_files``,
and for the static one ``answering`` (default settings) and ``http`` (the page's template and the form of its info).
"""
