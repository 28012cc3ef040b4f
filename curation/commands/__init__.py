"""The click commands of curation, one file per command: parse, call, print.

In: words of the command line. Out: text or JSON on standard output. May import everything in ``curation/``; nothing in
``curation/`` imports these modules.
"""
