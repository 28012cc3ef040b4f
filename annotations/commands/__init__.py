"""The click commands of the review: parse, call, print.

In: words of the command line. Out: text or JSON on standard output. May import everything in ``annotations/`` and what
that may import; nothing in ``annotations/`` imports these modules.
"""
