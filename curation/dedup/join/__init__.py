"""The exact near-duplicate join: compiled filters, then rapidfuzz, on one machine or several.

In: texts and a threshold. Out: pairs with scores. Knows no samples; imports only the shared ground.
"""
