"""The click commands of this package: parse, call, print. May import everything in ``annotations/``."""
