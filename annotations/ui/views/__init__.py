"""The review desk's views, one file each, and the app that shows one of them.

Comes in: a :class:`~annotations.ui.session.Desk`. Goes out: a page. May import ``annotations.ui`` and what that may
import; only ``app_review.py`` imports ``app``.
"""
