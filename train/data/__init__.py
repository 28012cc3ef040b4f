"""An export becomes encoded dialogues and batches.

In: a version of the dataset. Out: token ids with loss masks. Imports the shared ground alone.
"""
