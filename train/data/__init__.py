"""Turns an export into encoded dialogues and batches.

In: a version of the dataset. Out: token ids with loss masks, and tensors. May import nothing else of ``train/``.
"""
