"""The reports of a finished training: metrics.json, the model card, the loss curve.

In: the result of ``loop``. Out: the text or content of files. May import ``loop``, ``model``, ``data`` and ``run``.
"""
