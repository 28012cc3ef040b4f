"""Views of an export for the person who writes it: contradictions, people, gaps, and all of it as a page.

In: the chat rows of an export. Out: plain figures, and texts. Imports ``export``; only ``commands`` imports it.
"""
