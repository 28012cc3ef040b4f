"""What the character would not say, and loops, found while a reply is being made.

In: tokens with their texts. Out: what may be shown, and what has to be said differently. Imports the server's shared
modules alone.
"""
