"""The passport of a character: figures of its replies that no model judges, each proved on voices that are known.

In: an export, replies and a loaded model. Out: the ``passport`` of evaluation.json. May import ``model``, ``data`` and
``speaking``.
"""
