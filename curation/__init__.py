"""From sources to a reviewed, deduplicated, split and documented dataset."""
