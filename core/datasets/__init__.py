"""A dataset's folder -> one table, a row an image; the committed split; checks, search and similar images.

Start in `layouts.py`, which recognises a folder's layout; `splits.py` reads which image belongs to which split.
"""
