"""From lines to dialogues: who speaks, where a scene ends, what repeats.

In: utterances. Out: samples and rejections. Imports the shared ground and ``cleaning``.
"""
