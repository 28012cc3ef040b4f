"""From a checked conversation to an answer: the loaded service, the waiting line, the choice of an engine.

In: messages and settings. Out: deltas. Knows no wire format; imports ``engines``, ``model_files`` and ``guard``.
"""
