"""How the tables of the review store came to be: Alembic migrations, applied when a store is opened."""
