"""An open sample as the stage shows it: its text with marks, what stands beside it, and what is loaded on request.

Each module takes a desk and an item and returns HTML, made by ``markup.py`` or escaped in the same way.
"""
