"""Scripts and wiki pages: names before, above or around the lines."""
