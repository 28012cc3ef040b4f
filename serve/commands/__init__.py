"""The click commands of this package, a file each: parse, call, print. May import everything in ``serve/``.

Flask, torch and waitress are imported only once a command runs.
"""
