"""What visitors said about replies: kept here, fetched from elsewhere.

In: feedback as JSON. Out: JSONL files. Imports ``schema`` alone.
"""
