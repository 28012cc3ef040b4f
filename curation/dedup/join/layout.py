"""How many counts a text has and how many texts stand side by side: what the compiled code and its callers agree on.

Numba does not see that these change: remove ``__pycache__/kernels.*`` when they do, and raise ``index.FORMAT``.
"""

LANES = 64  # texts in a block: as many bytes as an AVX-512 register has
COARSE = 20  # buckets of the first test, one byte each
FINE = 64  # buckets of the second, two bytes each
