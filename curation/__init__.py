"""From sources to a reviewed, deduplicated, split and documented dataset.

In: source files, persona.toml, annotators' verdicts. Out: a versioned export, and its publication on the Hub. The
modules directly here are the shared ground that every package may import; they import none of the folders.
"""
