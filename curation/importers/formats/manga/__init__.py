"""Text read off manga pages, and the order that it is read in."""
