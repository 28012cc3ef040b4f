"""The exact near-duplicate join: compiled filters, rapidfuzz's verdict, on one machine or several.

In: texts and a threshold. Out: pairs with scores. Knows no samples; imports the shared ground alone.
"""
