"""Text on its way to a sample: one spelling, its language, personal data in it.

In: text or samples. Out: the same with flags. Imports the shared ground alone.
"""
