"""The layout of signatures, which the compiled code and its callers share: counts per text and texts per block.

Numba's cache does not notice a change: remove ``__pycache__/kernels.*`` after one, and increase ``index.FORMAT``.
"""

LANES = 64  # texts in a block: the bytes of an AVX-512 register
COARSE = 20  # buckets of the first test, one byte each
FINE = 64  # buckets of the second, two bytes each
