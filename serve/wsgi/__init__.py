"""The server around the app: listening, loading in the background, slow clients.

In: an app. Out: a running server. Imports the package's face and ``config``.
"""
