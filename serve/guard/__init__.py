"""Who may come in and how often, and what a browser is told.

In: a request. Out: the request, or a refusal. Imports the shared ground alone.
"""
