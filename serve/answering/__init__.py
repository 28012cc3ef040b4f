"""From a checked conversation to an answer: the loaded service, the waiting line, the choice of an engine.

In: messages and settings. Out: events. Knows no wire format and no request. Imports ``engines``, ``model_files``,
``feedback``, ``guard`` (keys) and the server's shared modules.
"""
