"""The click commands of this package, and the pipeline that `inosuke train` runs.

May import everything in ``train/``.
"""
