"""Rows in tables and JSON, and archives of any of the other formats."""
