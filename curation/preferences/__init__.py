"""Which replies people preferred: pairs and labels for preference training, from the review log and the votes.

In: samples, the review log's events, the votes on pairs. Out: :class:`curation.preferences.opinions.Opinions`, which
:mod:`curation.export.exported_rows` turns into rows. May import ``cleaning``, ``dedup``, ``review`` and ``split``.
"""
