"""Who may send requests and how often, and the headers that a browser gets.

In: a request. Out: the request, or a refusal. Imports the server's shared modules alone.
"""
