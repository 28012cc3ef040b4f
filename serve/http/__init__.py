"""Routes and their wire formats: the page, our API, OpenAI's, feedback, errors.

In: requests. Out: responses. Imports ``answering``, ``feedback``, ``guard`` and the server's shared modules.
"""
