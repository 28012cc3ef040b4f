"""The server around the app: listening, loading in the background, slow clients.

In: settings. Out: a running server. Imports ``http`` (the application) and the server's shared modules.
"""
