"""The review desk's parts that every view uses: the session, the actions behind the keys, filters, markup, pace.

Comes in: the store and persona.toml. Goes out: Streamlit elements. May import ``annotations.store``, the modules
directly in ``annotations/``, ``curation.review`` and the shared ground of ``curation``; never ``views/``.
"""
