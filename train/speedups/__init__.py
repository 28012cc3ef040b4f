"""The table of all patches on libraries (``patches.py``). May import nothing else of ``train/``."""
