"""Review: the store of annotators' verdicts, the review desk (Streamlit), and the Label Studio bridge.

Comes in: the queue that `inosuke dataset` writes, persona.toml, annotators' verdicts. Goes out: the review log. May
import the shared ground of ``curation``, ``curation.review`` and ``curation.cleaning``.
"""
