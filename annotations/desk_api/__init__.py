"""What the stage in the browser asks the desk's server for: HTTP with JSON, under ``/desk/``.

Comes in: requests with a token that names the annotator. Goes out: samples to show, recorded verdicts, kept drafts, or
a refusal that says why. May import ``annotations.ui``; only ``app_review.py`` imports it.
"""
