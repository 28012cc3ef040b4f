"""The model: found, loaded, quantised, given an adapter; its loss, its scores and its replies.

In: a base and a recipe. Out: modules, losses, replies. May import ``data``.
"""
