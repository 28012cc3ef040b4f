"""What is done to libraries from outside: the heap of the C library (``malloc.py``), and the table of all patches.

May import nothing else of ``train/``.
"""
