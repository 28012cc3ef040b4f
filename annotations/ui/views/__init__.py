"""The review desk's views, one file each, and the app that shows one of them.

May import ``ui`` and ``store``; only ``app_review.py`` imports ``app``.
"""
