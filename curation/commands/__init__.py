"""The click commands of this package: parse, call, print.

In: words of the command line. Out: text or JSON on standard output. May import everything in ``curation/``;
nothing here imports them.
"""
