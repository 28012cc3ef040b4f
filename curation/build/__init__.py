"""`inosuke dataset` from top to bottom: which sources, each stage in turn, and whether anything has changed.

In: ``persona.toml`` and its source folders. Out: queue, quarantine, review log and export on the disk. May import every
stage; only ``commands`` imports it.
"""
