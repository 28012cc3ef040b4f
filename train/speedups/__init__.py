"""What makes training on a CPU quicker or smaller than the libraries' general way. Each is held to it by a test.

Imports nothing else of ``train/``.
"""
