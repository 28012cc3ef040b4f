"""What the transformers engine is made of: batches, KV cache, sampling, text from tokens.

Imports ``serve/engine.py`` alone.
"""
