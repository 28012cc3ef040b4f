"""How a trained model speaks: whether its replies loop, end, and keep the prompt's language.

In: replies, or a loaded model and prompts. Out: :class:`curation.contracts.run.Speaking`. May import ``model`` and
``data``.
"""
