"""What a team does with the queue together: audits, assignments, find and replace, gold items, pairwise choices.

Comes in: an open store, verdicts and answers. Goes out: events of the log, and records that lie in git beside it. May
import ``annotations.store``, the modules directly in ``annotations/``, ``curation.review``, ``curation.cleaning`` and
the shared ground of ``curation``; never ``annotations.ui``.
"""
