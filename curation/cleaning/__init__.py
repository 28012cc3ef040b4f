"""Cleaning of samples: one spelling, the language, personal data, and what differs between two texts.

In: text or samples. Out: the same, cleaned or with flags. Imports only the shared ground.
"""
