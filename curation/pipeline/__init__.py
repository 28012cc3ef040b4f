"""`inosuke dataset` from top to bottom: find the sources, run every stage, skip the run if nothing has changed.

In: ``persona.toml`` and its source folders. Out: queue, quarantine, review log and export on disk. May import every
stage; only ``commands`` imports it.
"""
