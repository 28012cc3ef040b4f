"""What a finished training leaves to read: metrics.json, the card, the loss curve.

In: the loop's result. Out: files. Imports ``loop``.
"""
