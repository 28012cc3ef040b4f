"""Visitors' feedback on replies: kept here, and fetched from other servers.

In: feedback as JSON. Out: JSON Lines files. Imports the server's shared modules alone.
"""
