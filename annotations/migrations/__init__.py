"""How the tables of the review store came to be: Alembic migrations, applied when a store is opened.

In: a connection to a database of any earlier version. Out: the tables of today. ``env.py`` imports
``annotations.store.schema``; the migrations themselves import nothing of the project, so that they never change.
"""
